namespace ServingBenchmark;

/// <summary>What is measured, and for how long.</summary>
internal sealed record ServingOptions
{
    /// <summary>The models under load.</summary>
    public IReadOnlyList<BenchmarkModel> Models { get; init; } = [];

    /// <summary>The models whose cold start is measured.</summary>
    public IReadOnlyList<BenchmarkModel> ColdStarts { get; init; } = [];

    /// <summary>Tokens of a text.</summary>
    public IReadOnlyList<int> Tokens { get; init; } = [8, 64, 128, 256, 512];

    /// <summary>Clients that ask at once.</summary>
    public IReadOnlyList<int> Clients { get; init; } = [1, 32];

    /// <summary>Whether a training goes on beside it, for each that is measured.</summary>
    public IReadOnlyList<bool> Training { get; init; } = [false];

    /// <summary>For how long a host is asked before anything is measured.</summary>
    public double HostWarmUpSeconds { get; init; } = 3;

    /// <summary>How often each is measured; the median counts.</summary>
    public int Runs { get; init; } = 3;

    /// <summary>After how many seconds of them no further run begins: of a slow model there are fewer.</summary>
    public double NoRunAfterSeconds { get; init; } = 6;

    /// <summary>Seconds of a run.</summary>
    public double Seconds { get; init; } = 1;

    /// <summary>Answers of a run at least.</summary>
    public int AtLeast { get; init; } = 10;

    /// <summary>Different texts of each length.</summary>
    public int Texts { get; init; } = 50;

    /// <summary>Starts of a cold start's measurement.</summary>
    public int Starts { get; init; } = 5;

    /// <summary>The models, of one direction each, that are held against the bare computation.</summary>
    public IReadOnlyList<BenchmarkModel> Overheads { get; init; } = [];

    /// <summary>Requests of an overhead's measurement for each length, as far as there is time for them.</summary>
    public int OverheadRequests { get; init; } = 300;

    /// <summary>After how many seconds an overhead's measurement is content with the requests it has, of which there are ten at least.</summary>
    public double OverheadSeconds { get; init; } = 2;

    /// <summary>The processors of the host; null for all.</summary>
    public IReadOnlyList<int>? HostCores { get; init; }

    /// <summary>The processors of the clients; null for all.</summary>
    public IReadOnlyList<int>? ClientCores { get; init; }
}
