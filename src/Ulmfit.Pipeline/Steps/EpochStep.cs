using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Ulmfit.Diagnostics;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Storage;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Steps;

/// <summary>
/// Trains one epoch of one direction, or a slice of it, from checkpoint to checkpoint. May be executed any number of times, at once or
/// one after another: what has been done is returned, a worker that comes back late throws its own result away.
/// </summary>
/// <remarks>
/// A checkpoint that is damaged or gone is never trained from. The step that made it is forgotten, and the result sends the caller back
/// there: training it again gives the same bytes.
/// </remarks>
public sealed partial class EpochStep
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly TrainingWorkspace workspace;
    private readonly RunRegistry runs;
    private readonly DocumentStore documents;
    private readonly PayloadStore payloads;
    private readonly RunWaits waits;
    private readonly TimeProvider time;
    private readonly ILogger logger;

    /// <summary>Makes the step.</summary>
    /// <param name="store">Where checkpoints and manifests go.</param>
    /// <param name="workspace">Brings the training together.</param>
    /// <param name="runs">The runs.</param>
    /// <param name="waits">Is told when a checkpoint cannot be written.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where stages, epochs and losses are told.</param>
    public EpochStep(IBlobStore store, TrainingWorkspace workspace, RunRegistry runs, RunWaits waits, TimeProvider time, ILogger<EpochStep> logger)
    {
        documents = new DocumentStore(store);
        payloads = new PayloadStore(store);
        this.workspace = workspace;
        this.runs = runs;
        this.waits = waits;
        this.time = time;
        this.logger = logger;
    }

    /// <summary>Trains, unless it has been done.</summary>
    /// <param name="input">What to train.</param>
    /// <param name="ct">Stops the training; nothing of the step remains then.</param>
    /// <exception cref="PipelineException">Something that the step needs is missing or damaged.</exception>
    /// <exception cref="TrainingDivergedException">The loss is no longer finite.</exception>
    public async Task<EpochStepResult> RunAsync(EpochStepInput input, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        RunId id = RunId.Parse(input.Run);
        string name = NameOf(id, input.Direction, input.From);
        if (await FindAsync(name, ct).ConfigureAwait(false) is { } done)
        {
            return await RecordAsync(id, done, ct).ConfigureAwait(false);
        }
        RunManifest run = await runs.GetAsync(id, ct).ConfigureAwait(false);
        if (await IsOverAsync(id, ct).ConfigureAwait(false))
        {
            return Canceled(input);
        }

        using Activity? span = UlmfitTraces.StartEpoch(input.Run, input.Direction, input.From.Stage, input.From.Epoch);
        DirectionTraining training = await workspace.OpenAsync(run, input.Direction, ct).ConfigureAwait(false);
        if (run.Plan.All(noted => noted.Direction != input.Direction))
        {
            run = await runs.RecordPlanAsync(id, DirectionPlan.Of(input.Direction, training.Plan), ct).ConfigureAwait(false);
        }
        TrainingEpoch opened;
        try
        {
            opened = await OpenEpochAsync(id, input, training, ct).ConfigureAwait(false);
        }
        catch (CorruptBlobException e) when (input.Checkpoint is { } damaged)
        {
            LogStepLost(e, input.Run, input.Direction);
            return await GoBackAsync(id, input.Direction, input.From, damaged, ct).ConfigureAwait(false);
        }
        using TrainingEpoch epoch = opened;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var watch = new Watch(this, run, input, training, stop);
        Checkpoint to;
        long started = time.GetTimestamp();
        TrainingPhase phase = MeteredProgress.PhaseOf(training.Plan.Stages[input.From.Stage].Kind);
        var metered = new MeteredProgress(id.Dataset, input.Direction, phase, input.From.Step);
        Task pump = watch.RunAsync();
        try
        {
            to = await Task.Factory.StartNew(
                () => epoch.Run(metered.Then(watch), stop.Token), stop.Token, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (watch.IsOver && !ct.IsCancellationRequested)
        {
            return Canceled(input);
        }
        finally
        {
            await watch.EndAsync(pump).ConfigureAwait(false);
        }
        double seconds = time.GetElapsedTime(started).TotalSeconds;

        if (await KeepAsync(id, name, input, to, seconds, ct).ConfigureAwait(false) is not { } manifest)
        {
            return Canceled(input);
        }
        if (manifest.Epoch is { } ended)
        {
            TrainingMeter.RecordEpoch(id.Dataset, input.Direction, phase, ended.TrainLoss, ended.HeldOutLoss, TimeSpan.FromSeconds(ended.Seconds));
            LogEpoch(
                input.Run, input.Direction, ended.Stage, ended.Epoch, ended.Epochs, ended.TrainLoss, HeldOutText(ended), ended.LearningRate,
                ended.Seconds, watch.TokensPerSecond, watch.RemainingText);
        }
        return await RecordAsync(id, manifest, ct).ConfigureAwait(false);
    }

    // Writes what a step came to; null when the run has ended meanwhile. What took long to train is not thrown away because the disk is
    // full for some minutes: for as long as the training took, writing is tried again here, before the step is given up and repeated.
    private async Task<StepManifest?> KeepAsync(RunId id, string name, EpochStepInput input, Checkpoint to, double seconds, CancellationToken ct)
    {
        string waiting = $"{nameof(KeepAsync)} {input.Direction}";
        long trained = time.GetTimestamp();
        TimeSpan pause = FirstPause;
        try
        {
            while (true)
            {
                try
                {
                    return await waits.WatchAsync(id.Dataset, waiting, () => TryKeepAsync(id, name, input, to, seconds, again: pause != FirstPause, ct)).ConfigureAwait(false);
                }
                catch (Exception e) when (StorageFailures.Of(e) is not null && time.GetElapsedTime(trained).TotalSeconds + pause.TotalSeconds < seconds)
                {
                    LogNotKept(e, input.Run, input.Direction, pause);
                }
                await Task.Delay(pause, time, ct).ConfigureAwait(false);
                pause = 2 * pause < LongestPause ? 2 * pause : LongestPause;
            }
        }
        finally
        {
            waits.Clear(id.Dataset, waiting);
        }
    }

    private async Task<StepManifest?> TryKeepAsync(RunId id, string name, EpochStepInput input, Checkpoint to, double seconds, bool again, CancellationToken ct)
    {
        // Whoever comes back after the run has ended would leave a payload that nobody collects.
        if (again ? await IsOverAsync(id, ct).ConfigureAwait(false) : (await runs.GetAsync(id, ct).ConfigureAwait(false)).Status.IsFinal())
        {
            return null;
        }
        string digest = await payloads.PutAsync(StatePaths.Payloads(id), to.Write, ct).ConfigureAwait(false);
        var manifest = new StepManifest(
            input.Run, input.Direction, input.From, input.Checkpoint, to.Position, to.Finished, digest,
            to.LastEpoch is { } metrics ? Record(input, metrics) : null,
            workspace.Engine.Name)
        {
            Metrics = to.LastEpoch,
            Seconds = seconds,
        };
        return await documents.CreateAsync(Containers.State, name, manifest, ct).ConfigureAwait(false) is not null
            ? manifest
            : await FindAsync(name, ct).ConfigureAwait(false) ?? throw new IOException($"{Containers.State}/{name} was there and is gone.");
    }

    /// <summary>
    /// The manifests of a direction's steps, first to last; null when the direction is not finished. They are followed from one to the
    /// next and not listed: a listing may be behind.
    /// </summary>
    internal async Task<IReadOnlyList<StepManifest>?> FindAllAsync(RunId run, Direction direction, CancellationToken ct)
    {
        var steps = new List<StepManifest>();
        while (await FindAsync(NameOf(run, direction, steps is [.., var last] ? last.Next : default), ct).ConfigureAwait(false) is { } step)
        {
            steps.Add(step);
            if (step.Finished)
            {
                return steps;
            }
        }
        return null;
    }

    /// <summary>Forgets the last step of a direction, whose checkpoint is damaged, so that it is trained again.</summary>
    internal async Task SetAsideAsync(RunId run, Direction direction, StepManifest last, CorruptBlobException damage, CancellationToken ct)
    {
        LogStepLost(damage, run.ToString(), direction);
        await GoBackAsync(run, direction, last.Next, last.Checkpoint, ct).ConfigureAwait(false);
    }

    internal async Task<Checkpoint> ReadCheckpointAsync(RunId run, string digest, CancellationToken ct)
    {
        await using Stream content = await payloads.OpenAsync(StatePaths.Payloads(run), digest, ct).ConfigureAwait(false);
        return Checkpoint.Read(content);
    }

    // In a frame of its own: the checkpoint is as large as the network, and nothing here holds it while the epoch is trained.
    private async Task<TrainingEpoch> OpenEpochAsync(RunId run, EpochStepInput input, DirectionTraining training, CancellationToken ct)
    {
        Checkpoint from = await ReadCheckpointAsync(run, input, training, ct).ConfigureAwait(false);
        return from.Finished
            ? throw new PipelineException($"The step {NameOf(run, input.Direction, input.From)} has nothing to train: its checkpoint is the last of the plan.")
            : training.Open(from);
    }

    private async Task<Checkpoint> ReadCheckpointAsync(RunId run, EpochStepInput input, DirectionTraining training, CancellationToken ct)
    {
        if (input.Checkpoint is null)
        {
            return training.Start();
        }
        Checkpoint checkpoint = await ReadCheckpointAsync(run, input.Checkpoint, ct).ConfigureAwait(false);
        return checkpoint.Position == input.From
            ? checkpoint
            : throw new PipelineException($"The checkpoint {input.Checkpoint} of run '{input.Run}' is at {checkpoint.Position}, but the step begins at {input.From}.");
    }

    // Back to the step that made a damaged checkpoint; farther, where a manifest on the way there is damaged or gone too.
    private async Task<EpochStepResult> GoBackAsync(RunId run, Direction direction, TrainingPosition at, string damaged, CancellationToken ct)
    {
        TrainingPosition from = default;
        string? checkpoint = null;
        while (await FindAsync(NameOf(run, direction, from), ct).ConfigureAwait(false) is { } step)
        {
            if (step.Next == at)
            {
                if (step.Checkpoint == damaged && !await payloads.IsIntactAsync(StatePaths.Payloads(run), damaged, ct).ConfigureAwait(false))
                {
                    // The manifest first: as long as it is there, nobody trains the step again.
                    await documents.Blobs.DeleteAsync(Containers.State, NameOf(run, direction, from), ct).ConfigureAwait(false);
                    await payloads.DeleteDamagedAsync(StatePaths.Payloads(run), damaged, ct).ConfigureAwait(false);
                    break;
                }

                // Another execution has been here, and the step is trained again.
                return new EpochStepResult(false, false, step.Next, step.Checkpoint, null, null);
            }
            from = step.Next;
            checkpoint = step.Checkpoint;
        }
        return new EpochStepResult(false, false, from, checkpoint, null, null);
    }

    private async Task<StepManifest?> FindAsync(string name, CancellationToken ct) =>
        (await documents.ReadOrDiscardAsync<StepManifest>(Containers.State, name, LogManifestLost, ct).ConfigureAwait(false))?.Value;

    private async Task<EpochStepResult> RecordAsync(RunId id, StepManifest step, CancellationToken ct)
    {
        if (step.Epoch is not null)
        {
            await runs.RecordEpochAsync(id, step.Epoch, ct).ConfigureAwait(false);
        }
        return new EpochStepResult(false, step.Finished, step.Next, step.Checkpoint, step.Epoch?.HeldOutLoss, step.Epoch?.Accuracy);
    }

    private async Task<bool> IsOverAsync(RunId run, CancellationToken ct) =>
        await runs.IsCancelRequestedAsync(run, ct).ConfigureAwait(false) || (await runs.GetAsync(run, ct).ConfigureAwait(false)).Status.IsFinal();

    private static EpochStepResult Canceled(EpochStepInput input) => new(true, false, input.From, null, null, null);

    private static EpochRecord Record(EpochStepInput input, EpochMetrics epoch) => new(
        input.Direction, input.From.Stage, epoch.Stage, epoch.Epoch, epoch.Epochs, epoch.TrainLoss, epoch.HeldOutLoss, epoch.Accuracy,
        epoch.Perplexity, epoch.LearningRate, epoch.Seconds);

    private static string NameOf(RunId run, Direction direction, TrainingPosition from) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{StatePaths.StepsOf(run, direction)}{from.Stage:D2}-{from.Epoch:D4}-{from.Step:D8}.json");

    private static string HeldOutText(EpochRecord epoch)
    {
        FormattableString text = epoch switch
        {
            { HeldOutLoss: null } => $"none",
            { Accuracy: { } accuracy } => $"loss {epoch.HeldOutLoss:0.000}, accuracy {accuracy:0.000}",
            { Perplexity: { } perplexity } => $"loss {epoch.HeldOutLoss:0.000}, perplexity {perplexity:0.0}",
            _ => $"loss {epoch.HeldOutLoss:0.000}",
        };
        return FormattableString.Invariant(text);
    }

    [LoggerMessage(10, LogLevel.Information, "{Run} {Direction}: stage {Stage}, epoch {Epoch}/{Epochs}: training loss {Loss:0.000}; held out: {HeldOut}; learning rate {LearningRate:0.######}; {Seconds:0.0} s, {TokensPerSecond:0} tokens/s; {Remaining}")]
    private partial void LogEpoch(
        string run, Direction direction, string stage, int epoch, int epochs, double loss, string heldOut, double learningRate, double seconds,
        double tokensPerSecond, string remaining);

    [LoggerMessage(11, LogLevel.Information, "{Run} {Direction}: stage {Stage}, epoch {Epoch}/{Epochs}, step {Step}/{Steps}: loss {Loss:0.000}, learning rate {LearningRate:0.######}, {TokensPerSecond:0} tokens/s; {Remaining}")]
    private partial void LogStep(
        string run, Direction direction, string stage, int epoch, int epochs, int step, int steps, double loss, double learningRate,
        double tokensPerSecond, string remaining);

    [LoggerMessage(12, LogLevel.Warning, "{Run} {Direction}: progress cannot be written; training goes on.")]
    private partial void LogProgressLost(Exception exception, string run, Direction direction);

    [LoggerMessage(13, LogLevel.Error, "{Run} {Direction}: a checkpoint is damaged; the step that made it is trained again.")]
    private partial void LogStepLost(Exception exception, string run, Direction direction);

    [LoggerMessage(15, LogLevel.Warning, "{Run} {Direction}: the checkpoint cannot be written; it is tried again in {Pause:c}.")]
    private partial void LogNotKept(Exception exception, string run, Direction direction, TimeSpan pause);

    [LoggerMessage(14, LogLevel.Error, "The manifest of a step is damaged; the step is trained again.")]
    private partial void LogManifestLost(Exception exception);

    /// <summary>Beside the training: tells people where it is, and stops it when the run is called off.</summary>
    private sealed class Watch(EpochStep step, RunManifest run, EpochStepInput input, DirectionTraining training, CancellationTokenSource stop)
        : StepWatch<TrainingProgress>(step.time, stop)
    {
        private readonly DirectionPlan plan = DirectionPlan.Of(input.Direction, training.Plan);
        private readonly long started = step.time.GetTimestamp();

        public double TokensPerSecond => Latest?.TokensPerSecond ?? 0;

        public string RemainingText => Latest is { } progress && RemainingSeconds(progress) is { } seconds
            ? FormattableString.Invariant($"about {TimeSpan.FromSeconds(Math.Ceiling(seconds)):c} to go")
            : "time to go unknown yet";

        protected override Task<bool> IsOverAsync(CancellationToken ct) => step.IsOverAsync(run.GetId(), ct);

        protected override async Task<bool> NoteAsync(bool log, CancellationToken ct)
        {
            if (Latest is not { } progress)
            {
                return false;
            }
            await step.runs.ReportAsync(run.GetId(), Describe(progress), ct).ConfigureAwait(false);
            if (log)
            {
                step.LogStep(
                    input.Run, input.Direction, progress.Stage, progress.Epoch, progress.Epochs, progress.Step, progress.Steps,
                    progress.Loss, progress.LearningRate, progress.TokensPerSecond, RemainingText);
            }
            return true;
        }

        protected override void OnLost(Exception exception) => step.LogProgressLost(exception, input.Run, input.Direction);

        private RunProgress Describe(TrainingProgress progress)
        {
            double done = plan.DoneAt(input.From.Stage, progress.Epoch - 1 + ((double)progress.Step / progress.Steps));
            return new RunProgress(
                input.Direction, progress.Stage, progress.Epoch, progress.Epochs, progress.Step, progress.Steps, progress.Loss, progress.LearningRate,
                progress.TokensPerSecond, done, RemainingSeconds(progress), step.time.GetUtcNow());
        }

        private double? RemainingSeconds(TrainingProgress progress)
        {
            int stepsHere = progress.Step - input.From.Step;
            if (stepsHere <= 0)
            {
                return null;
            }
            double ofThis = step.time.GetElapsedTime(started).TotalSeconds / stepsHere * progress.Steps;
            double restOfThis = ofThis * (progress.Steps - progress.Step) / progress.Steps;
            return restOfThis + plan.SecondsAfter(input.From.Stage, progress.Epoch, ofThis, run.History);
        }
    }
}
