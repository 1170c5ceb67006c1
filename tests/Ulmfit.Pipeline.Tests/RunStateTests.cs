using Ulmfit.Pipeline.Runs;
using Ulmfit.Pipeline.Tests.Support;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Tests;

/// <summary>A run at one moment.</summary>
public sealed class RunStateTests : IDisposable
{
    private readonly TemporaryStore store = new();
    private readonly RunRegistry runs;

    public RunStateTests() => runs = new RunRegistry(store.Blobs, TimeProvider.System);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => store.Dispose();

    [Fact]
    public async Task FindStateAsync_AfterEveryChange_HasAGreaterRevisionAndElseIsTheSameObject()
    {
        RunId id = await TakeAsync();
        RunState state = (await runs.FindStateAsync(id, known: null, Ct))!;
        Func<Task>[] changes =
        [
            () => BeginAsync(id),
            () => runs.RecordPlanAsync(id, new DirectionPlan(Direction.Forward, []), Ct),
            () => runs.ReportAsync(id, Note(Direction.Forward), Ct),
            () => runs.ReportAsync(id, Note(Direction.Backward), Ct),
            () => runs.ReportAsync(id, Note(Direction.Forward), Ct),
            () => runs.RecordEpochAsync(id, new EpochRecord(Direction.Forward, 0, "lm", 1, 2, 0.5, null, null, null, 0.1, 1), Ct),
            () => runs.FinishAsync(id, RunStatus.Completed, ct: Ct),
        ];
        foreach (Func<Task> change in changes)
        {
            Assert.Same(state, await runs.FindStateAsync(id, state, Ct));
            await change();

            RunState next = (await runs.FindStateAsync(id, state, Ct))!;

            Assert.True(next.Revision > state.Revision, $"{next.Revision} is not after {state.Revision}.");
            Assert.Equal((await runs.FindStateAsync(id, known: null, Ct))!.Revision, next.Revision);
            state = next;
        }
        Assert.Empty(state.Progress);
        Assert.Null(await runs.FindStateAsync(new RunId("none", 1), known: null, Ct));
    }

    [Fact]
    public async Task FindStateAsync_RunThatEndsWhileItIsRead_IsTheRunThatHasEnded()
    {
        RunId id = await TakeAsync();
        await BeginAsync(id);
        await runs.ReportAsync(id, Note(Direction.Forward), Ct);
        RunState before = (await runs.FindStateAsync(id, known: null, Ct))!;
        var held = new HeldStore(store.Blobs);
        held.Hold(Containers.State, StatePaths.Progress(id, Direction.Forward));
        Task<RunState?> reading = new RunRegistry(held, TimeProvider.System).FindStateAsync(id, known: null, Ct);
        await Wait.UntilAsync(() => Task.FromResult(held.Waiting == 1), "the manifest is read and the progress is not");

        await runs.FinishAsync(id, RunStatus.Failed, ct: Ct);
        held.LetGo();

        RunState read = (await reading)!;
        Assert.Equal(RunStatus.Failed, read.Run.Status);
        Assert.True(read.Revision > before.Revision);
    }

    [Fact]
    public async Task ListStatesAsync_RunsOfEveryKind_GivesThemAsTheyAreFound()
    {
        RunId ended = await TakeAsync();
        await runs.FinishAsync(ended, RunStatus.Failed, ct: Ct);
        RunId running = await TakeAsync();
        await BeginAsync(running);
        await runs.ReportAsync(running, Note(Direction.Forward), Ct);
        await runs.TakeAsync("other", RunTrigger.Request, Ct);

        List<RunState> all = await runs.ListStatesAsync(dataset: null, Ct).ToListAsync(Ct);

        Assert.Equal(["other-1", "tickets-1", "tickets-2"], all.Select(state => state.Run.GetId().ToString()));
        foreach (RunState state in all)
        {
            RunState found = (await runs.FindStateAsync(state.Run.GetId(), known: null, Ct))!;
            Assert.Equal((found.Revision, found.Run.Status), (state.Revision, state.Run.Status));
            Assert.Equal(found.Progress, state.Progress);
        }
        Assert.Single(all[2].Progress);
        Assert.Equal(2, (await runs.ListStatesAsync("tickets", Ct).ToListAsync(Ct)).Count);
    }

    [Fact]
    public async Task ReportAsync_ManyAtOnce_NumbersThemWithoutAStepBack()
    {
        RunId id = await TakeAsync();
        await BeginAsync(id);
        int last = 0;
        for (int round = 0; round < 20; round++)
        {
            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => runs.ReportAsync(id, Note(Direction.Forward), Ct), Ct)));

            int number = Assert.Single(await runs.GetProgressAsync(id, Ct)).Number;
            Assert.InRange(number, last + 1, last + 4);
            last = number;
        }
    }

    [Fact]
    public async Task RecordPlanAsync_Again_ChangesNothing()
    {
        RunId id = await TakeAsync();
        var plan = new StagePlan([new Stage("lm", StageKind.LanguageModel, 2, [false, true, true], [0.1, 0.2, 0.3]), new Stage("head", StageKind.Classifier, 1, [false, false, false, true], [0.1, 0.2, 0.3, 0.4])]);
        RunManifest first = await runs.RecordPlanAsync(id, DirectionPlan.Of(Direction.Backward, plan), Ct);

        RunManifest second = await runs.RecordPlanAsync(id, DirectionPlan.Of(Direction.Backward, new StagePlan([])), Ct);

        Assert.Equal(first.Revision, second.Revision);
        DirectionPlan noted = Assert.Single(second.Plan);
        Assert.Equal(["lstm-1:False", "lstm-2:True", "embedding:True"], noted.Stages[0].Groups.Select(group => $"{group.Name}:{group.Trained}"));
        Assert.Equal(["embedding:False", "lstm-1:False", "lstm-2:False", "head:True"], noted.Stages[1].Groups.Select(group => $"{group.Name}:{group.Trained}"));
        Assert.Equal((StageKind.Classifier, 1, 0.4), (noted.Stages[1].Kind, noted.Stages[1].Epochs, noted.Stages[1].LearningRate));
    }

    private async Task<RunId> TakeAsync() => (await runs.TakeAsync("tickets", RunTrigger.Request, Ct)).Run.GetId();

    private Task<RunManifest> BeginAsync(RunId id) => runs.UpdateAsync(id, run => run with { Status = RunStatus.Running }, Ct);

    private static RunProgress Note(Direction direction) => new(direction, "lm", 1, 2, 3, 4, 5, 0.1, 100, 0.2, 60, DateTimeOffset.UnixEpoch);
}
