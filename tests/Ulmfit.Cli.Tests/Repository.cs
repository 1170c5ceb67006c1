using System.Runtime.CompilerServices;

namespace Ulmfit.Cli.Tests;

/// <summary>The repository that these tests were built from.</summary>
internal static class Repository
{
    /// <summary>Its root.</summary>
    public static string Root { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", ".."));

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
