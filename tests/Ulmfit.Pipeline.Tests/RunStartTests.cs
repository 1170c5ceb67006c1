using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Pipeline.Tests.Support;
using Ulmfit.Storage;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Tests;

public sealed class RunStartTests : IDisposable
{
    private readonly TemporaryStore store = new();
    private readonly PipelineHarness pipeline;

    public RunStartTests() => pipeline = new PipelineHarness(store.Blobs);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        pipeline.Dispose();
        store.Dispose();
    }

    [Fact]
    public async Task FindWorkAsync_FromDropToEnd_NamesTheDatasetUntilARunAccountsForIt()
    {
        Assert.Empty(await pipeline.Start.FindWorkAsync(Ct));

        await pipeline.DropAsync("a.csv", TinyData.Csv(60));
        Assert.Equal(["tickets"], await pipeline.Start.FindWorkAsync(Ct));

        PreparedDataset prepared = await pipeline.Preparation.RunAsync("tickets", Ct);
        Assert.Equal(["tickets"], await pipeline.Start.FindWorkAsync(Ct));

        RunTicket ticket = await pipeline.Start.BeginAsync(prepared, Ct);
        Assert.Equal(["tickets"], await pipeline.Start.FindWorkAsync(Ct));

        await pipeline.Runs.FinishAsync(RunId.Parse(ticket.Run!), RunStatus.Failed, ct: Ct);
        Assert.Empty(await pipeline.Start.FindWorkAsync(Ct));
    }

    [Fact]
    public async Task BeginAsync_DropOfTheSameRows_BeginsNothing()
    {
        string run = await pipeline.BeginAsync();
        await pipeline.Runs.FinishAsync(RunId.Parse(run), RunStatus.Rejected, ct: Ct);
        await pipeline.DropAsync("again.csv", TinyData.Csv(120));

        Assert.True((await pipeline.Start.ObserveAsync("tickets", Ct)).NewDrops);
        RunTicket ticket = await pipeline.Start.BeginAsync(await pipeline.Preparation.RunAsync("tickets", Ct), Ct);

        Assert.Null(ticket.Run);
        Assert.False((await pipeline.Start.ObserveAsync("tickets", Ct)).HasWork);
    }

    [Fact]
    public async Task BeginAsync_SeveralAtOnce_BeginOneRun()
    {
        await pipeline.DropAsync("a.csv", TinyData.Csv(60));
        PreparedDataset prepared = await pipeline.Preparation.RunAsync("tickets", Ct);

        RunTicket[] tickets = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => pipeline.Start.BeginAsync(prepared, Ct), Ct)));

        Assert.All(tickets, ticket => Assert.Equal("tickets-1", ticket.Run));
    }

    [Fact]
    public async Task BeginAsync_RunTakenByRequest_IsTheOneThatBegins()
    {
        await pipeline.DropAsync("a.csv", TinyData.Csv(60));
        (RunManifest taken, _) = await pipeline.Runs.TakeAsync("tickets", RunTrigger.Request, Ct);

        RunTicket ticket = await pipeline.Start.BeginAsync(await pipeline.Preparation.RunAsync("tickets", Ct), Ct);

        Assert.Equal(taken.GetId().ToString(), ticket.Run);
        Assert.Equal([Direction.Forward, Direction.Backward], ticket.Directions);
        RunManifest begun = await pipeline.Runs.GetAsync(taken.GetId(), Ct);
        Assert.Equal(RunStatus.Running, begun.Status);
        Assert.Equal(1, begun.DatasetVersion);
    }

    [Fact]
    public async Task BeginAsync_RequestOnAUselessDataset_FailsTheRunWithTheReason()
    {
        await pipeline.DropAsync("a.csv", "text,label\n");
        (RunManifest taken, _) = await pipeline.Runs.TakeAsync("tickets", RunTrigger.Request, Ct);

        RunTicket ticket = await pipeline.Start.BeginAsync(await pipeline.Preparation.RunAsync("tickets", Ct), Ct);

        Assert.Null(ticket.Run);
        RunManifest run = await pipeline.Runs.GetAsync(taken.GetId(), Ct);
        Assert.Equal(RunStatus.Failed, run.Status);
        Assert.NotNull(run.Error);
    }

    [Fact]
    public async Task BeginAsync_RunCalledOffBeforeItBegan_IsCanceled()
    {
        await pipeline.DropAsync("a.csv", TinyData.Csv(60));
        (RunManifest taken, _) = await pipeline.Runs.TakeAsync("tickets", RunTrigger.Request, Ct);
        await pipeline.Runs.RequestCancelAsync(taken.GetId(), Ct);

        RunTicket ticket = await pipeline.Start.BeginAsync(await pipeline.Preparation.RunAsync("tickets", Ct), Ct);

        Assert.Null(ticket.Run);
        Assert.Equal(RunStatus.Canceled, (await pipeline.Runs.GetAsync(taken.GetId(), Ct)).Status);
    }

    [Fact]
    public async Task BeginAsync_SettingsChangedWhileARunGoesOn_LeavesItsSettings()
    {
        string run = await pipeline.BeginAsync();
        await pipeline.Catalog.PutSettingsAsync("tickets", PipelineHarness.Settings with { Seed = 7 }, Ct);

        RunTicket again = await pipeline.Start.BeginAsync(await pipeline.Preparation.RunAsync("tickets", Ct), Ct);

        Assert.Equal(run, again.Run);
        Assert.Equal(42UL, Steps.TrainingWorkspace.SettingsOf(await pipeline.Runs.GetAsync(RunId.Parse(run), Ct)).Seed);
    }
}
