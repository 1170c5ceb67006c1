using Ulmfit.Pipeline.Runs;
using Ulmfit.Pipeline.Tests.Support;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Tests;

/// <summary>How far a run is, and how long it will take.</summary>
public sealed class RunEstimateTests : IDisposable
{
    // Of 8 epochs: 2 of a language model, and 1 + 5 of a classifier.
    private static readonly StagePlan Plan = new(
    [
        new Stage("lm", StageKind.LanguageModel, 2, [true, true], [0.1, 0.1]),
        new Stage("head", StageKind.Classifier, 1, [false, false, true], [0.1, 0.1, 0.1]),
        new Stage("all", StageKind.Classifier, 5, [true, true, true], [0.1, 0.1, 0.1]),
    ]);

    private readonly TemporaryStore store = new();
    private readonly RunRegistry runs;

    public RunEstimateTests() => runs = new RunRegistry(store.Blobs, TimeProvider.System);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => store.Dispose();

    [Fact]
    public async Task Of_RunThatHasNotBegun_TellsNothing()
    {
        RunEstimate estimate = await EstimateAsync(await TakeAsync());

        Assert.Equal((null, null, null, null), (estimate.Done, estimate.RemainingSeconds, estimate.End, estimate.Latest));
    }

    [Fact]
    public async Task Of_EpochsThatEndedBeforeAnythingWasTold_CountsThem()
    {
        RunId id = await TakeAsync();
        await BeginAsync(id, Direction.Forward);
        await BeginAsync(id, Direction.Backward);
        RunEstimate begun = await EstimateAsync(id);
        await EndAsync(id, Direction.Forward, stage: 0, epoch: 1, seconds: 0.25);
        await EndAsync(id, Direction.Forward, stage: 0, epoch: 2, seconds: 0.75);
        RunEstimate tuned = await EstimateAsync(id);
        await EndAsync(id, Direction.Forward, stage: 1, epoch: 1, seconds: 3);
        RunEstimate headed = await EstimateAsync(id);
        await EndAsync(id, Direction.Backward, stage: 0, epoch: 1, seconds: 10);
        RunEstimate both = await EstimateAsync(id);

        Assert.Equal((0, null), (begun.Done!.Value, begun.RemainingSeconds));
        Assert.Equal((2 / 8.0 / 2, 6 * 0.5), (tuned.Done!.Value, tuned.RemainingSeconds!.Value));
        Assert.Equal((3 / 8.0 / 2, 5 * 3.0), (headed.Done!.Value, headed.RemainingSeconds!.Value));
        Assert.Equal(((3 / 8.0 + 1 / 8.0) / 2, 7 * 10.0), (both.Done!.Value, both.RemainingSeconds!.Value));
        Assert.Equal((await runs.GetAsync(id, Ct)).UpdatedAt.AddSeconds(70), both.End);
        Assert.Null(both.Latest);
    }

    [Fact]
    public async Task Of_NoteOfAnEpochThatGoesOn_TellsWhatItSays()
    {
        RunId id = await TakeAsync();
        await BeginAsync(id, Direction.Forward);
        await EndAsync(id, Direction.Forward, stage: 0, epoch: 1, seconds: 5);
        await NoteAsync(id, done: 1.5 / 8, remainingSeconds: 42);

        RunEstimate estimate = await EstimateAsync(id);

        Assert.Equal((1.5 / 8, 42), (estimate.Done!.Value, estimate.RemainingSeconds!.Value));
        Assert.Equal(DateTimeOffset.UnixEpoch.AddSeconds(42), estimate.End);
        Assert.Equal("lm", estimate.Latest!.Stage);
    }

    [Fact]
    public async Task Of_NoteOfAnEpochThatHasEnded_GoesByTheEpoch()
    {
        RunId id = await TakeAsync();
        await BeginAsync(id, Direction.Forward);
        await NoteAsync(id, done: 0.5 / 8, remainingSeconds: 42);
        await EndAsync(id, Direction.Forward, stage: 0, epoch: 1, seconds: 5);

        RunEstimate estimate = await EstimateAsync(id);

        Assert.Equal((1 / 8.0, 7 * 5.0, null), (estimate.Done!.Value, estimate.RemainingSeconds!.Value, estimate.Latest));
    }

    [Theory]
    [InlineData(RunStatus.Failed)]
    [InlineData(RunStatus.Canceled)]
    public async Task Of_RunThatHasEnded_TellsHowFarItCameAndNoEnd(RunStatus status)
    {
        RunId id = await TakeAsync();
        await BeginAsync(id, Direction.Forward);
        await EndAsync(id, Direction.Forward, stage: 0, epoch: 2, seconds: 5);
        await runs.FinishAsync(id, status, ct: Ct);

        RunEstimate estimate = await EstimateAsync(id);

        Assert.Equal((2 / 8.0, null, null), (estimate.Done!.Value, estimate.RemainingSeconds, estimate.End));
    }

    private async Task<RunId> TakeAsync() => (await runs.TakeAsync("tickets", RunTrigger.Request, Ct)).Run.GetId();

    private async Task BeginAsync(RunId id, Direction direction)
    {
        await runs.UpdateAsync(id, run => run with { Status = RunStatus.Running }, Ct);
        await runs.RecordPlanAsync(id, DirectionPlan.Of(direction, Plan), Ct);
    }

    private Task<RunManifest> EndAsync(RunId id, Direction direction, int stage, int epoch, double seconds) =>
        runs.RecordEpochAsync(id, new EpochRecord(direction, stage, Plan.Stages[stage].Name, epoch, Plan.Stages[stage].Epochs, 0.5, null, null, null, 0.1, seconds), Ct);

    private Task NoteAsync(RunId id, double done, double remainingSeconds) =>
        runs.ReportAsync(id, new RunProgress(Direction.Forward, "lm", 2, 2, 3, 6, 0.5, 0.1, 100, done, remainingSeconds, DateTimeOffset.UnixEpoch), Ct);

    private async Task<RunEstimate> EstimateAsync(RunId id) => RunEstimate.Of((await runs.FindStateAsync(id, known: null, Ct))!);
}
