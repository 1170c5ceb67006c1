using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Pretrain;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Pipeline.Steps;
using Ulmfit.Pipeline.Tests.Support;
using Ulmfit.Storage;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Tests;

/// <summary>Executions that come back when others have gone on: what they bring is of yesterday and must not take the place of what is.</summary>
public sealed class LateExecutionTests : IDisposable
{
    private readonly TemporaryStore store = new();
    private readonly LateStore blobs;
    private readonly PipelineHarness pipeline;

    public LateExecutionTests()
    {
        blobs = new LateStore(store.Blobs);
        pipeline = new PipelineHarness(blobs);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        pipeline.Dispose();
        store.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Preparation_OfEarlierDropsComesBackLate_BringsWhatThereIsNowAndMakesNoVersion(bool preparedBefore)
    {
        await pipeline.Catalog.PutSettingsAsync("tickets", PipelineHarness.Settings, Ct);
        if (preparedBefore)
        {
            await pipeline.DropAsync("0.csv", TinyData.Csv(100, 7));
            await pipeline.Preparation.RunAsync("tickets", Ct);
        }
        await pipeline.DropAsync("a.csv", TinyData.Csv(120));
        PreparedDataset? brought = null;
        LateStore.Late late = blobs.Begin(async () => brought = await pipeline.Preparation.RunAsync("tickets", Ct));
        await late.WaitsOrEnded;
        await pipeline.DropAsync("b.csv", TinyData.Csv(60, 1));
        PreparedDataset prepared = await pipeline.Preparation.RunAsync("tickets", Ct);
        DatasetManifest before = (await pipeline.Catalog.FindManifestAsync("tickets", Ct))!;

        late.LetGo();
        await late.Execution;

        int expected = preparedBefore ? 2 : 1;
        Assert.Equal(expected, prepared.Version);
        Assert.Equal(prepared, brought);
        Assert.Equal(expected, (await pipeline.Catalog.ListVersionsAsync("tickets", Ct)).Count);
        DatasetManifest after = (await pipeline.Catalog.FindManifestAsync("tickets", Ct))!;
        Assert.Equal((before.Fingerprint, before.Version), (after.Fingerprint, after.Version));
        Assert.False((await pipeline.Start.ObserveAsync("tickets", Ct)).NewDrops);
    }

    [Fact]
    public async Task Purge_RowsThatALatePreparationLeft_AreDeleted()
    {
        await pipeline.Catalog.PutSettingsAsync("tickets", PipelineHarness.Settings, Ct);
        await pipeline.DropAsync("a.csv", TinyData.Csv(120));
        LateStore.Late cutShort = blobs.Begin(() => pipeline.Preparation.RunAsync("tickets", Ct));
        await cutShort.WaitsOrEnded;
        await pipeline.DropAsync("b.csv", TinyData.Csv(60, 1));
        await pipeline.Preparation.RunAsync("tickets", Ct);
        cutShort.LetGo();
        await cutShort.Execution;
        IReadOnlyList<string> named = await NamedAsync();
        Assert.True((await PayloadsAsync()).Count > named.Count, "nothing is left behind");

        await pipeline.Purge.RunAsync("tickets", Ct);

        Assert.Equal(named, await PayloadsAsync());
    }

    [Fact]
    public async Task BeginRun_OnAPreparationOfEarlierDrops_LeavesTheRunToTheLatestOne()
    {
        await pipeline.Catalog.PutSettingsAsync("tickets", PipelineHarness.Settings, Ct);
        await pipeline.DropAsync("a.csv", TinyData.Csv(120));
        PreparedDataset earlier = await pipeline.Preparation.RunAsync("tickets", Ct);
        await pipeline.DropAsync("b.csv", TinyData.Csv(60, 1));
        PreparedDataset latest = await pipeline.Preparation.RunAsync("tickets", Ct);
        await pipeline.Runs.TakeAsync("tickets", RunTrigger.Request, Ct);

        RunTicket late = await pipeline.Start.BeginAsync(earlier, Ct);
        RunTicket now = await pipeline.Start.BeginAsync(latest, Ct);

        Assert.Null(late.Run);
        Assert.Equal("tickets-1", now.Run);
        Assert.Equal(2, (await pipeline.Runs.GetAsync(RunId.Parse("tickets-1"), Ct)).DatasetVersion);
    }

    [Fact]
    public async Task BeginRun_OnARefusalOfEarlierDrops_DoesNotFailTheRunOfToday()
    {
        PreparedDataset refused = await pipeline.Preparation.RunAsync("tickets", Ct);
        Assert.NotNull(refused.Refusal);
        await pipeline.Catalog.PutSettingsAsync("tickets", PipelineHarness.Settings, Ct);
        await pipeline.DropAsync("a.csv", TinyData.Csv(120));
        await pipeline.Preparation.RunAsync("tickets", Ct);
        await pipeline.Runs.TakeAsync("tickets", RunTrigger.Request, Ct);

        RunTicket late = await pipeline.Start.BeginAsync(refused, Ct);

        Assert.Null(late.Run);
        Assert.Equal(RunStatus.Queued, (await pipeline.Runs.GetAsync(RunId.Parse("tickets-1"), Ct)).Status);
    }

    [Fact]
    public async Task Publishing_ComesBackAfterItsRunWasCalledOff_PublishesNothing()
    {
        string run = await pipeline.BeginAsync();
        await pipeline.TrainAsync(run);
        EvaluationResult evaluated = await pipeline.Evaluation.RunAsync(run, Ct);
        PublishResult? brought = null;
        LateStore.Late late = blobs.Begin(async () => brought = await pipeline.Publishing.RunAsync(evaluated, Ct));
        await late.WaitsOrEnded;
        await pipeline.Runs.RequestCancelAsync(RunId.Parse(run), Ct);
        Assert.Equal(PublishOutcome.Canceled, (await pipeline.Publishing.RunAsync(evaluated, Ct)).Outcome);

        late.LetGo();
        await late.Execution;

        Assert.Equal(PublishOutcome.Canceled, brought!.Outcome);
        Assert.Empty(await pipeline.Registry.ListVersionsAsync("tickets", Ct));
        Assert.Null(await pipeline.Registry.FindChampionAsync("tickets", Ct));
    }

    [Fact]
    public async Task Promotion_TwoPublishersRaceForTheChampion_OneGetsItAndTheOtherIsTold()
    {
        for (int round = 0; round < 20; round++)
        {
            string model = FormattableString.Invariant($"model{round}");
            string[] runs = [$"{model}-1", $"{model}-2"];
            foreach (string run in runs)
            {
                await pipeline.Registry.ReserveVersionAsync(model, run, Ct);
            }
            bool[] won = await Task.WhenAll(runs.Select((run, index) => Task.Run(() => pipeline.Registry.PromoteRunAsync(model, index + 1, run, comparedWith: null, Ct), Ct)));

            ChampionPointer pointer = (await pipeline.Registry.FindChampionAsync(model, Ct))!.Value;
            Assert.Single(won, wins => wins);
            Assert.Equal(Array.IndexOf(won, true) + 1, pointer.Version);
            Assert.Equal(runs[Array.IndexOf(won, true)], Assert.Single(pointer.History).Run);
        }
    }

    [Fact]
    public async Task PretrainingStep_ComesBackAfterThePublication_LeavesNothing()
    {
        using var pretraining = new PretrainingHarness(blobs);
        await pretraining.OrderAsync();
        PretrainingStepInput first = (await pretraining.Step.BeginAsync(PretrainingHarness.Name, Ct)).Next!;
        LateStore.Late late = blobs.Begin(() => pretraining.Step.RunAsync(first, Ct));
        await late.WaitsOrEnded;
        await pretraining.CompleteAsync();
        string digest = await pretraining.WeightsDigestAsync();

        late.LetGo();
        await late.Execution;

        Assert.Empty(await store.NamesAsync(Containers.State, "sha256/"));
        Assert.Empty(await store.NamesAsync(Containers.State, "pretraining-progress/"));
        Assert.Equal(digest, await pretraining.WeightsDigestAsync());
    }

    [Fact]
    public async Task PretrainingFailure_FoundBeforeTheOrderWasTakenUpAgain_DoesNotEndIt()
    {
        using var pretraining = new PretrainingHarness(blobs);
        await pretraining.OrderAsync();
        DateTimeOffset found = DateTimeOffset.UtcNow;
        await pretraining.Registry.FailAsync(PretrainingHarness.Name, "the disk is full", found, Ct);
        await pretraining.TakeAsync();

        await pretraining.Registry.FailAsync(PretrainingHarness.Name, "the disk is full", found, Ct);

        Assert.Equal(RunStatus.Queued, (await pretraining.Registry.GetAsync(PretrainingHarness.Name, Ct)).Status);
        await pretraining.Registry.FailAsync(PretrainingHarness.Name, "the disk is full again", DateTimeOffset.UtcNow, Ct);
        Assert.Equal(RunStatus.Failed, (await pretraining.Registry.GetAsync(PretrainingHarness.Name, Ct)).Status);
    }

    private Task<IReadOnlyList<string>> PayloadsAsync() => store.NamesAsync(Containers.State, "sha256/tickets/data/");

    private async Task<IReadOnlyList<string>> NamedAsync() =>
    [
        .. (await pipeline.Catalog.ListVersionsAsync("tickets", Ct))
            .SelectMany(version => (string[])[version.Train.Sha256, version.HeldOut.Sha256, version.Unlabeled.Sha256])
            .Select(digest => "sha256/tickets/data/" + digest)
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal),
    ];
}
