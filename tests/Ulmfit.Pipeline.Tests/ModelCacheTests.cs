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

        await FollowsAsync(cache, 2);
    }

    [Fact]
    public async Task AcquireChampionAsync_WhileTheNewChampionLoads_IsAnsweredByTheOldOneAtOnce()
    {
        var held = new HeldStore(store.Blobs);
        using var cache = new ModelCache(new ModelRegistry(held, TimeProvider.System), new ModelCacheOptions { CheckEvery = TimeSpan.Zero }, TimeProvider.System, log);
        await PublishTwoAsync();
        Assert.Equal(1, await VersionAsync(cache));
        held.Hold(Containers.Models, "tickets/2/model.onnx");
        await registry.PromoteAsync("tickets", 2, null, Ct);
        await Wait.UntilAsync(
            async () =>
            {
                Assert.Equal(1, await VersionAsync(cache));
                return held.Waiting == 1;
            },
            "the new champion is being loaded");

        for (int request = 0; request < 100; request++)
        {
            Assert.Equal(1, await VersionAsync(cache));
        }
        Assert.Equal(1, held.Waiting);
        held.LetGo();

        await FollowsAsync(cache, 2);
    }

    [Fact]
    public async Task AcquireChampionAsync_NewChampionThatGivesNoNumbers_NeverBecomesTheOneThatAnswers()
    {
        using ModelCache cache = Cache(TimeSpan.Zero);
        await TinyModels.PublishAsync(registry, "tickets", 1, "tickets-1", Ct);
        await TinyModels.PublishAsync(registry, "tickets", 2, "tickets-2", givesNumbers: false, Ct);
        await registry.PromoteAsync("tickets", 1, null, Ct);
        Assert.Equal(1, await VersionAsync(cache));

        await registry.PromoteAsync("tickets", 2, null, Ct);
        await Wait.UntilAsync(
            async () =>
            {
                Assert.Equal(1, await VersionAsync(cache));
                return log.Entries.Any(entry => entry.Level == LogLevel.Error);
            },
            "the new champion is refused");

        Assert.Equal(1, await VersionAsync(cache));
        CorruptBlobException told = await Assert.ThrowsAsync<CorruptBlobException>(() => cache.AcquireVersionAsync("tickets", 2, Ct));
        Assert.Contains("tickets/2/model.onnx", told.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PreloadAsync_SeveralChampions_LoadsThemWithoutARequest()
    {
        using ModelCache cache = Cache(TimeSpan.FromDays(1));
        await PublishTwoAsync();
        await TinyModels.PublishAsync(registry, "other", 3, "other-1", Ct);
        await registry.PromoteAsync("other", 1, null, Ct);
        await TinyModels.PublishAsync(registry, "unpromoted", 4, "unpromoted-1", Ct);

        await cache.PreloadAsync(Ct);

        // What is not read any more cannot be missed.
        Directory.Delete(Path.Combine(store.Folder, Containers.Models), recursive: true);
        Assert.Equal(1, await VersionAsync(cache));
        using ModelLease? other = await cache.AcquireChampionAsync("other", Ct);
        Assert.Equal(1, other?.Card.Version);
        Assert.Null(await cache.AcquireChampionAsync("unpromoted", Ct));
    }

    [Fact]
    public async Task PreloadAsync_OneDamagedChampion_LoadsTheOthersAndTellsOfIt()
    {
        using ModelCache cache = Cache(TimeSpan.FromDays(1));
        await PublishTwoAsync();
        await TinyModels.PublishAsync(registry, "broken", 3, "broken-1", Ct);
        await registry.PromoteAsync("broken", 1, null, Ct);
        store.FlipBit(Containers.Models, "broken/1/model.onnx", 200);
        await TinyModels.PublishAsync(registry, "lost", 3, "lost-1", Ct);
        await registry.PromoteAsync("lost", 1, null, Ct);
        store.FlipBit(Containers.Models, "lost/champion.json", 20);

        await cache.PreloadAsync(Ct);

        Assert.Equal(2, log.Entries.Count(entry => entry.Level == LogLevel.Error));
        Directory.Delete(Path.Combine(store.Folder, Containers.Models, "tickets"), recursive: true);
        Assert.Equal(1, await VersionAsync(cache));
        await Assert.ThrowsAsync<CorruptBlobException>(() => cache.AcquireChampionAsync("broken", Ct));
    }

    [Fact]
    public async Task PreloadAsync_MoreChampionsThanAreKept_LoadsThosePromotedLast()
    {
        string[] models = ["c", "a", "b"];
        foreach (string model in models)
        {
            await TinyModels.PublishAsync(registry, model, 1, $"{model}-1", Ct);
            await registry.PromoteAsync(model, 1, null, Ct);
        }
        using var cache = new ModelCache(registry, new ModelCacheOptions { CheckEvery = TimeSpan.FromDays(1), Champions = 2 }, TimeProvider.System, log);

        await cache.PreloadAsync(Ct);

        Directory.Delete(Path.Combine(store.Folder, Containers.Models), recursive: true);
        Assert.Null(await cache.AcquireChampionAsync("c", Ct));
        using ModelLease? a = await cache.AcquireChampionAsync("a", Ct);
        using ModelLease? b = await cache.AcquireChampionAsync("b", Ct);
        Assert.NotNull(a);
        Assert.NotNull(b);
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
        await FollowsAsync(cache, 2);

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

        await Wait.UntilAsync(
            async () =>
            {
                Assert.Equal(1, await VersionAsync(cache));
                return log.Entries.Any(entry => entry.Level == LogLevel.Error);
            },
            "the damage is told");
        Assert.Equal(1, await VersionAsync(cache));
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

    [Theory]
    [InlineData(ModelFiles.Model, 0)]
    [InlineData(ModelFiles.Model, 2000)]
    [InlineData(ModelFiles.Model, -1)]
    [InlineData(ModelFiles.Int8Model, 0)]
    [InlineData(ModelFiles.Int8Model, 2000)]
    [InlineData(ModelFiles.Int8Model, -1)]
    public async Task AcquireChampionAsync_DamagedOnnxFile_IsRefusedByItsDigest(string serves, int position)
    {
        using ModelCache cache = Cache(TimeSpan.Zero);
        await TinyModels.PublishAsync(registry, "tickets", 1, "tickets-1", Ct, serves);
        await registry.PromoteAsync("tickets", 1, null, Ct);
        store.FlipBit(Containers.Models, $"tickets/1/{serves}", position);

        // Whoever had looked into the file before would say of some of these that it is no model, and of others nothing.
        CorruptBlobException told = await Assert.ThrowsAsync<CorruptBlobException>(() => cache.AcquireChampionAsync("tickets", Ct));

        Assert.Contains("its content has the SHA-256", told.Message, StringComparison.Ordinal);
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

    private static Task FollowsAsync(ModelCache cache, int version) => Wait.UntilAsync(async () => await VersionAsync(cache) == version, $"version {version} answers");

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
