using System.Globalization;
using Microsoft.Extensions.Logging;
using Ulmfit.Diagnostics;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Pipeline.Steps;
using Ulmfit.Storage;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Pretrain;

/// <summary>
/// Trains one slice of one direction, from checkpoint to checkpoint. May be executed any number of times, at once or one after another:
/// what has been done is returned, a worker that comes back late throws its own result away. Of the checkpoints only the last is kept.
/// </summary>
public sealed partial class PretrainingStep
{
    private readonly IBlobStore store;
    private readonly PretrainingWorkspace workspace;
    private readonly PretrainingRegistry registry;
    private readonly DocumentStore documents;
    private readonly PayloadStore payloads;
    private readonly TimeProvider time;
    private readonly ILogger logger;

    /// <summary>Makes the step.</summary>
    /// <param name="store">Where checkpoints and manifests go.</param>
    /// <param name="workspace">Brings the training together.</param>
    /// <param name="registry">The pretrainings.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where losses and perplexities are told.</param>
    public PretrainingStep(IBlobStore store, PretrainingWorkspace workspace, PretrainingRegistry registry, TimeProvider time, ILogger<PretrainingStep> logger)
    {
        this.store = store;
        this.workspace = workspace;
        this.registry = registry;
        documents = new DocumentStore(store);
        payloads = new PayloadStore(store);
        this.time = time;
        this.logger = logger;
    }

    /// <summary>Where a pretraining begins, or goes on after whatever interrupted it.</summary>
    /// <param name="name">The name of the model.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <exception cref="PipelineException">There is no such pretraining.</exception>
    public async Task<PretrainingStepResult> BeginAsync(string name, CancellationToken ct = default)
    {
        PretrainingManifest manifest = await RunningAsync(name, ct).ConfigureAwait(false);
        if (manifest.Status.IsFinal())
        {
            return await EndedAsync(name, ct).ConfigureAwait(false);
        }
        foreach (Direction direction in manifest.Order.Directions.Each())
        {
            if (await StepsAsync(name, direction, ct).ConfigureAwait(false) is not [.., var last])
            {
                return new PretrainingStepResult(false, PretrainingStepInput.First(name, direction));
            }
            await RecordAsync(name, last, ct).ConfigureAwait(false);
            if (!last.Finished)
            {
                return After(manifest, last);
            }
        }
        return new PretrainingStepResult(false, null);
    }

    /// <summary>Trains, unless it has been done.</summary>
    /// <param name="input">What to train.</param>
    /// <param name="ct">Stops the training; nothing of the step remains then.</param>
    /// <exception cref="PipelineException">Something that the step needs is missing, damaged or changed.</exception>
    /// <exception cref="TrainingDivergedException">The loss is no longer finite.</exception>
    public async Task<PretrainingStepResult> RunAsync(PretrainingStepInput input, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        PretrainingManifest manifest = await RunningAsync(input.Name, ct).ConfigureAwait(false);
        if (manifest.Status.IsFinal())
        {
            return await EndedAsync(input.Name, ct).ConfigureAwait(false);
        }
        if (await FindAsync(input, ct).ConfigureAwait(false) is { } done)
        {
            return await RecordAsync(manifest, input, done, ct).ConfigureAwait(false);
        }
        try
        {
            return await TrainAndWriteAsync(manifest, input, ct).ConfigureAwait(false);
        }
        finally
        {
            if ((await registry.GetAsync(input.Name, ct).ConfigureAwait(false)).Status == RunStatus.Completed)
            {
                // It was completed while this execution worked: what this one has written since would stay for ever.
                await DeletePayloadsAsync(input.Name, ct).ConfigureAwait(false);
            }
        }
    }

