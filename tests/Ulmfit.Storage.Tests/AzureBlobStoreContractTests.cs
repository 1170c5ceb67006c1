namespace Ulmfit.Storage.Tests;

/// <summary>The contract on Azure Blob Storage.</summary>
[Collection(AzuriteGroup.Name)]
public sealed class AzureBlobStoreContractTests(AzuriteFixture azurite) : BlobStoreContract
{
    protected override IBlobStore Store { get; } = new AzureBlobStore(azurite.Client());
}
