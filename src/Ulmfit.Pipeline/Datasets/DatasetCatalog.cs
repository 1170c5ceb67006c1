using System.Text.Json;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Storage;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Datasets;

/// <summary>What is known of the data sets: their drops, versions and settings.</summary>
public sealed class DatasetCatalog
{
    private readonly IBlobStore store;
    private readonly DocumentStore documents;
    private readonly PayloadStore payloads;

    /// <summary>Opens the catalog.</summary>
    /// <param name="store">Where it is.</param>
    public DatasetCatalog(IBlobStore store)
    {
        this.store = store;
        documents = new DocumentStore(store);
        payloads = new PayloadStore(store);
    }

    /// <summary>The names of the data sets that have drops, settings or versions, in order.</summary>
    /// <param name="ct">Cancels the call.</param>
    public async Task<IReadOnlyList<string>> ListAsync(CancellationToken ct = default)
    {
        var names = new SortedSet<string>(StringComparer.Ordinal);
        foreach ((string container, string prefix) in new[] { (Containers.Labeled, ""), (Containers.Unlabeled, ""), (Containers.State, StatePaths.Datasets) })
        {
            await foreach (BlobInfo blob in store.ListAsync(container, prefix, ct).ConfigureAwait(false))
            {
                string[] parts = blob.Name[prefix.Length..].Split('/');
                if (parts.Length > 1 && ResourceNames.IsDataset(parts[0]))
                {
                    names.Add(parts[0]);
                }
            }
        }
        return [.. names];
    }

    /// <summary>Whether a data set has drops, settings or versions.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="ct">Cancels the call.</param>
    public async Task<bool> ExistsAsync(string dataset, CancellationToken ct = default)
    {
        foreach ((string container, string prefix) in new[] { (Containers.Labeled, ""), (Containers.Unlabeled, ""), (Containers.State, StatePaths.Datasets) })
        {
            await foreach (BlobInfo _ in store.ListAsync(container, $"{prefix}{dataset}/", ct).ConfigureAwait(false))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>The drops of a data set as they lie there now.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="ct">Cancels the call.</param>
    public async Task<DropListing> ListDropsAsync(string dataset, CancellationToken ct = default) => new(
        await ListAsync(Containers.Labeled, dataset, ct).ConfigureAwait(false),
        await ListAsync(Containers.Unlabeled, dataset, ct).ConfigureAwait(false));

    /// <summary>What the last look at the drops found; null before the first.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="ct">Cancels the call.</param>
    public async Task<DatasetManifest?> FindManifestAsync(string dataset, CancellationToken ct = default) =>
        (await documents.ReadAsync<DatasetManifest>(Containers.State, StatePaths.DatasetManifest(dataset), ct).ConfigureAwait(false))?.Value;

    /// <summary>What the last look at the drops found; null before the first, and where it is damaged.</summary>
    internal async Task<DatasetManifest?> FindIntactManifestAsync(string dataset, CancellationToken ct)
    {
        try
        {
            return await FindManifestAsync(dataset, ct).ConfigureAwait(false);
        }
        catch (CorruptBlobException)
        {
            return null;
        }
    }

    /// <summary>The versions of a data set, oldest first.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="ct">Cancels the call.</param>
    public async Task<IReadOnlyList<DatasetVersion>> ListVersionsAsync(string dataset, CancellationToken ct = default)
    {
        var versions = new List<DatasetVersion>();
        await foreach (BlobDocument<DatasetVersion> version in documents.ReadAllAsync<DatasetVersion>(Containers.State, StatePaths.DatasetVersions(dataset), ct).ConfigureAwait(false))
        {
            versions.Add(version.Value);
        }
        return versions;
    }

    /// <summary>A version of a data set.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="version">Which.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <exception cref="PipelineException">There is no such version.</exception>
    public async Task<DatasetVersion> GetVersionAsync(string dataset, int version, CancellationToken ct = default) =>
        (await documents.ReadAsync<DatasetVersion>(Containers.State, StatePaths.DatasetVersion(dataset, version), ct).ConfigureAwait(false))?.Value
            ?? throw new PipelineException($"The data set '{dataset}' has no version {version}.");

    /// <summary>The rows of a version, checked against its digests.</summary>
    /// <param name="version">The version.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <exception cref="CorruptBlobException">A payload is damaged.</exception>
    public async Task<DatasetRows> ReadRowsAsync(DatasetVersion version, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(version);
        string prefix = StatePaths.DataPayloads(version.Dataset);
        return new DatasetRows(
            DatasetRows.ReadLabeled(await payloads.GetAsync(prefix, version.Train.Sha256, ct).ConfigureAwait(false)),
            DatasetRows.ReadLabeled(await payloads.GetAsync(prefix, version.HeldOut.Sha256, ct).ConfigureAwait(false)),
            DatasetRows.ReadUnlabeled(await payloads.GetAsync(prefix, version.Unlabeled.Sha256, ct).ConfigureAwait(false)));
    }

    /// <summary>The training settings of a data set: those put, or the defaults.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="ct">Cancels the call.</param>
    public async Task<TrainingSettings> GetSettingsAsync(string dataset, CancellationToken ct = default) =>
        await documents.ReadAsync<StoredSettings>(Containers.State, StatePaths.Settings(dataset), ct).ConfigureAwait(false) is { } stored
            ? TrainingSettings.Parse(stored.Value.Settings.GetRawText())
            : TrainingSettings.Default;

    /// <summary>Puts the training settings of a data set; the next run uses them.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="settings">The settings.</param>
    /// <param name="ct">Cancels the call.</param>
    public Task PutSettingsAsync(string dataset, TrainingSettings settings, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return documents.WriteAsync(Containers.State, StatePaths.Settings(dataset), new StoredSettings(SettingsJson.Of(settings)), ct);
    }

    private async Task<IReadOnlyList<BlobInfo>> ListAsync(string container, string dataset, CancellationToken ct)
    {
        var found = new List<BlobInfo>();
        string prefix = dataset + "/";
        await foreach (BlobInfo blob in store.ListAsync(container, prefix, ct).ConfigureAwait(false))
        {
            found.Add(blob with { Name = blob.Name[prefix.Length..] });
        }
        return found;
    }

    private sealed record StoredSettings(JsonElement Settings);
}
