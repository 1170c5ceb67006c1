using Ulmfit.Onnx;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Pipeline.Registry;

namespace Ulmfit.Pipeline.Serving;

/// <summary>
/// What a model answers before anyone may ask it: its memory is taken and its code compiled then, and one that cannot answer never
/// becomes the one that does.
/// </summary>
internal static class WarmUp
{
    private const string Words = "the quick brown fox jumps over a lazy dog and then it runs back home again";

    /// <summary>Words of the texts that a model answers while another one still answers for it.</summary>
    internal static readonly IReadOnlyList<int> Lengths = [1, 8, 40, 160];

    /// <summary>Words of the text that a model answers which somebody waits for.</summary>
    internal static readonly IReadOnlyList<int> AwaitedLengths = [8];

    /// <summary>Asks a model.</summary>
    /// <param name="classifier">The model.</param>
    /// <param name="card">What it is.</param>
    /// <param name="isAwaited">Whether somebody waits for it.</param>
    /// <param name="time">The clock.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <exception cref="CorruptBlobException">Its answers are no probabilities.</exception>
    public static async Task RunAsync(OnnxTextClassifier classifier, ModelCard card, bool isAwaited, TimeProvider time, CancellationToken ct)
    {
        if (!isAwaited)
        {
            await Patience.WaitAsync(
                () =>
                {
                    classifier.WarmUp();
                    return Task.FromResult(true);
                },
                time,
                ct).ConfigureAwait(false);
        }
        foreach (int words in isAwaited ? AwaitedLengths : Lengths)
        {
            float[][] answer = await Patience.WaitAsync(() => classifier.PredictAsync([TextOf(words)], ct), time, ct).ConfigureAwait(false);
            foreach (float probability in answer[0])
            {
                if (probability is not (>= 0 and <= 1.0001f))
                {
                    throw new CorruptBlobException(
                        $"{Containers.Models}/{ModelFiles.PathOf(card.Model, card.Version, card.Serves)}", $"it gives {probability} where a probability was expected");
                }
            }
        }
    }

    private static string TextOf(int words) => string.Join(' ', Enumerable.Repeat(Words.Split(' '), 1 + (words / 16)).SelectMany(some => some).Take(words));
}
