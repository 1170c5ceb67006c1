using Ulmfit.Pipeline.Runs;
using Ulmfit.Pipeline.Tests.Support;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Tests;

public sealed class RunRegistryTests : IDisposable
{
    private readonly TemporaryStore store = new();
    private readonly RunRegistry runs;

    public RunRegistryTests() => runs = new RunRegistry(store.Blobs, TimeProvider.System);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => store.Dispose();

    [Fact]
    public async Task TakeAsync_ManyAtOnce_OneTakesTheRunAndAllNameIt()
    {
        (RunManifest Run, bool Taken)[] all = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => runs.TakeAsync("tickets", RunTrigger.Request, Ct), Ct)));

        Assert.Single(all, taken => taken.Taken);
        Assert.All(all, taken => Assert.Equal("tickets-1", taken.Run.GetId().ToString()));
    }

    [Fact]
    public async Task TakeAsync_AfterTheLastHasEnded_TakesTheNextNumber()
    {
        (RunManifest first, _) = await runs.TakeAsync("tickets", RunTrigger.Drops, Ct);
        await runs.FinishAsync(first.GetId(), RunStatus.Failed, run => run with { Error = "why" }, Ct);

        (RunManifest second, bool taken) = await runs.TakeAsync("tickets", RunTrigger.Drops, Ct);

        Assert.True(taken);
        Assert.Equal(2, second.Number);
        Assert.Equal("why", (await runs.GetAsync(first.GetId(), Ct)).Error);
    }

    [Fact]
    public async Task TakeAsync_DatasetsWhoseNamesBeginAlike_AreApart()
    {
        await runs.TakeAsync("a", RunTrigger.Drops, Ct);
        (RunManifest other, bool taken) = await runs.TakeAsync("a-b", RunTrigger.Drops, Ct);

        Assert.True(taken);
        Assert.Equal(1, other.Number);
        Assert.Equal(["a-1", "a-b-1"], (await ListAsync(null)).Order(StringComparer.Ordinal));
        Assert.Equal(["a-1"], await ListAsync("a"));
    }

    [Fact]
    public async Task UpdateAsync_RunThatHasEnded_StaysAsItIs()
    {
        (RunManifest run, _) = await runs.TakeAsync("tickets", RunTrigger.Drops, Ct);
        await runs.FinishAsync(run.GetId(), RunStatus.Canceled, ct: Ct);

        await runs.UpdateAsync(run.GetId(), r => r with { Status = RunStatus.Running }, Ct);
        await runs.FinishAsync(run.GetId(), RunStatus.Completed, ct: Ct);

        Assert.Equal(RunStatus.Canceled, (await runs.GetAsync(run.GetId(), Ct)).Status);
    }

    [Fact]
    public async Task RecordEpochAsync_ManyWritersAndRepeats_KeepsEachEpochOnce()
    {
        (RunManifest run, _) = await runs.TakeAsync("tickets", RunTrigger.Drops, Ct);
        EpochRecord[] epochs =
        [
            .. from direction in Enum.GetValues<Direction>()
               from epoch in Enumerable.Range(1, 5)
               select new EpochRecord(direction, 0, "lm", epoch, 5, 1, null, null, null, 0.1, 1),
        ];

        await Task.WhenAll(epochs.Concat(epochs).Select(epoch => Task.Run(() => runs.RecordEpochAsync(run.GetId(), epoch, Ct), Ct)));

        RunManifest recorded = await runs.GetAsync(run.GetId(), Ct);
        Assert.Equal(10, recorded.History.Count);
        Assert.Equal(10, recorded.History.DistinctBy(e => (e.Direction, e.Epoch)).Count());
    }

    [Fact]
    public async Task FinishAsync_RunWithProgress_ClearsIt()
    {
        (RunManifest run, _) = await runs.TakeAsync("tickets", RunTrigger.Drops, Ct);
        await runs.ReportAsync(run.GetId(), new RunProgress(Direction.Forward, "lm", 1, 2, 3, 4, 5, 0.1, 100, 0.2, 60, DateTimeOffset.UnixEpoch), Ct);
        Assert.Single(await runs.GetProgressAsync(run.GetId(), Ct));

        await runs.FinishAsync(run.GetId(), RunStatus.Completed, ct: Ct);

        Assert.Empty(await runs.GetProgressAsync(run.GetId(), Ct));
    }

    [Fact]
    public async Task IsCancelRequestedAsync_OnlyAfterTheMarker()
    {
        (RunManifest run, _) = await runs.TakeAsync("tickets", RunTrigger.Drops, Ct);
        Assert.False(await runs.IsCancelRequestedAsync(run.GetId(), Ct));

        await runs.RequestCancelAsync(run.GetId(), Ct);
        await runs.RequestCancelAsync(run.GetId(), Ct);

        Assert.True(await runs.IsCancelRequestedAsync(run.GetId(), Ct));
    }

    private async Task<IReadOnlyList<string>> ListAsync(string? dataset)
    {
        var ids = new List<string>();
        await foreach (RunManifest run in runs.ListAsync(dataset, Ct))
        {
            ids.Add(run.GetId().ToString());
        }
        return ids;
    }
}
