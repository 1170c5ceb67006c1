namespace Ulmfit.Cli.Hosted;

/// <summary>No host answers; the message says how to start one.</summary>
internal sealed class HostUnreachableException(string message, Exception inner) : Exception(message, inner);

/// <summary>The host answers that it cannot do what it was asked for at this time.</summary>
internal sealed class HostFailedException(string message) : Exception(message);
