namespace Ulmfit.Functions.Http;

/// <summary>How runs are told as server-sent events.</summary>
internal sealed record RunEventOptions
{
    /// <summary>How often a run is looked at, and so the least time between two messages.</summary>
    public TimeSpan LookEvery { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>After how long of silence a comment is sent, so that nothing on the way takes the connection for dead: <c>Events:HeartbeatSeconds</c>.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// After how long a stream ends, for the client to come again: <c>Events:StreamSeconds</c>. Less than host.json's <c>functionTimeout</c>,
    /// at which a Functions host starts its worker anew.
    /// </summary>
    public TimeSpan Stream { get; init; } = TimeSpan.FromMinutes(30);
}
