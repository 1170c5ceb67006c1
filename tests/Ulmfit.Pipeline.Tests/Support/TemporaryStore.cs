using Ulmfit.Storage;

namespace Ulmfit.Pipeline.Tests.Support;

/// <summary>A folder store in a folder of its own.</summary>
public sealed class TemporaryStore : IDisposable
{
    public TemporaryStore()
    {
        Folder = Directory.CreateTempSubdirectory("ulmfit-pipeline-").FullName;
        Blobs = new FolderBlobStore(Folder);
    }

    public string Folder { get; }

    public IBlobStore Blobs { get; }

    /// <summary>The names in a container, in order.</summary>
    public async Task<IReadOnlyList<string>> NamesAsync(string container, string prefix = "")
    {
        var names = new List<string>();
        await foreach (BlobInfo blob in Blobs.ListAsync(container, prefix, TestContext.Current.CancellationToken))
        {
            names.Add(blob.Name);
        }
        return names;
    }

    /// <summary>Flips the lowest bit of a byte of a blob, behind the store's back.</summary>
    public void FlipBit(string container, string name, int position)
    {
        string path = Path.Combine(Folder, container, name.Replace('/', Path.DirectorySeparatorChar));
        byte[] bytes = File.ReadAllBytes(path);
        bytes[position < 0 ? bytes.Length + position : position] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
