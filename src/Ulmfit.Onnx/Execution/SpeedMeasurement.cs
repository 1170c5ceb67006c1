using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;

namespace Ulmfit.Onnx.Execution;

/// <summary>Measures how fast encoders are.</summary>
internal static class SpeedMeasurement
{
    private const int Most = 7;

    /// <summary>The median time of a token in all encoders together, on this thread.</summary>
    /// <param name="encoders">The encoders.</param>
    /// <param name="batch">How many documents go together.</param>
    /// <param name="tokens">How long they are.</param>
    /// <param name="atMost">After how long to stop.</param>
    /// <param name="cancellationToken">Ends it between two documents.</param>
    public static double MicrosecondsPerToken(IReadOnlyList<DirectionEncoder> encoders, int batch, int tokens, TimeSpan atMost, CancellationToken cancellationToken)
    {
        var times = new List<double>(Most);
        var random = new Random(1);
        using var run = new RunOptions();
        long began = Stopwatch.GetTimestamp();
        while (times.Count == 0 || (times.Count < Most && Stopwatch.GetElapsedTime(began) < atMost))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Sequence[][] documents = [.. encoders.Select(encoder => Documents(encoder, batch, tokens, random))];
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < documents.Length; i++)
            {
                while (!documents[i][0].IsFinished)
                {
                    encoders[i].Run(documents[i], Math.Min(documents[i][0].Remaining, Math.Max(1, DirectionEncoder.MaxTokensPerRun / batch)), run);
                }
            }

            times.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds / ((double)batch * tokens));
        }

        times.Sort();
        return times[times.Count / 2];
    }

    private static Sequence[] Documents(DirectionEncoder encoder, int batch, int tokens, Random random)
    {
        var documents = new Sequence[batch];
        for (int i = 0; i < batch; i++)
        {
            int[] document = new int[tokens];
            foreach (ref int token in document.AsSpan())
            {
                token = random.Next(encoder.Layout.Config.Encoder.VocabularySize);
            }

            documents[i] = new Sequence(null, encoder, document);
        }

        return documents;
    }
}
