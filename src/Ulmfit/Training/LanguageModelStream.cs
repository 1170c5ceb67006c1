using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Training;

/// <summary>
/// One epoch of the language-model stream: the documents in a shuffled order, joined, cut into as many lanes as the
/// batch has, and read window by window.
/// </summary>
public sealed class LanguageModelStream
{
    private readonly int[] tokens;
    private readonly int laneLength;
    private readonly IReadOnlyList<int> windows;
    private readonly int[] starts;
    private readonly double resetProbability;
    private readonly RandomKey key;

    private LanguageModelStream(int[] tokens, int batch, IReadOnlyList<int> windows, double resetProbability, RandomKey key)
    {
        this.tokens = tokens;
        Batch = batch;
        laneLength = (tokens.Length - 1) / batch;
        this.windows = windows;
        this.resetProbability = resetProbability;
        this.key = key;
        starts = new int[windows.Count];
        for (int i = 1; i < starts.Length; i++)
        {
            starts[i] = starts[i - 1] + windows[i - 1];
        }
    }

    /// <summary>Lanes.</summary>
    public int Batch { get; }

    /// <summary>Windows, and so training steps, of the epoch.</summary>
    public int Steps => windows.Count;

    /// <summary>An epoch of training: shuffled documents, random windows, lanes that now and then start afresh.</summary>
    /// <param name="documents">Token ids of each document, already in the direction of reading.</param>
    /// <param name="batch">Lanes.</param>
    /// <param name="bptt">Base window length.</param>
    /// <param name="resetProbability">Probability with which a lane starts a window from a zero state.</param>
    /// <param name="key">The epoch; its step is ignored.</param>
    public static LanguageModelStream Training(IReadOnlyList<int[]> documents, int batch, int bptt, double resetProbability, RandomKey key)
    {
        ArgumentNullException.ThrowIfNull(documents);
        key = key with { Step = 0 };
        int[] order = Shuffle.Order(documents.Count, key);
        int[] joined = Join(documents, order);
        return new LanguageModelStream(joined, batch, BackpropagationThroughTime.Windows((joined.Length - 1) / batch, bptt, key), resetProbability, key);
    }

    /// <summary>Documents in their order, in windows of one length: for evaluation.</summary>
    public static LanguageModelStream Evaluation(IReadOnlyList<int[]> documents, int batch, int bptt)
    {
        ArgumentNullException.ThrowIfNull(documents);
        int[] joined = Join(documents, [.. Enumerable.Range(0, documents.Count)]);
        int length = Math.Max(0, (joined.Length - 1) / batch);
        int[] windows = [.. Enumerable.Range(0, (length + bptt - 1) / bptt).Select(i => Math.Min(bptt, length - (i * bptt)))];
        return new LanguageModelStream(joined, batch, windows, 0, default);
    }

    /// <summary>How many windows an epoch has, without joining its documents; <paramref name="tokens"/> counts all documents.</summary>
    public static int StepsOf(long tokens, int batch, int bptt, RandomKey key) => BackpropagationThroughTime.Windows((int)((tokens - 1) / batch), bptt, key with { Step = 0 }).Count;

    /// <summary>Length of window <paramref name="step"/>.</summary>
    public int WindowLength(int step) => windows[step];

    /// <summary>Window <paramref name="step"/>, time outermost.</summary>
    public LanguageModelBatch this[int step]
    {
        get
        {
            int time = windows[step], start = starts[step];
            var input = new int[time * Batch];
            var target = new int[time * Batch];
            for (int lane = 0; lane < Batch; lane++)
            {
                int from = (lane * laneLength) + start;
                for (int t = 0; t < time; t++)
                {
                    input[(t * Batch) + lane] = tokens[from + t];
                    target[(t * Batch) + lane] = tokens[from + t + 1];
                }
            }

            return new LanguageModelBatch(time, Batch, input, target, ResetLanes(step));
        }
    }

    private bool[] ResetLanes(int step)
    {
        if (resetProbability == 0)
        {
            return [];
        }

        var random = new Philox(key with { Step = step }, RandomPurpose.LaneReset);
        var lanes = new bool[Batch];
        for (int lane = 0; lane < Batch; lane++)
        {
            lanes[lane] = random.Uniform(lane) < resetProbability;
        }

        return lanes;
    }

    private static int[] Join(IReadOnlyList<int[]> documents, int[] order)
    {
        var joined = new int[documents.Sum(document => document.Length)];
        int position = 0;
        foreach (int index in order)
        {
            documents[index].CopyTo(joined, position);
            position += documents[index].Length;
        }

        return joined;
    }
}
