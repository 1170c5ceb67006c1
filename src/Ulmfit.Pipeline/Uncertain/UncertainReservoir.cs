using Ulmfit.Data;

namespace Ulmfit.Pipeline.Uncertain;

/// <summary>The most uncertain texts of a model and a day, as many as fit, each once. Members may be called at once.</summary>
/// <param name="capacity">How many fit.</param>
internal sealed class UncertainReservoir(int capacity)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, UncertainText> kept = new(StringComparer.Ordinal);
    private readonly SortedSet<(double Margin, string Digest)> order = [];
    private double bound = double.PositiveInfinity;
    private long changes;
    private long written;
    private int unwritten;

    /// <summary>Whether something is kept that has not been written.</summary>
    public bool IsDirty
    {
        get
        {
            lock (gate)
            {
                return changes != written;
            }
        }
    }

    /// <summary>Whether a text of this margin might be kept. Most texts of a day are not, and cost no more than this.</summary>
    public bool Wants(double margin) => margin <= Volatile.Read(ref bound);

    /// <summary>Keeps a text if it is uncertain enough; the least uncertain one makes room.</summary>
    public void Add(UncertainText text)
    {
        string digest = TextDigest.Of(text.Text);
        lock (gate)
        {
            if (kept.Remove(digest, out UncertainText? before))
            {
                // Of a text that comes again the last answer counts: another version may be surer of it.
                order.Remove((before.Margin, digest));
            }
            else
            {
                unwritten++;
            }
            kept[digest] = text;
            order.Add((text.Margin, digest));
            if (order.Count > capacity)
            {
                (double Margin, string Digest) least = order.Max;
                order.Remove(least);
                kept.Remove(least.Digest);
            }
            Volatile.Write(ref bound, order.Count < capacity ? double.PositiveInfinity : order.Max.Margin);
            changes++;
        }
    }

    /// <summary>What is kept, the most uncertain first, and a mark of it for <see cref="NoteWritten"/>.</summary>
    public (IReadOnlyList<UncertainText> Texts, long Mark) Read()
    {
        lock (gate)
        {
            return ([.. order.Select(place => kept[place.Digest])], changes);
        }
    }

    /// <summary>What was read is written.</summary>
    /// <param name="mark">The mark that came with it.</param>
    /// <returns>How many texts have come since the last time.</returns>
    public int NoteWritten(long mark)
    {
        lock (gate)
        {
            written = Math.Max(written, mark);
            int count = unwritten;
            unwritten = 0;
            return count;
        }
    }
}
