using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Pipeline.Steps;
using Ulmfit.Storage;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Runs;

/// <summary>Says whether there is something to do for a data set, and begins its runs.</summary>
public sealed class RunStart
{
    private readonly RunRegistry runs;
    private readonly DatasetCatalog datasets;
    private readonly EarlierModels earlier;
    private readonly PipelineOptions options;
    private readonly TimeProvider time;

    /// <summary>Makes it.</summary>
    /// <param name="runs">The runs.</param>
    /// <param name="datasets">The data sets.</param>
    /// <param name="earlier">Published models to start at.</param>
    /// <param name="options">How long drops settle.</param>
    /// <param name="time">The clock.</param>
    public RunStart(RunRegistry runs, DatasetCatalog datasets, EarlierModels earlier, PipelineOptions options, TimeProvider time)
    {
        this.runs = runs;
        this.datasets = datasets;
        this.earlier = earlier;
        this.options = options;
        this.time = time;
    }

    /// <summary>Looks at what lies there against what has been accounted for. Writes nothing.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="ct">Cancels the call.</param>
    public async Task<WorkObservation> ObserveAsync(string dataset, CancellationToken ct = default)
    {
        // A damaged manifest is as good as none: looking at the drops again makes it anew.
        DatasetManifest? manifest = await datasets.FindIntactManifestAsync(dataset, ct).ConfigureAwait(false);
        DropListing drops = await datasets.ListDropsAsync(dataset, ct).ConfigureAwait(false);
        string fingerprint = drops.GetFingerprint();
        bool newDrops = manifest is null
            ? drops.Labeled.Count > 0
            : manifest.Fingerprint != fingerprint;
        bool runNeeded = false;
        int? newest = null;
        await foreach (RunManifest run in runs.ListAsync(dataset, ct).ConfigureAwait(false))
        {
            runNeeded |= !run.Status.IsFinal();
            newest = run.DatasetVersion > (newest ?? 0) ? run.DatasetVersion : newest;
        }
        runNeeded |= manifest?.Version is { } version && version > (newest ?? 0);
        return new WorkObservation(dataset, fingerprint, newDrops, runNeeded, options.Settle);
    }

    /// <summary>The data sets that have something to do.</summary>
    /// <param name="ct">Cancels the call.</param>
    public async Task<IReadOnlyList<string>> FindWorkAsync(CancellationToken ct = default)
    {
        var found = new List<string>();
        foreach (string dataset in await datasets.ListAsync(ct).ConfigureAwait(false))
        {
            if (await HasWorkAsync(dataset, ct).ConfigureAwait(false))
            {
                found.Add(dataset);
            }
        }
        return found;
    }

    /// <summary>
    /// Begins the run that has been taken for a data set, or takes one where its newest version has not been trained on. A run that has
    /// begun already is taken up again as it is, so that one whose orchestration was lost goes on from its checkpoints.
    /// </summary>
    /// <param name="prepared">What the preparation gave.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>What to train; no run where there is nothing to train.</returns>
    public async Task<RunTicket> BeginAsync(PreparedDataset prepared, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(prepared);
        string dataset = prepared.Dataset;
        RunManifest? run = await runs.FindActiveAsync(dataset, ct).ConfigureAwait(false);
        if (run is null or { Status: RunStatus.Queued }
            && await datasets.FindIntactManifestAsync(dataset, ct).ConfigureAwait(false) is var manifest
            && (manifest?.Version != prepared.Version || manifest?.Refusal != prepared.Refusal))
        {
            // The drops have been prepared anew since: a call that comes late must not begin a run on what they were.
            return RunTicket.None;
        }
        if (run is null)
        {
            if (prepared.Version is not { } version || await runs.TakeForAsync(dataset, version, ct).ConfigureAwait(false) is not { } taken)
            {
                return RunTicket.None;
            }
            run = taken.Run;
        }
        RunId id = run.GetId();
        if (await runs.IsCancelRequestedAsync(id, ct).ConfigureAwait(false))
        {
            await runs.FinishAsync(id, RunStatus.Canceled, ct: ct).ConfigureAwait(false);
            return RunTicket.None;
        }
        if (run.Status == RunStatus.Queued)
        {
            if (prepared.Version is null)
            {
                await runs.FinishAsync(id, RunStatus.Failed, failed => failed with { Error = prepared.Refusal }, ct).ConfigureAwait(false);
                return RunTicket.None;
            }
            TrainingSettings settings = await datasets.GetSettingsAsync(dataset, ct).ConfigureAwait(false);
            settings = settings with { From = await earlier.ResolveAsync(settings.From, dataset, ct).ConfigureAwait(false) };
            run = await runs.UpdateAsync(
                id,
                queued => queued.Status != RunStatus.Queued ? queued : queued with
                {
                    Status = RunStatus.Running,
                    DatasetVersion = prepared.Version,
                    Settings = SettingsJson.Of(settings),
                    StartedAt = time.GetUtcNow(),
                },
                ct).ConfigureAwait(false);
        }
        return run.Status.IsFinal()
            ? RunTicket.None
            : new RunTicket(id.ToString(), TrainingWorkspace.SettingsOf(run).Directions.Each());
    }

    private async Task<bool> HasWorkAsync(string dataset, CancellationToken ct)
    {
        try
        {
            return (await ObserveAsync(dataset, ct).ConfigureAwait(false)).HasWork;
        }
        catch (CorruptBlobException)
        {
            // One damaged data set must not keep the others from their work. Whoever takes it up fails, and says of what.
            return true;
        }
    }
}

/// <summary>What a look at a data set found.</summary>
/// <param name="Dataset">The data set.</param>
/// <param name="Fingerprint">A digest of the drops' names and versions.</param>
/// <param name="NewDrops">Whether there are drops that the data set's manifest does not account for.</param>
/// <param name="RunNeeded">Whether a run has not ended, or the newest version has none.</param>
/// <param name="Settle">How long drops must not change before they are prepared.</param>
public sealed record WorkObservation(string Dataset, string Fingerprint, bool NewDrops, bool RunNeeded, TimeSpan Settle)
{
    /// <summary>Whether there is something to do.</summary>
    public bool HasWork => NewDrops || RunNeeded;
}

/// <summary>What there is to train.</summary>
/// <param name="Run">The run's id; null for nothing.</param>
/// <param name="Directions">The directions to train.</param>
public sealed record RunTicket(string? Run, IReadOnlyList<Direction> Directions)
{
    /// <summary>Nothing to train.</summary>
    public static RunTicket None { get; } = new(null, []);
}
