namespace EmbeddedHost.Durable;

/// <summary>Host plumbing: which orchestrations a host runs, by their versions.</summary>
public enum VersionMatchStrategy
{
    /// <summary>All.</summary>
    None,

    /// <summary>Those of the host's own version.</summary>
    Strict,

    /// <summary>Those of the host's own version and of older ones: what a newer host began waits for one.</summary>
    CurrentOrOlder,
}
