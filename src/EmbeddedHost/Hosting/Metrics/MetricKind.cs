namespace EmbeddedHost;

/// <summary>What a metric is to Prometheus.</summary>
internal enum MetricKind
{
    /// <summary>A sum that only grows.</summary>
    Counter,

    /// <summary>A value that goes up and down.</summary>
    Gauge,

    /// <summary>A distribution in buckets.</summary>
    Histogram,
}
