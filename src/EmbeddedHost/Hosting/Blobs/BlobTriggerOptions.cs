namespace EmbeddedHost;

/// <summary>How blob triggers look for blobs. Set it with <c>services.Configure&lt;BlobTriggerOptions&gt;(…)</c>.</summary>
public sealed class BlobTriggerOptions
{
    /// <summary>How often a container is listed where nothing tells of a change.</summary>
    public TimeSpan ScanInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long size and time of a file in the folder must stay the same before it counts as completely written.</summary>
    public TimeSpan SettleTime { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The wait before a failed blob is tried again; it doubles with each failure.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How often a blob is tried before it is given up: <c>extensions.blobs.poisonBlobThreshold</c> of host.json, 5 by default.</summary>
    public int PoisonBlobThreshold { get; set; } = 5;

    /// <summary>How many blobs are processed at a time, all functions together: <c>extensions.blobs.maxDegreeOfParallelism</c> of host.json, eight a processor by default.</summary>
    public int MaxDegreeOfParallelism { get; set; } = 8 * Environment.ProcessorCount;
}
