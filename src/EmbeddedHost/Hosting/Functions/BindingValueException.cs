namespace EmbeddedHost;

/// <summary>What a caller sent does not fit the type of a parameter.</summary>
/// <param name="message">Which value, and what was expected.</param>
/// <param name="inner">The conversion's own error.</param>
internal sealed class BindingValueException(string message, Exception? inner = null) : Exception(message, inner);
