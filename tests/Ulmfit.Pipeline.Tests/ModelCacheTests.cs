using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Pipeline.Serving;
using Ulmfit.Pipeline.Tests.Support;

namespace Ulmfit.Pipeline.Tests;

public sealed class ModelCacheTests : IDisposable
{
    private static readonly string[] Texts = ["row is good", "row is bad", "fine"];

    private readonly TemporaryStore store = new();
    private readonly LogCollector<ModelCache> log = new();
    private readonly ModelRegistry registry;

    public ModelCacheTests() => registry = new ModelRegistry(store.Blobs, TimeProvider.System);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => store.Dispose();

    [Fact]
    public async Task AcquireChampionAsync_ModelWithoutChampion_GivesNothing()
    {
        using ModelCache cache = Cache(TimeSpan.Zero);
        Assert.Null(await cache.AcquireChampionAsync("tickets", Ct));

        await TinyModels.PublishAsync(registry, "tickets", 1, "tickets-1", Ct);
        Assert.Null(await cache.AcquireChampionAsync("tickets", Ct));

        await registry.PromoteAsync("tickets", 1, null, Ct);
        using ModelLease? lease = await cache.AcquireChampionAsync("tickets", Ct);
        Assert.Equal(1, lease?.Card.Version);
    }

    [Fact]
    public async Task AcquireChampionAsync_AfterAPromotionElsewhere_FollowsOnceTheTimeIsUp()
    {
        var time = new ManualTime();
        using ModelCache cache = Cache(TimeSpan.FromSeconds(2), time);
        await PublishTwoAsync();
        Assert.Equal(1, await VersionAsync(cache));

        await registry.PromoteAsync("tickets", 2, null, Ct);
        Assert.Equal(1, await VersionAsync(cache));
        time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(2, await VersionAsync(cache));
    }

    [Fact]
    public async Task RefreshAsync_AfterAPromotion_TheNextRequestGetsIt()
    {
        using ModelCache cache = Cache(TimeSpan.FromDays(1));
        await PublishTwoAsync();
        Assert.Equal(1, await VersionAsync(cache));

        await registry.PromoteAsync("tickets", 2, null, Ct);
        await cache.RefreshAsync("tickets", Ct);

        Assert.Equal(2, await VersionAsync(cache));
    }

    [Fact]
    public async Task Lease_HeldOverASwap_GoesOnAnsweringAsItsVersion()
    {
        using ModelCache cache = Cache(TimeSpan.Zero);
        await PublishTwoAsync();
        using ModelLease held = (await cache.AcquireChampionAsync("tickets", Ct))!;
        float[][] before = await held.PredictAsync(Texts, Ct);

        await registry.PromoteAsync("tickets", 2, null, Ct);
        Assert.Equal(2, await VersionAsync(cache));

        Assert.Equal(before, await held.PredictAsync(Texts, Ct));
    }

    [Fact]
    public async Task AcquireVersionAsync_AnyVersion_AnswersAsThatVersion()
    {
        using ModelCache cache = Cache(TimeSpan.Zero);
        await PublishTwoAsync();

        using ModelLease? first = await cache.AcquireVersionAsync("tickets", 1, Ct);
        using ModelLease? second = await cache.AcquireVersionAsync("tickets", 2, Ct);

        Assert.Equal(1, first?.Card.Version);
        Assert.Equal(2, second?.Card.Version);
        Assert.NotEqual((await first!.PredictAsync(Texts, Ct))[0], (await second!.PredictAsync(Texts, Ct))[0]);
        Assert.Null(await cache.AcquireVersionAsync("tickets", 3, Ct));
    }

    [Fact]
    public async Task AcquireVersionAsync_MoreVersionsThanAreKept_AllAnswer()
    {
        using ModelCache cache = Cache(TimeSpan.Zero);
        for (int version = 1; version <= 6; version++)
        {
            await TinyModels.PublishAsync(registry, "tickets", (ulong)version, $"tickets-{version}", Ct);
        }
        for (int round = 0; round < 2; round++)
        {
            for (int version = 1; version <= 6; version++)
            {
                using ModelLease? lease = await cache.AcquireVersionAsync("tickets", version, Ct);
                Assert.Equal(version, lease?.Card.Version);
                Assert.Equal(2, (await lease!.PredictAsync(Texts, Ct))[0].Length);
            }
        }
    }

