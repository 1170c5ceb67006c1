using System.Diagnostics;
using System.Text;
using Ulmfit.Text;

namespace Ulmfit.Cli.Bench;

/// <summary>The tokenizer on one core: a first pass, in which code is compiled, and later passes over the same texts.</summary>
internal static class TokenizerBench
{
    private const int MadeTexts = 4_000;
    private const double LeastSeconds = 3;

    public static TokenizerReport Run(string? data, int vocabularySize, int passes, CancellationToken cancellationToken)
    {
        string[] texts = data is null ? [.. MadeText.Texts(MadeTexts)] : [.. UnlabeledFiles.Read(data)];
        if (texts.Length == 0)
        {
            throw new UsageException($"{data} holds no text.");
        }

        long bytes = texts.Sum(text => (long)Encoding.UTF8.GetByteCount(text));
        var tokenizer = new Tokenizer();
        var tokens = new List<string>();
        long count = 0;
        (TokenizerSpeed tokenSpeed, int timed) = Measure(bytes, passes, () =>
        {
            count = 0;
            foreach (string text in texts)
            {
                tokens.Clear();
                tokenizer.Tokenize(text, tokens);
                count += tokens.Count;
            }
        }, cancellationToken);

        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (string text in texts)
        {
            foreach (string token in tokenizer.Tokenize(text))
            {
                counts[token] = counts.GetValueOrDefault(token) + 1;
            }
        }

        var vocabulary = Vocabulary.Build(counts, new VocabularyOptions { MaximumSize = vocabularySize });
        var ids = new List<int>();
        (TokenizerSpeed idSpeed, _) = Measure(bytes, passes, () =>
        {
            foreach (string text in texts)
            {
                ids.Clear();
                tokenizer.Encode(text, vocabulary, ids);
            }
        }, cancellationToken);
        return new TokenizerReport("tokenizer", data ?? "made text", texts.Length, bytes, count, timed, tokenSpeed.MegabytesPerSecond, tokenSpeed, idSpeed);
    }

    private static (TokenizerSpeed Speed, int Passes) Measure(long bytes, int passes, Action pass, CancellationToken cancellationToken)
    {
        double Timed()
        {
            cancellationToken.ThrowIfCancellationRequested();
            long begin = Stopwatch.GetTimestamp();
            pass();
            return Stopwatch.GetElapsedTime(begin).TotalSeconds;
        }

        double first = Timed();
        var later = new List<double>();
        double total = 0;
        do
        {
            double seconds = Timed();
            later.Add(seconds);
            total += seconds;
        }
        while (later.Count < passes || total < LeastSeconds);
        later.Sort();
        double SpeedOf(double seconds) => bytes / seconds / 1e6;
        return (new TokenizerSpeed(SpeedOf(first), SpeedOf(later[later.Count / 2]), SpeedOf(later[0])), later.Count);
    }
}
