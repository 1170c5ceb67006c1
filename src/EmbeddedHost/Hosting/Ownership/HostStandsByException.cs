namespace EmbeddedHost;

/// <summary>What was asked for is done by the host that works; this one stands by.</summary>
/// <param name="message">Who works, and what to do.</param>
public sealed class HostStandsByException(string message) : InvalidOperationException(message);
