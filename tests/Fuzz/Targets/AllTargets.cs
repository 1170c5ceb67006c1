namespace Fuzz.Targets;

/// <summary>Every target that is a function of bytes; the function app over HTTP is <see cref="HttpTarget"/>.</summary>
internal static class AllTargets
{
    /// <summary>All readers.</summary>
    public static IReadOnlyList<FuzzTarget> Readers { get; } =
        [.. DataTargets.All, .. WeightTargets.All, .. ImportTargets.All, .. DocumentTargets.All, .. TextTargets.All];
}
