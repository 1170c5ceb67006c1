using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace EmbeddedHost;

/// <summary>All series of one name.</summary>
internal sealed class MetricFamily
{
    // As OpenTelemetry's SDK has it: beyond so many, what is new is counted together, and memory stays bounded whatever attributes an app makes.
    internal const int MaxSeries = 2000;

    private static readonly double[] s_seconds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
    private static readonly double[] s_others = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000];

    private readonly ConcurrentDictionary<AttributeSet, MetricSeries> series = new(new AttributeSet.Comparer());
    private readonly MetricSeries overflow;
    private readonly bool isSum;
    private int seriesCount;
    private volatile bool overflowed;

    /// <summary>Makes the family of an instrument.</summary>
    /// <param name="name">Its name as Prometheus has it.</param>
    /// <param name="instrument">The instrument.</param>
    public MetricFamily(string name, Instrument instrument)
    {
        Name = name;
        Help = instrument.Description ?? "";
        Kind = KindOf(instrument);
        IsObservable = instrument.IsObservable;
        isSum = !IsObservable && !IsGauge(instrument) && Kind != MetricKind.Histogram;
        Bounds = Kind == MetricKind.Histogram ? BoundsOf(instrument) : [];
        overflow = new MetricSeries(Bounds);
    }

    /// <summary>The name.</summary>
    public string Name { get; }

    /// <summary>What it measures, in a sentence.</summary>
    public string Help { get; }

    /// <summary>What it is.</summary>
    public MetricKind Kind { get; }

    /// <summary>Whether it is asked for its values rather than told them.</summary>
    public bool IsObservable { get; }

    /// <summary>Upper bounds of a histogram's buckets, the infinite one left out.</summary>
    public double[] Bounds { get; }

    /// <summary>What an instrument is.</summary>
    public static MetricKind KindOf(Instrument instrument)
    {
        Type? type = DefinitionOf(instrument);
        return type == typeof(Counter<>) || type == typeof(ObservableCounter<>) ? MetricKind.Counter
            : type == typeof(Histogram<>) ? MetricKind.Histogram
            : MetricKind.Gauge;
    }

    /// <summary>Whether another instrument measures the same thing, so that both can be one family.</summary>
    public bool Takes(Instrument instrument) =>
        KindOf(instrument) == Kind && instrument.IsObservable == IsObservable && (Kind != MetricKind.Histogram || BoundsOf(instrument).AsSpan().SequenceEqual(Bounds));

    /// <summary>Takes a measurement.</summary>
    /// <param name="measured">The value.</param>
    /// <param name="attributes">Its attributes.</param>
    /// <param name="collection">The collection at hand, for observable instruments.</param>
    public void Measure(double measured, ReadOnlySpan<KeyValuePair<string, object?>> attributes, int collection)
    {
        MetricSeries of = Find(attributes);
        if (Kind == MetricKind.Histogram)
        {
            of.Record(measured);
        }
        else if (isSum)
        {
            of.Add(measured);
        }
        else
        {
            of.Set(measured, IsObservable ? collection : 0);
        }
    }

    /// <summary>What was measured, by labels in their order.</summary>
    /// <param name="collection">The collection at hand.</param>
    public IReadOnlyList<KeyValuePair<string, MetricSnapshot>> Read(int collection)
    {
        var found = new SortedDictionary<string, MetricSnapshot>(StringComparer.Ordinal);
        foreach ((AttributeSet attributes, MetricSeries one) in series)
        {
            Add(attributes.ToLabels(), one);
        }

        if (overflowed)
        {
            Add("otel_metric_overflow=\"true\"", overflow);
        }

        return [.. found];

        void Add(string labels, MetricSeries one)
        {
            if (one.Read(IsObservable ? collection : 0) is { } snapshot)
            {
                found[labels] = found.TryGetValue(labels, out MetricSnapshot? same) ? same.Plus(snapshot) : snapshot;
            }
        }
    }

    private MetricSeries Find(ReadOnlySpan<KeyValuePair<string, object?>> attributes)
    {
        var lookup = series.GetAlternateLookup<ReadOnlySpan<KeyValuePair<string, object?>>>();
        if (lookup.TryGetValue(attributes, out MetricSeries? known))
        {
            return known;
        }

        if (Volatile.Read(ref seriesCount) >= MaxSeries)
        {
            overflowed = true;
            return overflow;
        }

        var made = new MetricSeries(Bounds);
        if (lookup.TryAdd(attributes, made))
        {
            Interlocked.Increment(ref seriesCount);
            return made;
        }

        return lookup[attributes];
    }

    private static bool IsGauge(Instrument instrument) => DefinitionOf(instrument) == typeof(Gauge<>);

    // An app may derive instruments of its own.
    private static Type? DefinitionOf(Instrument instrument)
    {
        Type? type = instrument.GetType();
        while (type is { IsGenericType: false })
        {
            type = type.BaseType;
        }

        return type?.GetGenericTypeDefinition();
    }

    // The bounds that the instrument advises are of its own type of number.
    private static double[] BoundsOf(Instrument instrument) => instrument switch
    {
        Histogram<double> { Advice.HistogramBucketBoundaries: { } advised } => [.. advised],
        Histogram<float> { Advice.HistogramBucketBoundaries: { } advised } => [.. advised.Select(bound => (double)bound)],
        Histogram<long> { Advice.HistogramBucketBoundaries: { } advised } => [.. advised.Select(bound => (double)bound)],
        Histogram<int> { Advice.HistogramBucketBoundaries: { } advised } => [.. advised.Select(bound => (double)bound)],
        Histogram<short> { Advice.HistogramBucketBoundaries: { } advised } => [.. advised.Select(bound => (double)bound)],
        Histogram<byte> { Advice.HistogramBucketBoundaries: { } advised } => [.. advised.Select(bound => (double)bound)],
        Histogram<decimal> { Advice.HistogramBucketBoundaries: { } advised } => [.. advised.Select(bound => (double)bound)],
        _ => instrument.Unit == "s" ? s_seconds : s_others,
    };
}
