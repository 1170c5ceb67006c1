using System.Security.Cryptography;
using System.Text;
using KillMatrix.Agent;

namespace KillMatrix.Driver;

/// <summary>The folders of one run of the matrix, and what is found in them when it is over.</summary>
internal sealed class DataDirectory : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("ulmfit-kills-").FullName;

    public DataDirectory()
    {
        Directory.CreateDirectory(Data);
        Directory.CreateDirectory(Temporary);
        Workload.Prepare(Data);
    }

    /// <summary>The host's data directory.</summary>
    public string Data => Path.Combine(root, "data");

    /// <summary>The host's folder for temporary files.</summary>
    public string Temporary => Path.Combine(root, "tmp");

    /// <summary>The journal of a life of the host.</summary>
    public string Journal(int life) => Path.Combine(root, $"writes-{life}");

    /// <summary>Whether to leave it where it is.</summary>
    public bool Keep { get; set; }

    /// <summary>All files, with how many there are of each normalised name. Lock files are made as they are needed, so they do not count.</summary>
    public IReadOnlyList<string> Files() =>
    [
        .. Names(Data)
            .Where(name => !name.Contains("/.blobs/locks/", StringComparison.Ordinal))
            .Select(WritePoint.Normalize)
            .GroupBy(name => name, StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => $"{group.Count()} {group.Key}"),
    ];

    /// <summary>Payloads that no manifest of a step, candidate, data-set version or pretraining names.</summary>
    public IReadOnlyList<string> Unreferenced()
    {
        string state = Path.Combine(Data, "state");
        string manifests = string.Concat(Names(state)
            .Where(name => name.EndsWith(".json", StringComparison.Ordinal))
            .Select(name => File.ReadAllText(Path.Combine(state, name), Encoding.UTF8)));
        return [.. Names(state).Where(name =>
            name.StartsWith("sha256/", StringComparison.Ordinal) && !manifests.Contains(Path.GetFileName(name), StringComparison.Ordinal))];
    }

    /// <summary>What the host itself has left in the temporary folder; native libraries leave notes of their own there.</summary>
    public IReadOnlyList<string> LeftInTemporary() => [.. Names(Temporary).Where(name => name.StartsWith("ulmfit-", StringComparison.Ordinal))];

    /// <summary>SHA-256 of a file of the data directory; "missing" where there is none.</summary>
    public string DigestOf(string name)
    {
        string path = Path.Combine(Data, name);
        return File.Exists(path) ? Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))) : "missing";
    }

    public void Dispose()
    {
        if (!Keep)
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static List<string> Names(string folder) =>
    [
        .. Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
            .Select(path => Path.GetRelativePath(folder, path).Replace(Path.DirectorySeparatorChar, '/'))
            .Order(StringComparer.Ordinal),
    ];
}
