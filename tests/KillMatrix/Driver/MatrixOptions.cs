namespace KillMatrix.Driver;

/// <summary>What a matrix of kills is to be.</summary>
internal sealed record MatrixOptions
{
    /// <summary>What chooses points, their order and the random instants.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>How many points within writes to kill at; null for all.</summary>
    public int? Points { get; init; }

    /// <summary>How many kills at random instants.</summary>
    public int Instants { get; init; } = 60;

    /// <summary>How many hosts work at a time.</summary>
    public int Parallel { get; init; } = Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>How many kills one after another a run has to bear.</summary>
    public int KillsOfARun { get; init; } = 5;

    /// <summary>Only points whose operation contains this; null for all.</summary>
    public string? Only { get; init; }

    /// <summary>After how long without a write or a word of the host a run that has not ended is stuck: the host looks for work every minute.</summary>
    public TimeSpan StuckAfter { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>Whether to keep the data of runs in which something was found.</summary>
    public bool Keep { get; init; }
}
