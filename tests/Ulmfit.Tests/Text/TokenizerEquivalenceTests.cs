using System.IO.Compression;
using System.Text;
using Ulmfit.Data;
using Ulmfit.Text;

namespace Ulmfit.Tests.Text;

/// <summary>Holds the tokenizer, which remembers words and scans ahead, against the plain transcription of its rules.</summary>
public sealed class TokenizerEquivalenceTests
{
    [Fact]
    public void Tokenize_AdversarialText_GivesTheTokensOfThePlainRules()
    {
        var tokenizer = new Tokenizer();
        var random = new RandomText(1);
        for (int round = 0; round < 6000; round++)
        {
            AssertSame(tokenizer, random.Next());
        }
    }

    [Fact]
    public void Tokenize_WordsWithEveryCharacter_GivesTheTokensOfThePlainRules()
    {
        var tokenizer = new Tokenizer();
        for (int c = 0; c <= char.MaxValue; c++)
        {
            AssertSame(tokenizer, $"ab{(char)c} {(char)c}{(char)c}{(char)c} {(char)c}Ab. {(char)c} {(char)c} {(char)c}");
        }
    }

    [Fact]
    public void Tokenize_AllShortWordsOfSigns_GivesTheTokensOfThePlainRules() =>
        AssertSameForAll(["a", "s", "A", ".", "-", "'", "‘", "’", "“", "”", "–", "—", "…", "é", "Ж", "1"], 3, " ");

    [Fact]
    public void Tokenize_AllShortTextsOfRepeatedWords_GivesTheTokensOfThePlainRules() =>
        AssertSameForAll(["a ", "b ", "\n", "a.", " "], 7, "");

    [Fact]
    public void Tokenize_MoreWordsThanAreRemembered_GivesTheTokensOfThePlainRules()
    {
        var tokenizer = new Tokenizer();
        for (int round = 0; round < 2; round++)
        {
            for (int i = 0; i < 200_000; i += 500)
            {
                AssertSame(tokenizer, string.Join(' ', Enumerable.Range(i, 500).Select(k => $"Wor{k}d, the {k}'s end.")));
            }
        }
    }

    [Fact]
    public void Encode_AdversarialText_GivesTheIdsOfThePlainTokens()
    {
        var random = new RandomText(2);
        string[] texts = [.. Enumerable.Range(0, 1500).Select(_ => random.Next())];
        List<string>[] tokens = [.. texts.Select(ReferenceTokenizer.Tokenize)];
        var tokenizer = new Tokenizer();
        foreach (int minimum in (int[])[1, 40])
        {
            var vocabulary = Vocabulary.Build(tokens, new VocabularyOptions { MinimumCount = minimum });
            for (int i = 0; i < texts.Length; i++)
            {
                var ids = new List<int> { -1 };
                tokenizer.Encode(texts[i], vocabulary, ids);
                Assert.Equal([-1, .. vocabulary.Encode(tokens[i])], ids);
            }
        }
    }

    [Theory]
    [InlineData("imdb/train.csv.gz", 3000)]
    [InlineData("banking77/train.csv", 10000)]
    [InlineData("trec/train.csv", 10000)]
    public void Tokenize_RealRows_GivesTheTokensOfThePlainRules(string name, int rows)
    {
        string path = Path.Combine(SharedData.Folder, "data", name);
        Assert.SkipUnless(File.Exists(path), $"{path} is not on this machine.");
        using FileStream content = File.OpenRead(path);
        LabeledFile file = LabeledDataReader.Read(content, Path.GetFileName(path));
        Assert.Null(file.Error);
        var tokenizer = new Tokenizer();
        foreach (LabeledRow row in file.Rows.Take(rows))
        {
            AssertSame(tokenizer, row.Text);
        }
    }

    [Fact]
    public void Tokenize_RealArticles_GivesTheTokensOfThePlainRules()
    {
        string path = Path.Combine(SharedData.Folder, "data", "enwiki", "valid.txt.gz");
        Assert.SkipUnless(File.Exists(path), $"{path} is not on this machine.");
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress), Encoding.UTF8);
        var tokenizer = new Tokenizer();
        while (reader.ReadLine() is { } line)
        {
            AssertSame(tokenizer, line);
        }
    }

    /// <summary>All sequences of some pieces up to a length, read by one tokenizer; each between the ends given.</summary>
    private static void AssertSameForAll(string[] pieces, int longest, string ends)
    {
        var tokenizer = new Tokenizer();
        IEnumerable<string> texts = [""];
        for (int length = 1; length <= longest; length++)
        {
            texts = [.. texts.SelectMany(text => pieces.Select(piece => text + piece))];
            foreach (string text in texts)
            {
                AssertSame(tokenizer, ends + text + ends);
            }
        }
    }

    private static void AssertSame(Tokenizer tokenizer, string text)
    {
        List<string> expected = ReferenceTokenizer.Tokenize(text);
        IReadOnlyList<string> found = tokenizer.Tokenize(text);
        if (!expected.SequenceEqual(found, StringComparer.Ordinal))
        {
            Assert.Fail($"'{Escape(text)}': expected '{Escape(string.Join('|', expected))}', found '{Escape(string.Join('|', found))}'");
        }
    }

    // A test runner cannot pass on lone surrogates and control characters.
    private static string Escape(string text) =>
        string.Concat(text.Select(c => c is >= ' ' and <= '~' ? c.ToString() : $"\\u{(int)c:X4}"));
}
