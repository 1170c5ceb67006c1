namespace Fuzz;

/// <summary>What a run does.</summary>
internal sealed record FuzzOptions
{
    /// <summary>The seed of every input.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>How many inputs in all; null for as many as the time allows.</summary>
    public long? Count { get; init; }

    /// <summary>How long; null for as long as it takes.</summary>
    public TimeSpan? Limit { get; init; }

    /// <summary>Threads that try inputs.</summary>
    public int Threads { get; init; } = Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>An input that takes longer than this hangs.</summary>
    public TimeSpan Hang { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Where inputs that show a defect are kept.</summary>
    public string Failures { get; init; } = "fuzz-failures";

    /// <summary>Tells how far it has come; null for silence.</summary>
    public Action<string>? Progress { get; init; }
}
