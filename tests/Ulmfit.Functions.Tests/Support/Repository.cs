using System.Runtime.CompilerServices;

namespace Ulmfit.Functions.Tests.Support;

/// <summary>The repository that these tests were built from.</summary>
internal static class Repository
{
    /// <summary>Its root.</summary>
    public static string Root { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "..", ".."));

    /// <summary>A path in it.</summary>
    public static string File(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>The C# files below a folder of it, those of builds left out.</summary>
    public static IEnumerable<string> Sources(params string[] parts) => Directory
        .EnumerateFiles(File(parts), "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj"));

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
