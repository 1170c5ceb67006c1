namespace Ulmfit.Reliability.Load;

/// <summary>How a host is put under load.</summary>
internal sealed record LoadOptions
{
    /// <summary>Clients that ask at once, each over one connection that it keeps.</summary>
    public int Clients { get; init; } = 64;

    /// <summary>Requests at least.</summary>
    public int Requests { get; init; } = 100_000;

    /// <summary>For how long at least.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromMinutes(4);

    /// <summary>How often the champion is changed meanwhile, evenly spread.</summary>
    public int Promotions { get; init; } = 2;

    /// <summary>Threads that train; one a processor where there is none.</summary>
    public int? Threads { get; init; }

    /// <summary>Texts that are asked for.</summary>
    public int Questions { get; init; } = 200;

    /// <summary>Rows of the training that goes on meanwhile.</summary>
    public int BackgroundRows { get; init; } = 3000;

    /// <summary>By how much resident memory may have grown at the end since the first minute.</summary>
    public double MemoryGrowth { get; init; } = 0.1;
}
