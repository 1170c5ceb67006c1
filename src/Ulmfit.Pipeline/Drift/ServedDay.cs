using Ulmfit.Pipeline.Registry;
using Ulmfit.Text;

namespace Ulmfit.Pipeline.Drift;

/// <summary>What this process was asked of a version on a day, counted as it answers. Any number of threads may add at once.</summary>
/// <param name="card">The version.</param>
/// <param name="labels">Its labels.</param>
internal sealed class ServedDay(ModelCard card, IReadOnlyList<string> labels)
{
    private readonly long[] classes = new long[labels.Count];
    private long requests;
    private long texts;
    private long tokens;
    private long words;
    private long unknown;

    /// <summary>The version.</summary>
    public ModelCard Card => card;

    /// <summary>How many requests the counts had that were written last. Only the writer looks at it.</summary>
    public long Written { get; set; }

    /// <summary>How many requests were counted.</summary>
    public long Requests => Interlocked.Read(ref requests);

    /// <summary>Adds an answered request.</summary>
    /// <param name="probabilities">The answers: <c>[texts][labels]</c>.</param>
    /// <param name="tally">The tokens of the texts.</param>
    public void Add(float[][] probabilities, TokenTally tally)
    {
        foreach (float[] row in probabilities)
        {
            int best = 0;
            for (int c = 1; c < row.Length; c++)
            {
                best = row[c] > row[best] ? c : best;
            }
            Interlocked.Increment(ref classes[best]);
        }
        Interlocked.Add(ref texts, probabilities.Length);
        Interlocked.Add(ref tokens, tally.Tokens);
        Interlocked.Add(ref words, tally.Words);
        Interlocked.Add(ref unknown, tally.UnknownWords);

        // Last: whoever sees no other number of requests has missed nothing.
        Interlocked.Increment(ref requests);
    }

    /// <summary>The counts so far. One that is being added may be there in part; the next look has it whole.</summary>
    public ServedCounts Counts()
    {
        long counted = Requests;
        return new ServedCounts(
            counted, Interlocked.Read(ref texts), Interlocked.Read(ref tokens), Interlocked.Read(ref words), Interlocked.Read(ref unknown),
            [.. labels.Select((label, c) => new ClassFrequency(label, Interlocked.Read(ref classes[c]))).Where(frequency => frequency.Count > 0)]);
    }
}
