using System.Runtime.CompilerServices;

namespace Infra.Tests;

/// <summary>The files of this repository.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    public static bool Has(string path) => Path.Exists(Path.Combine(Root, path));

    /// <summary>The paths of the files below a folder, from the root, with forward slashes, in ordinal order.</summary>
    public static IReadOnlyList<string> Files(string folder, string pattern = "*") =>
        [.. Directory.EnumerateFiles(Path.Combine(Root, folder), pattern, SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
            .Order(StringComparer.Ordinal)];

    private static string FindRoot([CallerFilePath] string source = "")
    {
        string? folder = Path.GetDirectoryName(source);
        while (folder is not null && !File.Exists(Path.Combine(folder, "Serverless.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }
        return folder ?? throw new InvalidOperationException($"No Serverless.sln above {source}.");
    }
}
