namespace EmbeddedHost;

/// <summary>One or more functions cannot be bound. The message lists each with its place and what to change.</summary>
public sealed class FunctionBindingException : Exception
{
    /// <summary>Makes the exception out of the findings.</summary>
    /// <param name="findings">One text for each finding.</param>
    public FunctionBindingException(IReadOnlyList<string> findings)
        : base("The function app cannot start:" + string.Concat((findings ?? []).Select(f => Environment.NewLine + "  - " + f))) =>
        Findings = findings ?? [];

    /// <summary>One text for each finding.</summary>
    public IReadOnlyList<string> Findings { get; }
}
