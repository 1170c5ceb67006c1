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
                return ReferenceEquals(changed, run) ? run : changed with { UpdatedAt = time.GetUtcNow() };
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
    public Task ReportAsync(RunId id, RunProgress progress, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(progress);
        return documents.WriteAsync(Containers.State, StatePaths.Progress(id, progress.Direction), progress, ct);
    }

    /// <summary>Where the directions of a run are; empty for one that has ended or not begun.</summary>
    /// <param name="id">The run.</param>
    /// <param name="ct">Cancels the call.</param>
    public async Task<IReadOnlyList<RunProgress>> GetProgressAsync(RunId id, CancellationToken ct = default)
    {
        var found = new List<RunProgress>();
        foreach (Direction direction in Enum.GetValues<Direction>())
        {
            // One that is damaged is written anew in a moment.
            if (await documents.ReadOrDiscardAsync<RunProgress>(Containers.State, StatePaths.Progress(id, direction), _ => { }, ct).ConfigureAwait(false) is { } progress)
            {
                found.Add(progress.Value);
            }
        }
        return found;
    }

    private sealed record CancelMarker(DateTimeOffset At);
}
