using Ulmfit.Pipeline.Documents;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Pipeline.Tests.Support;
using Ulmfit.Storage;

namespace Ulmfit.Pipeline.Tests;

public sealed class ModelRegistryTests : IDisposable
{
    private readonly TemporaryStore store = new();
    private readonly ModelRegistry registry;

    public ModelRegistryTests() => registry = new ModelRegistry(store.Blobs, TimeProvider.System);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => store.Dispose();

    [Fact]
    public async Task ReserveVersionAsync_SameRun_GetsTheSameNumberAndOthersTheirOwn()
    {
        string[] runs = [.. Enumerable.Range(0, 24).Select(i => $"tickets-{(i % 6) + 1}")];

        int[] numbers = await Task.WhenAll(runs.Select(run => Task.Run(() => registry.ReserveVersionAsync("tickets", run, Ct), Ct)));

        Assert.Equal([1, 2, 3, 4, 5, 6], numbers.Distinct().Order());
        Assert.All(runs.Zip(numbers).GroupBy(pair => pair.First), group => Assert.Single(group.Select(pair => pair.Second).Distinct()));
    }

    [Fact]
    public async Task PublishAsync_Repeated_ChangesNothing()
    {
        ModelCard first = await TinyModels.PublishAsync(registry, "tickets", 1, "tickets-1", Ct);
        ETag tag = (await store.Blobs.GetInfoAsync(Containers.Models, "tickets/1/card.json", Ct))!.ETag;

        ModelCard again = await TinyModels.PublishAsync(registry, "tickets", 1, "tickets-1", Ct);

        Assert.Equal(first.Version, again.Version);
        Assert.Equal(tag, (await store.Blobs.GetInfoAsync(Containers.Models, "tickets/1/card.json", Ct))!.ETag);
        Assert.Equal(["tickets/1/card.json", "tickets/1/labels.json", "tickets/1/model.onnx", "tickets/1/vocabulary.json"], await store.NamesAsync(Containers.Models));
    }

    [Fact]
    public async Task ListVersionsAsync_VersionWithoutCard_IsNotThere()
    {
        await TinyModels.PublishAsync(registry, "tickets", 1, "tickets-1", Ct);
        await store.Blobs.PutTextAsync(Containers.Models, "tickets/2/model.onnx", "half a publication", Ct);

        Assert.Equal([1], (await registry.ListVersionsAsync("tickets", Ct)).Select(card => card.Version));
        Assert.Equal(["tickets"], await registry.ListModelsAsync(Ct));
    }

    [Fact]
    public async Task PromoteRunAsync_TwoPublishersAtOnce_OneWinsAndTheOtherLearnsIt()
    {
        await TinyModels.PublishAsync(registry, "tickets", 1, "tickets-1", Ct);
        await TinyModels.PublishAsync(registry, "tickets", 2, "tickets-2", Ct);

        bool[] promoted = await Task.WhenAll(
            Task.Run(() => registry.PromoteRunAsync("tickets", 1, "tickets-1", null, Ct), Ct),
            Task.Run(() => registry.PromoteRunAsync("tickets", 2, "tickets-2", null, Ct), Ct));

        Assert.Single(promoted, true);
        ChampionPointer champion = (await registry.FindChampionAsync("tickets", Ct))!.Value;
        Assert.Equal(promoted[0] ? 1 : 2, champion.Version);
        Assert.Single(champion.History);
    }

    [Fact]
    public async Task PromoteRunAsync_RepeatedAfterARollback_LeavesTheRollback()
    {
        await TinyModels.PublishAsync(registry, "tickets", 1, "tickets-1", Ct);
        await TinyModels.PublishAsync(registry, "tickets", 2, "tickets-2", Ct);
        Assert.True(await registry.PromoteRunAsync("tickets", 1, "tickets-1", null, Ct));
        Assert.True(await registry.PromoteRunAsync("tickets", 2, "tickets-2", 1, Ct));
        await registry.PromoteAsync("tickets", 1, null, Ct);

        Assert.True(await registry.PromoteRunAsync("tickets", 2, "tickets-2", 1, Ct));

        Assert.Equal(1, (await registry.FindChampionAsync("tickets", Ct))!.Value.Version);
    }

    [Fact]
    public async Task PromoteAsync_ExpectingAnotherVersionOfThePointer_IsLost()
    {
        await TinyModels.PublishAsync(registry, "tickets", 1, "tickets-1", Ct);
        await TinyModels.PublishAsync(registry, "tickets", 2, "tickets-2", Ct);
        ETag seen = (await registry.PromoteAsync("tickets", 1, null, Ct))!.Info.ETag;
        await registry.PromoteAsync("tickets", 2, seen, Ct);

        Assert.Null(await registry.PromoteAsync("tickets", 1, seen, Ct));
        Assert.Equal(2, (await registry.FindChampionAsync("tickets", Ct))!.Value.Version);
    }

    [Fact]
    public async Task PromoteAsync_UnknownVersion_IsRefused() =>
        await Assert.ThrowsAsync<PipelineException>(() => registry.PromoteAsync("tickets", 1, null, Ct));

    [Theory]
    [InlineData("tickets/champion.json")]
    [InlineData("tickets/1/card.json")]
    [InlineData("tickets/1/model.onnx")]
    [InlineData("tickets/1/labels.json")]
    [InlineData("tickets/1/vocabulary.json")]
    public async Task Read_FlippedBit_IsNoticed(string name)
    {
        await TinyModels.PublishAsync(registry, "tickets", 1, "tickets-1", Ct);
        await registry.PromoteAsync("tickets", 1, null, Ct);
        store.FlipBit(Containers.Models, name, -3);

        await Assert.ThrowsAsync<CorruptBlobException>(async () =>
        {
            ChampionPointer champion = (await registry.FindChampionAsync("tickets", Ct))!.Value;
            ModelCard card = (await registry.FindCardAsync("tickets", champion.Version, Ct))!;
            foreach (string file in card.Files.Keys)
            {
                await registry.ReadFileAsync(card, file, Ct);
            }
        });
    }
}
