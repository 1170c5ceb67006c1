namespace EmbeddedHost;

/// <summary>The measurements of one instrument with the same attributes. Members may be called at once.</summary>
/// <param name="bounds">Upper bounds of a histogram's buckets, the infinite one left out; empty for others.</param>
internal sealed class MetricSeries(double[] bounds)
{
    private readonly Lock gate = new();
    private readonly long[] buckets = new long[bounds.Length + 1];
    private double value;
    private long count;
    private int observedIn;

    /// <summary>Adds to a sum.</summary>
    public void Add(double measured)
    {
        lock (gate)
        {
            value += measured;
        }
    }

    /// <summary>Sets what is measured whole.</summary>
    /// <param name="measured">The value.</param>
    /// <param name="collection">The collection in which an observable instrument told it; 0 for any other instrument.</param>
    public void Set(double measured, int collection)
    {
        lock (gate)
        {
            value = measured;
            observedIn = collection;
        }
    }

    /// <summary>Puts a measurement into its bucket: the first whose bound is not below it.</summary>
    public void Record(double measured)
    {
        if (double.IsNaN(measured))
        {
            // It belongs into no bucket, and would make the sum useless for ever.
            return;
        }

        int found = Array.BinarySearch(bounds, measured);
        lock (gate)
        {
            buckets[found < 0 ? ~found : found]++;
            value += measured;
            count++;
        }
    }

    /// <summary>What was measured until now, all of one instant; null where an observable instrument no longer tells of it.</summary>
    /// <param name="collection">The collection at hand; 0 where the instrument is not observable.</param>
    public MetricSnapshot? Read(int collection)
    {
        lock (gate)
        {
            return collection != 0 && observedIn != collection ? null : new MetricSnapshot(value, count, bounds.Length == 0 ? [] : [.. buckets]);
        }
    }
}

/// <summary>What a series has come to.</summary>
/// <param name="Value">The sum or the value.</param>
/// <param name="Count">Measurements of a histogram.</param>
/// <param name="Buckets">Measurements in each bucket of a histogram, not cumulated; the last has no upper bound.</param>
internal sealed record MetricSnapshot(double Value, long Count, long[] Buckets)
{
    /// <summary>Both together: series of which nothing distinguishes the labels.</summary>
    public MetricSnapshot Plus(MetricSnapshot other) =>
        new(Value + other.Value, Count + other.Count, [.. Buckets.Zip(other.Buckets, (a, b) => a + b)]);
}
