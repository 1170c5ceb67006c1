namespace Ulmfit.Functions.Http;

/// <summary>How runs are told as server-sent events.</summary>
internal sealed record RunEventOptions
{
    /// <summary>How often a run is looked at, and so the least time between two messages.</summary>
    public TimeSpan LookEvery { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>After how long of silence a comment is sent, so that nothing on the way takes the connection for dead.</summary>
    public required TimeSpan Heartbeat { get; init; }

    /// <summary>After how long a stream ends, for the client to come again.</summary>
    public required TimeSpan Stream { get; init; }
}
