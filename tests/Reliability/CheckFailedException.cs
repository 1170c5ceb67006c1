namespace Ulmfit.Reliability;

/// <summary>A check cannot be carried out: the host does not do what the check builds on.</summary>
internal sealed class CheckFailedException(string message) : Exception(message);
