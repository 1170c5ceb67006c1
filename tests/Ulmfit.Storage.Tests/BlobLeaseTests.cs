using Ulmfit.Storage;

namespace Ulmfit.Storage.Tests;

public sealed class BlobLeaseTests : IDisposable
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(4);

    private readonly string folder = Directory.CreateTempSubdirectory("ulmfit-lease-").FullName;
    private readonly CuttableStore store;

    public BlobLeaseTests() => store = new CuttableStore(new FolderBlobStore(folder));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task TryTake_ManyAtOnce_OneHasIt()
    {
        BlobLease.Held?[] taken = await Task.WhenAll(Enumerable.Range(0, 8).Select(n => Task.Run(() => Lease(store).TryTakeAsync($"host {n}", Ct), Ct)));

        BlobLease.Held held = Assert.Single(taken, one => one is not null)!;
        Assert.Equal(1, held.Term);
        await held.DisposeAsync();
    }

    [Fact]
    public async Task TryTake_HolderLives_IsRefusedForLongerThanTheDuration()
    {
        await using BlobLease.Held held = (await Lease(store).TryTakeAsync("first", Ct))!;
        BlobLease other = Lease(store);
        long began = TimeProvider.System.GetTimestamp();

        await Eventually.TrueAsync(async () =>
        {
            Assert.Null(await other.TryTakeAsync("second", Ct));
            return TimeProvider.System.GetElapsedTime(began) > 1.25 * Duration;
        }, "the duration is over", Ct);

        Assert.Equal("first", other.Holder);
        Assert.False(held.Lost.IsCancellationRequested);
    }

    [Fact]
    public async Task TryTake_HolderGaveItBack_IsTakenAtOnce()
    {
        await (await Lease(store).TryTakeAsync("first", Ct))!.DisposeAsync();

        await using BlobLease.Held? held = await Lease(store).TryTakeAsync("second", Ct);

        Assert.Equal(2, held?.Term);
    }

    [Fact]
    public async Task TryTake_HolderIsCutOff_LosesItBeforeAnotherHasIt()
    {
        await using BlobLease.Held first = (await Lease(store).TryTakeAsync("first", Ct))!;
        BlobLease other = Lease(store.Inner);
        store.IsCutOff = true;
        BlobLease.Held? second = null;
        await Eventually.TrueAsync(async () =>
        {
            second = await other.TryTakeAsync("second", Ct);
            return second is not null;
        }, "the second has it", Ct);
        bool wasLost = first.Lost.IsCancellationRequested;
        store.IsCutOff = false;

        Assert.True(wasLost);
        Assert.Equal(2, second!.Term);
        await first.DisposeAsync();
        Assert.False(second.Lost.IsCancellationRequested);
        Assert.Null(await Lease(store.Inner).TryTakeAsync("third", Ct));
        await second.DisposeAsync();
    }

    [Fact]
    public async Task TryTake_AnswersOfTheHolderAreLost_KeepsIt()
    {
        await using BlobLease.Held held = (await Lease(store).TryTakeAsync("first", Ct))!;
        store.LosesAnswers = true;
        int before = store.LostAnswers;
        await Eventually.TrueAsync(() => Task.FromResult(store.LostAnswers > before), "an answer is lost", Ct);
        store.LosesAnswers = false;
        int writes = store.Writes;
        await Eventually.TrueAsync(() => Task.FromResult(store.Writes >= writes + 4), "it is kept up", Ct);

        Assert.False(held.Lost.IsCancellationRequested);
        Assert.Null(await Lease(store).TryTakeAsync("second", Ct));
    }

    [Fact]
    public async Task TryTake_DocumentIsDamaged_SaysWhatToDo()
    {
        await store.PutTextAsync("state", "lease.json", "{", Ct);

        IOException e = await Assert.ThrowsAsync<IOException>(() => Lease(store).TryTakeAsync("first", Ct));

        Assert.Contains("state/lease.json", e.Message, StringComparison.Ordinal);
        Assert.Contains("Delete it", e.Message, StringComparison.Ordinal);
    }

    private static BlobLease Lease(IBlobStore store) => new(store, "state", "lease.json", Duration, TimeProvider.System);

    /// <summary>A store whose line can be cut, and which can lose the answers to replacements that took effect.</summary>
    private sealed class CuttableStore(IBlobStore inner) : IBlobStore
    {
        public IBlobStore Inner => inner;

        public bool IsCutOff { get; set; }

        public bool LosesAnswers { get; set; }

        public int LostAnswers { get; private set; }

        public int Writes { get; private set; }

        public Task<BlobContent?> GetAsync(string container, string name, CancellationToken ct = default) => Check(() => inner.GetAsync(container, name, ct));

        public Task<Stream?> OpenReadAsync(string container, string name, CancellationToken ct = default) => Check(() => inner.OpenReadAsync(container, name, ct));

        public Task<BlobInfo?> GetInfoAsync(string container, string name, CancellationToken ct = default) => Check(() => inner.GetInfoAsync(container, name, ct));

        public Task<BlobInfo> PutAsync(string container, string name, Stream content, CancellationToken ct = default) => Check(() => inner.PutAsync(container, name, content, ct));

        public Task<BlobInfo?> PutIfAbsentAsync(string container, string name, Stream content, CancellationToken ct = default) => Check(() => inner.PutIfAbsentAsync(container, name, content, ct));

        public async Task<BlobInfo?> PutIfMatchAsync(string container, string name, Stream content, ETag etag, CancellationToken ct = default)
        {
            BlobInfo? written = await Check(() => inner.PutIfMatchAsync(container, name, content, etag, ct));
            Writes++;
            if (LosesAnswers)
            {
                LostAnswers++;
                throw new IOException("The answer was lost.");
            }
            return written;
        }

        public IAsyncEnumerable<BlobInfo> ListAsync(string container, string prefix = "", CancellationToken ct = default) => inner.ListAsync(container, prefix, ct);

        public Task<bool> DeleteAsync(string container, string name, CancellationToken ct = default) => Check(() => inner.DeleteAsync(container, name, ct));

        public Task<bool> DeleteIfMatchAsync(string container, string name, ETag etag, CancellationToken ct = default) => Check(() => inner.DeleteIfMatchAsync(container, name, etag, ct));

        private Task<T> Check<T>(Func<Task<T>> call) => IsCutOff ? Task.FromException<T>(new IOException("The line is cut.")) : call();
    }
}
