using Azure.Core;
using Azure.Storage.Blobs;

namespace Ulmfit.Storage.Tests;

/// <summary>What the Azure store does beyond the contract: lost answers, a service that refuses or is away.</summary>
[Collection(AzuriteGroup.Name)]
public sealed class AzureBlobStoreTests(AzuriteFixture azurite)
{
    private readonly string container = $"t{Guid.NewGuid():N}";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(3)]
    [InlineData(33 << 20)]
    public async Task ConditionalWrites_WhoseAnswerIsLost_AreStillWon(int size)
    {
        var loses = false;
        using var transport = new LosingTransport(request =>
        {
            var now = loses && IsWrite(request);
            loses &= !now;
            return now;
        });
        var store = new AzureBlobStore(azurite.Client(Options(transport)));
        await store.PutTextAsync(container, "other", "x", Ct);

        loses = true;
        var first = await store.PutIfAbsentAsync(container, "a", Child.Filled(1, size), Ct);
        Assert.NotNull(first);
        loses = true;
        var second = await store.PutIfMatchAsync(container, "a", Child.Filled(2, size), first.ETag, Ct);
        Assert.NotNull(second);
        loses = true;
        var third = await store.PutAsync(container, "a", Child.Filled(3, size), Ct);

        Assert.Equal(3, transport.Lost);
        var blob = await store.GetAsync(container, "a", Ct);
        Assert.Equal(third, blob!.Info);
        Assert.Equal(Child.Filled(3, size), blob.Bytes);
    }

    [Fact]
    public async Task ConditionalWrites_LostToSomebodyElseWhileTheAnswerIsLost_AreLost()
    {
        var rival = new AzureBlobStore(azurite.Client());
        using var transport = new LosingTransport(request => IsWrite(request) && rival.PutTextAsync(container, "a", "rival", Ct).Wait(TimeSpan.FromMinutes(1), Ct));
        var options = Options(transport);
        options.Retry.MaxRetries = 1;
        var store = new AzureBlobStore(azurite.Client(options));
        await rival.PutTextAsync(container, "other", "x", Ct);

        Assert.Null(await store.PutIfAbsentAsync(container, "a", "mine"u8.ToArray(), Ct));

        Assert.Equal("rival", await rival.GetTextAsync(container, "a", Ct));
    }

    [Fact]
    public async Task EveryCall_WithAServiceThatIsAway_SaysThatItCannotBeReached()
    {
        var options = Options(null);
        options.Retry.MaxRetries = 1;
        // Port 9 is reserved for discarding: nothing listens there.
        var store = new AzureBlobStore(new BlobServiceClient("AccountName=tests;AccountKey=AAAA;BlobEndpoint=http://127.0.0.1:9/tests", options));

        var error = await Assert.ThrowsAsync<IOException>(() => store.GetAsync(container, "a", Ct));
        await Assert.ThrowsAsync<IOException>(() => store.PutTextAsync(container, "a", "x", Ct));
        await Assert.ThrowsAsync<IOException>(() => store.DeleteAsync(container, "a", Ct));
        await Assert.ThrowsAsync<IOException>(() => store.GetInfoAsync(container, "a", Ct));
        await Assert.ThrowsAsync<IOException>(() => store.OpenReadAsync(container, "a", Ct));
        await Assert.ThrowsAsync<IOException>(async () => await store.ListAsync(container, ct: Ct).ToListAsync(Ct));

        Assert.Contains("cannot be reached", error.Message, StringComparison.Ordinal);
        Assert.Contains($"{container}/a", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PutAsync_WithAnotherAccountsKey_SaysThatAccessIsDenied()
    {
        var wrong = azurite.ConnectionString.Replace("AccountKey=", "AccountKey=AAAA", StringComparison.Ordinal);
        Assert.SkipWhen(azurite.SkipReason is not null, azurite.SkipReason ?? "");
        var store = new AzureBlobStore(new BlobServiceClient(wrong));

        var error = await Assert.ThrowsAsync<IOException>(() => store.PutTextAsync(container, "a", "x", Ct));

        Assert.Contains("access is denied", error.Message, StringComparison.Ordinal);
        Assert.Contains("Storage Blob Data Contributor", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_OfAConnectionString_OpensTheAccount()
    {
        Assert.SkipWhen(azurite.SkipReason is not null, azurite.SkipReason ?? "");

        await BlobStores.Open(azurite.ConnectionString, "unused").PutTextAsync(container, "a", "x", Ct);

        Assert.Equal("x", await new AzureBlobStore(azurite.Client()).GetTextAsync(container, "a", Ct));
        Assert.False(Directory.Exists("unused"));
    }

    private static bool IsWrite(Request request) =>
        request.Method == RequestMethod.Put
        && (request.Uri.Query.Contains("comp=blocklist", StringComparison.Ordinal) || !request.Uri.Query.Contains("comp=", StringComparison.Ordinal))
        && !request.Uri.Query.Contains("restype=container", StringComparison.Ordinal)
        && request.Uri.Path.EndsWith("/a", StringComparison.Ordinal);

    private static BlobClientOptions Options(LosingTransport? transport)
    {
        var options = new BlobClientOptions();
        options.Retry.Delay = TimeSpan.FromMilliseconds(1);
        options.Retry.MaxDelay = TimeSpan.FromMilliseconds(1);
        if (transport is not null)
        {
            options.Transport = transport;
        }
        return options;
    }
}
