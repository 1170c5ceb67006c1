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
    private Mark reached;
    private Mark written;

    /// <summary>Whether something is kept that has not been written.</summary>
    public bool IsDirty
    {
        get
        {
            lock (gate)
            {
                return reached != written;
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
            kept[digest] = text;
            order.Add((text.Margin, digest));
            if (order.Count > capacity)
            {
                (double Margin, string Digest) least = order.Max;
                order.Remove(least);
                kept.Remove(least.Digest);
            }
            Volatile.Write(ref bound, order.Count < capacity ? double.PositiveInfinity : order.Max.Margin);
            reached = new Mark(reached.Changes + 1, reached.Texts + (before is null ? 1 : 0));
        }
    }

    /// <summary>What is kept, the most uncertain first, and a mark of it for <see cref="NoteWritten"/>.</summary>
    public (IReadOnlyList<UncertainText> Texts, Mark Mark) Read()
    {
        lock (gate)
        {
            return ([.. order.Select(place => kept[place.Digest])], reached);
        }
    }

    /// <summary>What was read is written.</summary>
    /// <param name="mark">The mark that came with it.</param>
    /// <returns>How many texts had come by then that no earlier mark had.</returns>
    public int NoteWritten(Mark mark)
    {
        lock (gate)
        {
            if (mark.Changes <= written.Changes)
            {
                return 0;
            }
            int count = mark.Texts - written.Texts;
            written = mark;
            return count;
        }
    }

    /// <summary>How far a reservoir has come.</summary>
    /// <param name="Changes">What was kept so far, texts that came again among it.</param>
    /// <param name="Texts">The texts of it that were not there.</param>
    internal readonly record struct Mark(long Changes, int Texts);
}
