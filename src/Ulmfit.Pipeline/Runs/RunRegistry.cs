using System.Runtime.CompilerServices;
using Ulmfit.Diagnostics;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Storage;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Runs;

/// <summary>
/// The runs of all data sets. Numbers are taken by put-if-absent, in order, so that of any number of concurrent callers one
/// gets the next; a data set has at most one run that has not ended; a run that has ended never changes.
/// </summary>
public sealed class RunRegistry
{
    private readonly DocumentStore documents;
    private readonly TimeProvider time;

    /// <summary>Opens the registry.</summary>
    /// <param name="store">Where it is.</param>
    /// <param name="time">The clock.</param>
    public RunRegistry(IBlobStore store, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(store);
        documents = new DocumentStore(store);
        this.time = time;
    }

    /// <summary>Takes the next run of a data set, unless one has not ended.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="trigger">What starts it.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The run taken, or the one that has not ended and <c>Taken</c> false.</returns>
    public async Task<(RunManifest Run, bool Taken)> TakeAsync(string dataset, RunTrigger trigger, CancellationToken ct = default) =>
        (await TakeAsync(dataset, trigger, version: null, ct).ConfigureAwait(false))!.Value;

    /// <summary>Takes the next run of a data set, unless one has not ended, or one has trained on a version already.</summary>
    /// <returns>The run taken, or the one that has not ended; null where a run has trained on the version.</returns>
    internal Task<(RunManifest Run, bool Taken)?> TakeForAsync(string dataset, int version, CancellationToken ct) =>
        TakeAsync(dataset, RunTrigger.Drops, version, ct);

    // Whether a run is needed and which number it gets come from one listing. A listing that is behind gives a number that is taken.
    private async Task<(RunManifest Run, bool Taken)?> TakeAsync(string dataset, RunTrigger trigger, int? version, CancellationToken ct)
    {
        while (true)
        {
            int last = 0;
            bool trained = false;
            await foreach (RunManifest run in ListAsync(dataset, ct).ConfigureAwait(false))
            {
                if (!run.Status.IsFinal())
                {
                    return (run, false);
                }
                trained |= version is not null && run.DatasetVersion == version;
                last = run.Number;
            }
            if (trained)
            {
                return null;
            }
            DateTimeOffset now = time.GetUtcNow();
            int number = Math.Max(last, await FindLastTraceAsync(dataset, ct).ConfigureAwait(false)) + 1;
            var next = new RunManifest { Dataset = dataset, Number = number, Status = RunStatus.Queued, Trigger = trigger, CreatedAt = now, UpdatedAt = now };
            if (await documents.CreateAsync(Containers.State, StatePaths.Run(next.GetId()), next, ct).ConfigureAwait(false) is not null)
            {
                return (next, true);
            }
        }
    }

    // The manifest of a run may have been deleted because it was damaged. What the run has left must not be taken for that of another.
    private async Task<int> FindLastTraceAsync(string dataset, CancellationToken ct)
    {
        int last = 0;
        foreach (string prefix in (string[])[StatePaths.StepsOf(dataset), StatePaths.PayloadsOfRuns(dataset), StatePaths.ReportsOf(dataset), StatePaths.CancelsOf(dataset)])
        {
            await foreach (BlobInfo blob in documents.Blobs.ListAsync(Containers.State, prefix, ct).ConfigureAwait(false))
            {
                if (StatePaths.TryNumber(blob.Name, prefix, out int number))
                {
                    last = Math.Max(last, number);
                }
            }
        }
        return last;
    }

    /// <summary>Reads a run.</summary>
    /// <param name="id">The run.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The run, or null when there is none of that id.</returns>
    public async Task<RunManifest?> FindAsync(RunId id, CancellationToken ct = default) =>
        (await documents.ReadAsync<RunManifest>(Containers.State, StatePaths.Run(id), ct).ConfigureAwait(false))?.Value;

    /// <summary>Reads a run that must exist.</summary>
    /// <param name="id">The run.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <exception cref="PipelineException">There is none.</exception>
    public async Task<RunManifest> GetAsync(RunId id, CancellationToken ct = default) =>
        await FindAsync(id, ct).ConfigureAwait(false) ?? throw new PipelineException($"There is no run '{id}'.");

    /// <summary>The runs of a data set, or of all, oldest first within each data set.</summary>
    /// <param name="dataset">The data set, or null for all.</param>
    /// <param name="ct">Cancels the enumeration.</param>
    public async IAsyncEnumerable<RunManifest> ListAsync(string? dataset = null, [EnumeratorCancellation] CancellationToken ct = default)
    {
        string prefix = dataset is null ? StatePaths.Runs : StatePaths.RunsOf(dataset);
        await foreach (BlobDocument<RunManifest> document in documents.ReadAllAsync<RunManifest>(Containers.State, prefix, ct).ConfigureAwait(false))
        {
            yield return document.Value;
        }
    }

