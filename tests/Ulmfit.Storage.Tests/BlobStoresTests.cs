namespace Ulmfit.Storage.Tests;

public sealed class BlobStoresTests
{
    [Theory]
    [InlineData("folder")]
    [InlineData("Folder")]
    public async Task Open_OfFolder_OpensTheDataDirectory(string storage)
    {
        var data = Directory.CreateTempSubdirectory("blobs-");
        try
        {
            await BlobStores.Open(storage, data.FullName).PutTextAsync("state", "a", "x", TestContext.Current.CancellationToken);

            Assert.Equal("x", await File.ReadAllTextAsync(Path.Combine(data.FullName, "state", "a"), TestContext.Current.CancellationToken));
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("UseDevelopmentStorage=true")]
    [InlineData("https://account.blob.core.windows.net")]
    [InlineData("https://account.blob.core.windows.net/?sv=2024-01-01&sig=x")]
    [InlineData("http://127.0.0.1:10000/account?sv=2024-01-01&sig=x")]
    public void Open_OfAnAccount_OpensTheAzureStore(string storage) =>
        Assert.IsType<AzureBlobStore>(BlobStores.Open(storage, "unused"));

    [Theory]
    [InlineData("")]
    [InlineData("folders")]
    [InlineData("/some/where")]
    [InlineData("UseDevelopmentStorage")]
    [InlineData("Account=x")]
    [InlineData("AccountName=x;AccountKey")]
    [InlineData("http://account.blob.core.windows.net")]
    [InlineData("http://account.blob.core.windows.net?sv=2024-01-01&sig=x")]
    [InlineData("http://127.0.0.1:10000/account")]
    [InlineData("ftp://account")]
    public void Open_OfAnythingElse_ThrowsArgumentException(string storage)
    {
        var error = Assert.Throws<ArgumentException>(() => BlobStores.Open(storage, "unused"));

        Assert.Contains("storage", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OfABrokenConnectionString_DoesNotShowTheKey()
    {
        var error = Assert.Throws<ArgumentException>(() => BlobStores.Open("AccountName=x;AccountKey=c2VjcmV0;EndpointSuffix", "unused"));

        Assert.DoesNotContain("c2VjcmV0", error.ToString(), StringComparison.Ordinal);
    }
}
