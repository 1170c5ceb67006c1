using System.Globalization;
using System.Security.Cryptography;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Storage;

namespace Ulmfit.Pipeline.Registry;

/// <summary>
/// Published models. A version is there when its card is: the card names its other files by digest, carries its own checksum, and
/// is written last. Which version answers is the champion pointer's to say, which changes by compare-and-swap.
/// </summary>
public sealed class ModelRegistry
{
    private readonly DocumentStore documents;
    private readonly TimeProvider time;

    /// <summary>Opens the registry.</summary>
    /// <param name="store">Where it is.</param>
    /// <param name="time">The clock.</param>
    public ModelRegistry(IBlobStore store, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(store);
        documents = new DocumentStore(store);
        this.time = time;
    }

    /// <summary>The models that have a version, in order of their names.</summary>
    /// <param name="ct">Cancels the call.</param>
    public async Task<IReadOnlyList<string>> ListModelsAsync(CancellationToken ct = default)
    {
        var models = new SortedSet<string>(StringComparer.Ordinal);
        await foreach (BlobInfo blob in documents.Blobs.ListAsync(Containers.Models, "", ct).ConfigureAwait(false))
        {
            if (TryParseCard(blob.Name, out string? model, out _))
            {
                models.Add(model!);
            }
        }
        return [.. models];
    }

    /// <summary>The cards of a model's versions, oldest first; empty for an unknown model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="ct">Cancels the call.</param>
    public async Task<IReadOnlyList<ModelCard>> ListVersionsAsync(string model, CancellationToken ct = default)
    {
        var cards = new List<ModelCard>();
        await foreach (BlobInfo blob in documents.Blobs.ListAsync(Containers.Models, model + "/", ct).ConfigureAwait(false))
        {
            if (TryParseCard(blob.Name, out string? found, out int version) && found == model
                && await FindCardAsync(model, version, ct).ConfigureAwait(false) is { } card)
            {
                cards.Add(card);
            }
        }
        cards.Sort((a, b) => a.Version.CompareTo(b.Version));
        return cards;
    }

    /// <summary>The card of a version, or null when there is no such version.</summary>
    /// <param name="model">The model.</param>
    /// <param name="version">The version.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <exception cref="CorruptBlobException">The card is damaged.</exception>
    public async Task<ModelCard?> FindCardAsync(string model, int version, CancellationToken ct = default) =>
        (await documents.ReadAsync<ModelCard>(Containers.Models, ModelFiles.PathOf(model, version, ModelFiles.Card), ct).ConfigureAwait(false))?.Value;

    /// <summary>The champion pointer with the mark of its version, or null for a model without champion.</summary>
    /// <param name="model">The model.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <exception cref="CorruptBlobException">The pointer is damaged.</exception>
    public Task<BlobDocument<ChampionPointer>?> FindChampionAsync(string model, CancellationToken ct = default) =>
        documents.ReadAsync<ChampionPointer>(Containers.Models, ModelFiles.ChampionOf(model), ct);

    /// <summary>The mark of the champion pointer's version without reading it; null when there is none.</summary>
    /// <param name="model">The model.</param>
    /// <param name="ct">Cancels the call.</param>
    public async Task<ETag?> FindChampionTagAsync(string model, CancellationToken ct = default) =>
        (await documents.Blobs.GetInfoAsync(Containers.Models, ModelFiles.ChampionOf(model), ct).ConfigureAwait(false))?.ETag;

    /// <summary>Makes a version the champion, by hand: forward or back.</summary>
    /// <param name="model">The model.</param>
    /// <param name="version">The version.</param>
    /// <param name="expected">The mark of the pointer's version that the caller has seen, or null to promote whatever it is.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The pointer as it now is, or null when it is not at the expected version: the race is lost.</returns>
    /// <exception cref="PipelineException">There is no such version.</exception>
    public async Task<BlobDocument<ChampionPointer>?> PromoteAsync(string model, int version, ETag? expected, CancellationToken ct = default)
    {
        if (await FindCardAsync(model, version, ct).ConfigureAwait(false) is null)
        {
            throw new PipelineException($"The model '{model}' has no version {version}.");
        }
        while (true)
        {
            BlobDocument<ChampionPointer>? current = await FindChampionAsync(model, ct).ConfigureAwait(false);
            if (expected is not null && current?.Info.ETag != expected)
            {
                return null;
            }
            if (current?.Value.Version == version)
            {
                return current;
            }
            if (await TryMoveAsync(model, version, run: null, current, ct).ConfigureAwait(false) is { } moved)
            {
                return moved;
            }
        }
    }

    /// <summary>
    /// Makes the version that a run published the champion, if the champion still is the one that the run was compared with.
    /// A run is promoted once: when somebody has rolled back since, a repeated call changes nothing.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="version">The run's version.</param>
    /// <param name="run">The run.</param>
    /// <param name="comparedWith">The champion's version that it was compared with; null for none.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>Whether the run has been promoted, now or before; false when the champion is another one now.</returns>
    internal async Task<bool> PromoteRunAsync(string model, int version, string run, int? comparedWith, CancellationToken ct)
    {
        while (true)
        {
            BlobDocument<ChampionPointer>? current = await FindChampionAsync(model, ct).ConfigureAwait(false);
            if (current?.Value.History.Any(promotion => promotion.Run == run) == true)
            {
                return true;
            }
            if (current?.Value.Version != comparedWith)
            {
                return false;
            }
            if (await TryMoveAsync(model, version, run, current, ct).ConfigureAwait(false) is not null)
            {
                return true;
            }
        }
    }