    /// <summary>The run of a data set that has not ended, if there is one.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="ct">Cancels the call.</param>
    public async Task<RunManifest?> FindActiveAsync(string dataset, CancellationToken ct = default)
    {
        await foreach (RunManifest run in ListAsync(dataset, ct).ConfigureAwait(false))
        {
            if (!run.Status.IsFinal())
            {
                return run;
            }
        }
        return null;
    }

    /// <summary>Changes a run by compare-and-swap; one that has ended stays as it is.</summary>
    /// <param name="id">The run.</param>
    /// <param name="change">Gives the new manifest; the same object for no change.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The run as it now is.</returns>
    /// <exception cref="PipelineException">There is no such run.</exception>
    public Task<RunManifest> UpdateAsync(RunId id, Func<RunManifest, RunManifest> change, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(change);
        return documents.UpdateAsync<RunManifest>(
            Containers.State,
            StatePaths.Run(id),
            run =>
            {
                if (run is null)
                {
                    throw new PipelineException($"There is no run '{id}'.");
                }
                if (run.Status.IsFinal())
                {
                    return run;
                }
                RunManifest changed = change(run);
                return ReferenceEquals(changed, run) ? run : changed with { Revision = run.Revision + 1, UpdatedAt = time.GetUtcNow() };
            },
            ct);
    }

    /// <summary>Ends a run, unless it has ended already.</summary>
    /// <param name="id">The run.</param>
    /// <param name="status">How it ended.</param>
    /// <param name="change">What else is to be noted, if anything.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The run as it now is.</returns>
    public async Task<RunManifest> FinishAsync(RunId id, RunStatus status, Func<RunManifest, RunManifest>? change = null, CancellationToken ct = default)
    {
        RunManifest? ended = null;
        RunManifest run = await UpdateAsync(
            id,
            run => ended = (change?.Invoke(run) ?? run) with { Status = status, FinishedAt = time.GetUtcNow() },
            ct).ConfigureAwait(false);
        if (ended is not null && (ended.Status, ended.FinishedAt) == (run.Status, run.FinishedAt))
        {
            // It was this call that ended it, not another before.
            TrainingMeter.EndRun(id.Dataset, status.ToString().ToLowerInvariant(), run.FinishedAt - run.StartedAt);
        }
        await foreach (BlobInfo progress in documents.Blobs.ListAsync(Containers.State, StatePaths.ProgressOf(id), ct).ConfigureAwait(false))
        {
            await documents.Blobs.DeleteAsync(Containers.State, progress.Name, ct).ConfigureAwait(false);
        }
        return run;
    }

    /// <summary>Notes what a direction is going to be trained; noting it again changes nothing.</summary>
    /// <param name="id">The run.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The run as it now is.</returns>
    public Task<RunManifest> RecordPlanAsync(RunId id, DirectionPlan plan, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return UpdateAsync(id, run => run.Plan.Any(noted => noted.Direction == plan.Direction) ? run : run with { Plan = [.. run.Plan, plan] }, ct);
    }

    /// <summary>Notes a finished epoch; noting it again changes nothing.</summary>
    /// <param name="id">The run.</param>
    /// <param name="epoch">The epoch.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The run as it now is.</returns>
    public Task<RunManifest> RecordEpochAsync(RunId id, EpochRecord epoch, CancellationToken ct = default) => UpdateAsync(
        id,
        run => run.History.Any(e => e.Direction == epoch.Direction && e.StageIndex == epoch.StageIndex && e.Epoch == epoch.Epoch)
            ? run
            : run with { History = [.. run.History, epoch] },
        ct);

    /// <summary>Leaves the marker at which whoever trains for this run stops.</summary>
    /// <param name="id">The run.</param>
    /// <param name="ct">Cancels the call.</param>
    public async Task RequestCancelAsync(RunId id, CancellationToken ct = default) =>
        await documents.CreateAsync(Containers.State, StatePaths.Cancel(id), new CancelMarker(time.GetUtcNow()), ct).ConfigureAwait(false);

    /// <summary>Whether somebody called the run off.</summary>
    /// <param name="id">The run.</param>
    /// <param name="ct">Cancels the call.</param>
    public Task<bool> IsCancelRequestedAsync(RunId id, CancellationToken ct = default) =>
        documents.Blobs.ExistsAsync(Containers.State, StatePaths.Cancel(id), ct);

