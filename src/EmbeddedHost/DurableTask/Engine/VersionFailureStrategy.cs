namespace EmbeddedHost.Durable;

/// <summary>Host plumbing: what becomes of an orchestration whose version the host does not run.</summary>
public enum VersionFailureStrategy
{
    /// <summary>It stays as it is and waits for a host that runs it.</summary>
    Reject,

    /// <summary>It fails.</summary>
    Fail,
}