    private async Task<PretrainingStepResult> TrainAndWriteAsync(PretrainingManifest manifest, PretrainingStepInput input, CancellationToken ct)
    {
        PretrainingSlice slice;
        using (var stop = CancellationTokenSource.CreateLinkedTokenSource(ct))
        using (var watch = new Watch(this, input, stop))
        {
            Task pump = watch.RunAsync();
            try
            {
                slice = await TrainAsync(manifest, input, watch, stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (watch.IsOver && !ct.IsCancellationRequested)
            {
                return await EndedAsync(input.Name, ct).ConfigureAwait(false);
            }
            catch (PipelineException) when (input.Checkpoint is not null)
            {
                // Another execution of this step may have ended meanwhile and let go of the checkpoint that it begins with.
                if (await FindAsync(input, ct).ConfigureAwait(false) is { } other)
                {
                    return await RecordAsync(manifest, input, other, ct).ConfigureAwait(false);
                }
                throw;
            }
            finally
            {
                await watch.EndAsync(pump).ConfigureAwait(false);
            }
        }

        // Whoever comes back after the pretraining has ended would leave a checkpoint that nobody collects.
        if ((await registry.GetAsync(input.Name, ct).ConfigureAwait(false)).Status.IsFinal())
        {
            return await EndedAsync(input.Name, ct).ConfigureAwait(false);
        }
        string digest = await payloads.PutAsync(StatePaths.PretrainingPayloads(input.Name), slice.Checkpoint.Write, ct).ConfigureAwait(false);
        var step = new PretrainingStepManifest(input.Direction, input.From, slice.Checkpoint.Position, slice.Checkpoint.Finished, digest, slice.Metrics);
        if (await documents.CreateAsync(Containers.State, PathOf(input), step, ct).ConfigureAwait(false) is null)
        {
            step = await FindAsync(input, ct).ConfigureAwait(false) ?? throw new IOException($"{Containers.State}/{PathOf(input)} was there and is gone.");
            if (step.Checkpoint != digest)
            {
                // Two executions may be cut at different steps, by their time.
                await DeleteCheckpointAsync(input.Name, digest, ct).ConfigureAwait(false);
            }
        }
        LogSlice(input.Name, input.Direction, step.Metrics.Step, step.Metrics.Steps, step.Metrics.Epochs, step.Metrics.TrainLoss, step.Metrics.Perplexity, step.Metrics.Seconds);
        return await RecordAsync(manifest, input, step, ct).ConfigureAwait(false);
    }

    /// <summary>The steps of a direction in their order.</summary>
    internal async Task<IReadOnlyList<PretrainingStepManifest>> StepsAsync(string name, Direction direction, CancellationToken ct)
    {
        var steps = new List<PretrainingStepManifest>();
        await foreach (BlobDocument<PretrainingStepManifest> step in documents.ReadAllAsync<PretrainingStepManifest>(Containers.State, StatePaths.PretrainingSteps(name, direction), ct).ConfigureAwait(false))
        {
            steps.Add(step.Value);
        }
        return steps;
    }

    internal async Task<Checkpoint> ReadCheckpointAsync(string name, string digest, CancellationToken ct)
    {
        await using Stream content = await payloads.OpenAsync(StatePaths.PretrainingPayloads(name), digest, ct).ConfigureAwait(false);
        return Checkpoint.Read(content);
    }

    /// <summary>Deletes what only a pretraining that goes on needs.</summary>
    internal async Task DeletePayloadsAsync(string name, CancellationToken ct)
    {
        var left = new List<string>();
        await foreach (BlobInfo payload in store.ListAsync(Containers.State, StatePaths.PretrainingPayloads(name), ct).ConfigureAwait(false))
        {
            left.Add(payload.Name);
        }
        foreach (string payload in left)
        {
            await store.DeleteAsync(Containers.State, payload, ct).ConfigureAwait(false);
        }
        await registry.DeleteNoteAsync(name, ct).ConfigureAwait(false);
    }

    private Task<PretrainingManifest> RunningAsync(string name, CancellationToken ct) =>
        registry.UpdateAsync(name, queued => queued.Status == RunStatus.Queued ? queued with { Status = RunStatus.Running } : queued, ct);

    private async Task<PretrainingStepResult> EndedAsync(string name, CancellationToken ct)
    {
        await workspace.CloseAsync(name, ct).ConfigureAwait(false);
        return new PretrainingStepResult(true, null);
    }

    private async Task<PretrainingSlice> TrainAsync(PretrainingManifest manifest, PretrainingStepInput input, Watch watch, CancellationToken ct)
    {
        Pretraining training = await workspace.OpenAsync(manifest, input.Direction, ct).ConfigureAwait(false);
        Checkpoint from = input.Checkpoint is null ? training.Start() : await ReadCheckpointAsync(input.Name, input.Checkpoint, ct).ConfigureAwait(false);
        if (from.Position != input.From || from.Finished)
        {
            throw new PipelineException($"The checkpoint {input.Checkpoint} of the pretraining '{input.Name}' is at {from.Position}, but the step begins at {input.From}.");
        }
        watch.Begin(training.StepsBefore(from.Position));
        var metered = new MeteredProgress(input.Name, input.Direction, TrainingPhase.Pretraining, training.StepsBefore(from.Position));
        var limit = new SliceLimit(manifest.Order.SliceSteps, TimeSpan.FromMinutes(manifest.Order.SliceMinutes));
        return await Task.Factory.StartNew(() => training.Train(from, limit, metered.Then(watch), ct), ct, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
    }

    // All of it can be repeated: whoever finds the step done does it again, should its first execution have died in between.
    private async Task<PretrainingStepResult> RecordAsync(PretrainingManifest manifest, PretrainingStepInput input, PretrainingStepManifest step, CancellationToken ct)
    {
        await RecordAsync(input.Name, step, ct).ConfigureAwait(false);
        if (input.Checkpoint is { } before)
        {
            await DeleteCheckpointAsync(input.Name, before, ct).ConfigureAwait(false);
        }
        return After(manifest, step);
    }

    private Task<PretrainingManifest> RecordAsync(string name, PretrainingStepManifest step, CancellationToken ct) =>
        registry.UpdateAsync(
            name,
            running => running.Of(step.Direction) is { } known && known.Step >= step.Metrics.Step ? running
                : step.Direction == Direction.Forward ? running with { Forward = step.Metrics } : running with { Backward = step.Metrics },
            ct);

    private static PretrainingStepResult After(PretrainingManifest manifest, PretrainingStepManifest step)
    {
        if (!step.Finished)
        {
            return new PretrainingStepResult(false, new PretrainingStepInput(manifest.Name, step.Direction, step.Next, step.Checkpoint));
        }
        Direction last = manifest.Order.Directions.Each()[^1];
        return new PretrainingStepResult(false, step.Direction == last ? null : PretrainingStepInput.First(manifest.Name, last));
    }

    private Task<bool> DeleteCheckpointAsync(string name, string digest, CancellationToken ct) =>
        store.DeleteAsync(Containers.State, StatePaths.PretrainingPayloads(name) + digest, ct);

    private async Task<PretrainingStepManifest?> FindAsync(PretrainingStepInput input, CancellationToken ct) =>
        (await documents.ReadAsync<PretrainingStepManifest>(Containers.State, PathOf(input), ct).ConfigureAwait(false))?.Value;

    private static string PathOf(PretrainingStepInput input) =>
        string.Create(CultureInfo.InvariantCulture, $"{StatePaths.PretrainingSteps(input.Name, input.Direction)}{input.From.Epoch:D4}-{input.From.Step:D8}.json");

    [LoggerMessage(60, LogLevel.Information, "Pretraining {Name} {Direction}: step {Step}/{Steps}, epoch {Epochs:0.00}: training loss {Loss:0.000}, held-out perplexity {Perplexity:0.00}; {Seconds:0.0} s")]
    private partial void LogSlice(string name, Direction direction, int step, int steps, double epochs, double loss, double? perplexity, double seconds);

    [LoggerMessage(61, LogLevel.Information, "Pretraining {Name} {Direction}: step {Step}/{Steps}, epoch {Epochs:0.00}: loss {Loss:0.000}, learning rate {LearningRate:0.######}, {TokensPerSecond:0} tokens/s; about {Remaining:c} to go")]
    private partial void LogStep(string name, Direction direction, int step, int steps, double epochs, double loss, double learningRate, double tokensPerSecond, TimeSpan remaining);

    [LoggerMessage(62, LogLevel.Warning, "Pretraining {Name}: progress cannot be read or written; training goes on.")]
    private partial void LogProgressLost(Exception exception, string name);

    /// <summary>Beside the training: tells people where it is, and stops it when it is called off.</summary>
    private sealed class Watch(PretrainingStep step, PretrainingStepInput input, CancellationTokenSource stop) : StepWatch<PretrainingProgress>(step.time, stop)
    {
        private volatile Beginning? began;

        public void Begin(int stepsBefore) => began = new Beginning(step.time.GetTimestamp(), stepsBefore);

        protected override async Task<bool> IsOverAsync(CancellationToken ct) =>
            (await step.registry.GetAsync(input.Name, ct).ConfigureAwait(false)).Status.IsFinal();

        protected override async Task<bool> NoteAsync(bool log, CancellationToken ct)
        {
            if (Note() is not { } note)
            {
                return false;
            }
            await step.registry.NoteAsync(input.Name, note, ct).ConfigureAwait(false);
            if (log)
            {
                step.LogStep(
                    input.Name, input.Direction, note.Step, note.Steps, note.Epochs, note.Loss, note.LearningRate, note.TokensPerSecond,
                    TimeSpan.FromSeconds(Math.Ceiling(note.RemainingSeconds)));
            }
            return true;
        }

        protected override void OnLost(Exception exception) => step.LogProgressLost(exception, input.Name);

        private PretrainingNote? Note() => Latest is { } at && began is { } from && at.Step > from.Step
            ? new PretrainingNote(
                input.Direction, at.Step, at.Steps, at.Epochs, at.Loss, at.LearningRate, at.TokensPerSecond,
                step.time.GetElapsedTime(from.At).TotalSeconds / (at.Step - from.Step) * (at.Steps - at.Step), step.time.GetUtcNow())
            : null;

        private sealed record Beginning(long At, int Step);
    }
}