    /// <summary>Tells where a direction of a run is.</summary>
    /// <param name="id">The run.</param>
    /// <param name="progress">Where it is.</param>
    /// <param name="ct">Cancels the call.</param>
    public async Task ReportAsync(RunId id, RunProgress progress, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(progress);
        string name = StatePaths.Progress(id, progress.Direction);
        BlobDocument<RunProgress>? before = await FindNoteAsync(name, ct).ConfigureAwait(false);
        RunProgress next = progress with { Number = (before?.Value.Number ?? 0) + 1 };

        // Where another execution of the step came between, its note stands, and this one's next comes in a moment.
        _ = before is null
            ? await documents.CreateAsync(Containers.State, name, next, ct).ConfigureAwait(false)
            : await documents.ReplaceAsync(Containers.State, name, next, before.Info.ETag, ct).ConfigureAwait(false);
    }

    /// <summary>Where the directions of a run are; empty for one that has ended or not begun.</summary>
    /// <param name="id">The run.</param>
    /// <param name="ct">Cancels the call.</param>
    public async Task<IReadOnlyList<RunProgress>> GetProgressAsync(RunId id, CancellationToken ct = default) =>
        [.. (await FindNotesAsync(id, known: [], ct).ConfigureAwait(false)).Select(note => note.Value)];

    /// <summary>Reads a run with its progress.</summary>
    /// <param name="id">The run.</param>
    /// <param name="known">A state that was read before; of what is as it was then, only the versions are asked for.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The state, the same object where nothing has changed; null when there is no such run.</returns>
    public async Task<RunState?> FindStateAsync(RunId id, RunState? known = null, CancellationToken ct = default)
    {
        while (true)
        {
            if (await FindChangedAsync(StatePaths.Run(id), known?.Manifest, ReadManifestAsync, ct).ConfigureAwait(false) is not { } manifest)
            {
                return null;
            }
            IReadOnlyList<BlobDocument<RunProgress>> notes =
                manifest.Value.Status == RunStatus.Running ? await FindNotesAsync(id, known?.Notes ?? [], ct).ConfigureAwait(false) : [];
            if (known is not null && ReferenceEquals(manifest, known.Manifest) && notes.SequenceEqual(known.Notes))
            {
                return known;
            }

            // The notes go when the run ends: without them, a manifest that was read before would tell of a state that never was.
            if (manifest.Value.Status != RunStatus.Running
                || (await documents.Blobs.GetInfoAsync(Containers.State, StatePaths.Run(id), ct).ConfigureAwait(false))?.ETag == manifest.Info.ETag)
            {
                return new RunState(manifest, notes);
            }
        }

        Task<BlobDocument<RunManifest>?> ReadManifestAsync(string name) => documents.ReadAsync<RunManifest>(Containers.State, name, ct);
    }

    /// <summary>The runs of a data set, or of all, as <see cref="ListAsync"/> gives them, each with its progress.</summary>
    /// <param name="dataset">The data set, or null for all.</param>
    /// <param name="ct">Cancels the enumeration.</param>
    public async IAsyncEnumerable<RunState> ListStatesAsync(string? dataset = null, [EnumeratorCancellation] CancellationToken ct = default)
    {
        string prefix = dataset is null ? StatePaths.Runs : StatePaths.RunsOf(dataset);
        await foreach (BlobDocument<RunManifest> document in documents.ReadAllAsync<RunManifest>(Containers.State, prefix, ct).ConfigureAwait(false))
        {
            var listed = new RunState(document, []);
            if (listed.Run.Status != RunStatus.Running)
            {
                yield return listed;
            }
            else if (await FindStateAsync(listed.Run.GetId(), listed, ct).ConfigureAwait(false) is { } state)
            {
                yield return state;
            }
        }
    }

    private async Task<IReadOnlyList<BlobDocument<RunProgress>>> FindNotesAsync(RunId id, IReadOnlyList<BlobDocument<RunProgress>> known, CancellationToken ct)
    {
        var found = new List<BlobDocument<RunProgress>>();
        foreach (Direction direction in Enum.GetValues<Direction>())
        {
            BlobDocument<RunProgress>? before = known.FirstOrDefault(note => note.Value.Direction == direction);
            if (await FindChangedAsync(StatePaths.Progress(id, direction), before, name => FindNoteAsync(name, ct), ct).ConfigureAwait(false) is { } note)
            {
                found.Add(note);
            }
        }
        return found;
    }

    // One that is damaged is written anew in a moment.
    private Task<BlobDocument<RunProgress>?> FindNoteAsync(string name, CancellationToken ct) =>
        documents.ReadOrDiscardAsync<RunProgress>(Containers.State, name, _ => { }, ct);

    private async Task<BlobDocument<T>?> FindChangedAsync<T>(string name, BlobDocument<T>? known, Func<string, Task<BlobDocument<T>?>> read, CancellationToken ct) =>
        known is not null && await documents.Blobs.GetInfoAsync(Containers.State, name, ct).ConfigureAwait(false) is { } info && info.ETag == known.Info.ETag
            ? known
            : await read(name).ConfigureAwait(false);

    private sealed record CancelMarker(DateTimeOffset At);
}
