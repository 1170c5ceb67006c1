namespace EmbeddedHost;

/// <summary>The host cannot start with the settings or on the machine as they are; the message says what to change.</summary>
/// <param name="message">What is wrong and what to change.</param>
/// <param name="inner">What brought it to light.</param>
public sealed class HostStartException(string message, Exception? inner = null) : Exception(message, inner);
