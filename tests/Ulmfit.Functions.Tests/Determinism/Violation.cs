namespace Ulmfit.Functions.Tests.Determinism;

/// <summary>Something in an orchestrator, or in what it calls, that a replay may see otherwise.</summary>
/// <param name="Rule">The rule: the number of the Durable Task analyzer that has it, or a word where none has.</param>
/// <param name="Where">File and line.</param>
/// <param name="What">The code.</param>
internal sealed record Violation(string Rule, string Where, string What)
{
    public override string ToString() => $"{Where}: {Rule}: {What}";
}