    /// <summary>The version number that a run's model holds; null when it holds none.</summary>
    internal async Task<int?> FindReservedVersionAsync(string model, string run, CancellationToken ct)
    {
        string prefix = StatePaths.VersionReservations(model);
        await foreach (BlobDocument<VersionReservation> held in documents.ReadAllAsync<VersionReservation>(Containers.State, prefix, ct).ConfigureAwait(false))
        {
            if (held.Value.Run == run)
            {
                return held.Value.Version;
            }
        }
        return null;
    }

    /// <summary>The version number of a run's model: the one it holds, or the next one, which it then holds.</summary>
    internal async Task<int> ReserveVersionAsync(string model, string run, CancellationToken ct)
    {
        while (true)
        {
            int last = 0;
            string prefix = StatePaths.VersionReservations(model);
            await foreach (BlobDocument<VersionReservation> held in documents.ReadAllAsync<VersionReservation>(Containers.State, prefix, ct).ConfigureAwait(false))
            {
                if (held.Value.Run == run)
                {
                    return held.Value.Version;
                }
                last = Math.Max(last, held.Value.Version);
            }
            var next = new VersionReservation(last + 1, run);
            if (await documents.CreateAsync(Containers.State, StatePaths.VersionReservation(model, next.Version), next, ct).ConfigureAwait(false) is not null)
            {
                return next.Version;
            }
        }
    }

    /// <summary>Writes a version: its files, then its card. Writing it again changes nothing.</summary>
    internal async Task<ModelCard> PublishAsync(ModelCard card, IReadOnlyDictionary<string, byte[]> files, CancellationToken ct)
    {
        foreach ((string name, byte[] content) in files)
        {
            string path = ModelFiles.PathOf(card.Model, card.Version, name);
            if (await documents.Blobs.PutIfAbsentAsync(Containers.Models, path, content, ct).ConfigureAwait(false) is null)
            {
                // There from an earlier attempt. The version number is this run's alone and its files are a function of the run, so a
                // difference can only be damage: the good content replaces it.
                byte[]? found = await documents.Blobs.GetBytesAsync(Containers.Models, path, ct).ConfigureAwait(false);
                if (found is null || !found.AsSpan().SequenceEqual(content))
                {
                    await documents.Blobs.PutAsync(Containers.Models, path, content, ct).ConfigureAwait(false);
                }
            }
        }
        await documents.CreateAsync(Containers.Models, ModelFiles.PathOf(card.Model, card.Version, ModelFiles.Card), card, ct).ConfigureAwait(false);
        return await FindCardAsync(card.Model, card.Version, ct).ConfigureAwait(false) ?? card;
    }

    /// <summary>Reads a file of a version; null where the version has none of that name.</summary>
    /// <param name="card">The version's card.</param>
    /// <param name="name">The file.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <exception cref="CorruptBlobException">It is not what the card says.</exception>
    public async Task<byte[]?> FindFileAsync(ModelCard card, string name, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(card);
        return card.Files.ContainsKey(name) ? await ReadFileAsync(card, name, ct).ConfigureAwait(false) : null;
    }

    /// <summary>Reads a file of a version and checks it against the card.</summary>
    /// <exception cref="CorruptBlobException">It is not what the card says.</exception>
    internal async Task<byte[]> ReadFileAsync(ModelCard card, string name, CancellationToken ct)
    {
        string path = ModelFiles.PathOf(card.Model, card.Version, name);
        string blob = $"{Containers.Models}/{path}";
        byte[] bytes = await documents.Blobs.GetBytesAsync(Containers.Models, path, ct).ConfigureAwait(false)
            ?? throw new CorruptBlobException(blob, "it is missing although the version's card names it");
        string found = Convert.ToHexStringLower(SHA256.HashData(bytes));
        return card.Files.TryGetValue(name, out string? expected) && expected == found
            ? bytes
            : throw new CorruptBlobException(blob, $"its content has the SHA-256 {found}, the version's card says {expected ?? "nothing of it"}");
    }

    private async Task<BlobDocument<ChampionPointer>?> TryMoveAsync(
        string model, int version, string? run, BlobDocument<ChampionPointer>? current, CancellationToken ct)
    {
        IEnumerable<Promotion> before = current?.Value.History ?? [];
        var moved = new ChampionPointer(
            model, version, [new Promotion(version, time.GetUtcNow(), run), .. before.Take(ChampionPointer.HistoryLength - 1)]);
        string path = ModelFiles.ChampionOf(model);
        BlobInfo? written = current is null
            ? await documents.CreateAsync(Containers.Models, path, moved, ct).ConfigureAwait(false)
            : await documents.ReplaceAsync(Containers.Models, path, moved, current.Info.ETag, ct).ConfigureAwait(false);
        return written is null ? null : new BlobDocument<ChampionPointer>(written, moved);
    }

    private static bool TryParseCard(string name, out string? model, out int version)
    {
        string[] parts = name.Split('/');
        model = parts[0];
        version = 0;
        return parts.Length == 3 && parts[2] == ModelFiles.Card && ResourceNames.IsDataset(parts[0])
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out version);
    }

    private sealed record VersionReservation(int Version, string Run);
}