    [Fact]
    public async Task AcquireChampionAsync_DamagedNewChampion_TheOldOneGoesOnAnswering()
    {
        using ModelCache cache = Cache(TimeSpan.Zero);
        await PublishTwoAsync();
        Assert.Equal(1, await VersionAsync(cache));
        await registry.PromoteAsync("tickets", 2, null, Ct);
        store.FlipBit(Containers.Models, "tickets/2/model.onnx", 200);

        Assert.Equal(1, await VersionAsync(cache));
        Assert.Contains(log.Entries, entry => entry.Level == LogLevel.Error);
    }

    [Fact]
    public async Task AcquireChampionAsync_DamagedChampionAndNoOther_IsToldAndNeverServed()
    {
        using ModelCache cache = Cache(TimeSpan.Zero);
        await TinyModels.PublishAsync(registry, "tickets", 1, "tickets-1", Ct);
        await registry.PromoteAsync("tickets", 1, null, Ct);
        store.FlipBit(Containers.Models, "tickets/1/vocabulary.json", 20);

        await Assert.ThrowsAsync<CorruptBlobException>(() => cache.AcquireChampionAsync("tickets", Ct));
        await Assert.ThrowsAsync<CorruptBlobException>(() => cache.AcquireChampionAsync("tickets", Ct));
    }

    [Fact]
    public async Task AcquireChampionAsync_ManyClientsWhileChampionsSwitch_EachAnswerIsThatOfTheVersionItNames()
    {
        using ModelCache cache = Cache(TimeSpan.Zero);
        await PublishTwoAsync();
        var expected = new Dictionary<int, float[][]>();
        foreach (int version in new[] { 1, 2 })
        {
            using ModelLease lease = (await cache.AcquireVersionAsync("tickets", version, Ct))!;
            expected[version] = await lease.PredictAsync(Texts, Ct);
        }
        var seen = new ConcurrentDictionary<int, int>();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        Task[] clients = [.. Enumerable.Range(0, 8).Select(_ => Task.Run(
            async () =>
            {
                while (!over.IsCancellationRequested)
                {
                    using ModelLease lease = (await cache.AcquireChampionAsync("tickets", Ct))!;
                    Assert.Equal(expected[lease.Card.Version], await lease.PredictAsync(Texts, Ct));
                    seen.AddOrUpdate(lease.Card.Version, 1, (_, count) => count + 1);
                }
            },
            Ct))];

        try
        {
            for (int turn = 0; turn < 20; turn++)
            {
                int version = 2 - (turn % 2);
                await registry.PromoteAsync("tickets", version, null, Ct);
                int before = seen.GetValueOrDefault(version);
                await Wait.UntilAsync(() => seen.GetValueOrDefault(version) > before || clients.Any(client => client.IsFaulted), $"version {version} answers after turn {turn}");
            }
        }
        finally
        {
            await over.CancelAsync();
        }
        await Task.WhenAll(clients);

        Assert.Equal([1, 2], seen.Keys.Order());
    }

    private ModelCache Cache(TimeSpan checkEvery, TimeProvider? time = null) =>
        new(registry, new ModelCacheOptions { CheckEvery = checkEvery }, time ?? TimeProvider.System, log);

    private async Task PublishTwoAsync()
    {
        await TinyModels.PublishAsync(registry, "tickets", 1, "tickets-1", Ct);
        await TinyModels.PublishAsync(registry, "tickets", 2, "tickets-2", Ct);
        await registry.PromoteAsync("tickets", 1, null, Ct);
    }

    private static async Task<int?> VersionAsync(ModelCache cache)
    {
        using ModelLease? lease = await cache.AcquireChampionAsync("tickets", Ct);
        return lease?.Card.Version;
    }

    private sealed class ManualTime : TimeProvider
    {
        private long ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref ticks);

        public void Advance(TimeSpan by) => Interlocked.Add(ref ticks, by.Ticks);
    }
}
