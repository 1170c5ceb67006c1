namespace Ulmfit.Storage.Tests;

/// <summary>The contract on a folder.</summary>
public sealed class FolderBlobStoreContractTests : BlobStoreContract, IDisposable
{
    private readonly DirectoryInfo root = Directory.CreateTempSubdirectory("blobs-");

    protected override IBlobStore Store => new FolderBlobStore(root.FullName);

    public void Dispose() => root.Delete(recursive: true);
}
