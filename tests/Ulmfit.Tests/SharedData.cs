namespace Ulmfit.Tests;

/// <summary>Data sets that some developers keep beside the repository; tests of them are skipped elsewhere.</summary>
internal static class SharedData
{
    /// <summary>The folder <c>shared</c> beside the repository root; it need not exist.</summary>
    internal static string Folder { get; } = Find();

    private static string Find()
    {
        for (DirectoryInfo? folder = new(SourceFolder()); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Serverless.sln")))
            {
                return Path.Combine(folder.Parent?.FullName ?? folder.FullName, "shared");
            }
        }

        return "shared";
    }

    private static string SourceFolder([System.Runtime.CompilerServices.CallerFilePath] string path = "") =>
        Path.GetDirectoryName(path) ?? "";
}
