using Microsoft.Extensions.Logging;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Storage;

namespace Ulmfit.Pipeline.Steps;

/// <summary>
/// Deletes what runs that have ended no longer need: manifests, checkpoints and exports. Kept are the last checkpoint of each direction
/// of the run that made the champion, and, of a failed or canceled run, of each direction until a later run is completed. And rows
/// that no version of the data names, which a preparation leaves that was cut short and found other drops when it was repeated.
/// </summary>
/// <remarks>What a worker leaves that comes back after its run has ended is collected by the next purge of the data set.</remarks>
public sealed partial class CheckpointPurge
{
    private readonly IBlobStore store;
    private readonly DocumentStore documents;
    private readonly RunRegistry runs;
    private readonly ModelRegistry registry;
    private readonly ILogger logger;

    /// <summary>Makes the step.</summary>
    /// <param name="store">Where checkpoints are.</param>
    /// <param name="runs">The runs.</param>
    /// <param name="registry">Published models.</param>
    /// <param name="logger">Where the count is told.</param>
    public CheckpointPurge(IBlobStore store, RunRegistry runs, ModelRegistry registry, ILogger<CheckpointPurge> logger)
    {
        this.store = store;
        documents = new DocumentStore(store);
        this.runs = runs;
        this.registry = registry;
        this.logger = logger;
    }

    /// <summary>Purges the runs of a data set.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="ct">Cancels the call; the next one goes on.</param>
    /// <returns>How many blobs were deleted.</returns>
    public async Task<int> RunAsync(string dataset, CancellationToken ct = default)
    {
        var ended = new List<RunManifest>();
        await foreach (RunManifest run in runs.ListAsync(dataset, ct).ConfigureAwait(false))
        {
            if (run.Status.IsFinal())
            {
                ended.Add(run);
            }
        }
        int? champion = (await registry.FindChampionAsync(dataset, ct).ConfigureAwait(false))?.Value.Version;
        int lastCompleted = ended.Where(run => run.Status == RunStatus.Completed).Select(run => run.Number).DefaultIfEmpty(0).Max();
        int deleted = 0;
        foreach (RunManifest run in ended)
        {
            bool keep = run.Status switch
            {
                RunStatus.Completed => run.ModelVersion == champion,
                RunStatus.Failed or RunStatus.Canceled => run.Number > lastCompleted,
                _ => false,
            };
            deleted += await PurgeAsync(run.GetId(), keep, ct).ConfigureAwait(false);
        }
        deleted += await PurgeRowsAsync(dataset, ct).ConfigureAwait(false);
        if (deleted > 0)
        {
            LogPurged(dataset, deleted);
        }
        return deleted;
    }

    private async Task<int> PurgeAsync(RunId run, bool keepLast, CancellationToken ct)
    {
        var last = new Dictionary<string, (string Name, string Checkpoint)>(StringComparer.Ordinal);
        if (keepLast)
        {
            await foreach (BlobInfo blob in store.ListAsync(Containers.State, StatePaths.StepsOf(run), ct).ConfigureAwait(false))
            {
                // Manifests are listed in the order of their positions, so the last of a folder is the last of its direction.
                // A damaged one says nothing of its checkpoint: there is nothing to keep.
                if (blob.Name != StatePaths.Candidate(run)
                    && await documents.ReadOrDiscardAsync<StepManifest>(Containers.State, blob.Name, _ => { }, ct).ConfigureAwait(false) is { } step)
                {
                    last[blob.Name[..blob.Name.LastIndexOf('/')]] = (blob.Name, step.Value.Checkpoint);
                }
            }
        }
        var names = last.Values.Select(kept => kept.Name).ToHashSet(StringComparer.Ordinal);
        var payloads = last.Values.Select(kept => StatePaths.Payloads(run) + kept.Checkpoint).ToHashSet(StringComparer.Ordinal);
        // Payloads first: a manifest that is still there says what its payload was for.
        return await DeleteAsync(StatePaths.Payloads(run), payloads, ct).ConfigureAwait(false)
            + await DeleteAsync(StatePaths.StepsOf(run), names, ct).ConfigureAwait(false)
            + await DeleteAsync(StatePaths.ProgressOf(run), [], ct).ConfigureAwait(false);
    }

    private async Task<int> PurgeRowsAsync(string dataset, CancellationToken ct)
    {
        string versions = StatePaths.DatasetVersions(dataset);
        var named = new HashSet<string>(StringComparer.Ordinal);
        int last = 0;
        await foreach (BlobInfo blob in store.ListAsync(Containers.State, versions, ct).ConfigureAwait(false))
        {
            if (StatePaths.TryNumber(blob.Name, versions, out int number))
            {
                await NameRowsAsync(number).ConfigureAwait(false);
                last = Math.Max(last, number);
            }
        }

        // A listing may be behind, and the rows of a version must not be deleted for that.
        while (await NameRowsAsync(last + 1).ConfigureAwait(false))
        {
            last++;
        }
        return await DeleteAsync(StatePaths.DataPayloads(dataset), named, ct).ConfigureAwait(false);

        async Task<bool> NameRowsAsync(int number)
        {
            if (await documents.ReadAsync<DatasetVersion>(Containers.State, StatePaths.DatasetVersion(dataset, number), ct).ConfigureAwait(false) is not { Value: var version })
            {
                return false;
            }
            foreach (RowsReference rows in (RowsReference[])[version.Train, version.HeldOut, version.Unlabeled])
            {
                named.Add(StatePaths.DataPayloads(dataset) + rows.Sha256);
            }
            return true;
        }
    }

    private async Task<int> DeleteAsync(string prefix, HashSet<string> keep, CancellationToken ct)
    {
        var names = new List<string>();
        await foreach (BlobInfo blob in store.ListAsync(Containers.State, prefix, ct).ConfigureAwait(false))
        {
            if (!keep.Contains(blob.Name))
            {
                names.Add(blob.Name);
            }
        }
        foreach (string name in names)
        {
            await store.DeleteAsync(Containers.State, name, ct).ConfigureAwait(false);
        }
        return names.Count;
    }

    [LoggerMessage(40, LogLevel.Information, "{Dataset}: {Deleted} files of ended runs purged.")]
    private partial void LogPurged(string dataset, int deleted);
}
