using System.Globalization;
using System.Runtime.CompilerServices;
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

    /// <summary>The cards of a model's versions, oldest first; empty for an unknown model. Damaged cards are left out.</summary>
    /// <param name="model">The model.</param>
    /// <param name="ct">Cancels the call.</param>
    public async Task<IReadOnlyList<ModelCard>> ListVersionsAsync(string model, CancellationToken ct = default) =>
        (await ReadVersionsAsync(model, ct).ConfigureAwait(false)).Cards;

    /// <summary>The cards of a model's versions and what is known of those whose card is damaged, both oldest first.</summary>
    /// <param name="model">The model.</param>
    /// <param name="ct">Cancels the call.</param>
    public async Task<ModelVersions> ReadVersionsAsync(string model, CancellationToken ct = default)
    {
        var cards = new List<ModelCard>();
        var damaged = new List<DamagedVersion>();
        await foreach (BlobInfo blob in documents.Blobs.ListAsync(Containers.Models, model + "/", ct).ConfigureAwait(false))
        {
            if (!TryParseCard(blob.Name, out string? found, out int version) || found != model)
            {
                continue;
            }
            try
            {
                if (await FindCardAsync(model, version, ct).ConfigureAwait(false) is { } card)
                {
                    cards.Add(card);
                }
            }
            catch (CorruptBlobException e)
            {
                // One damaged version must not keep people from the others, least of all from going back to one of them.
                damaged.Add(new DamagedVersion(version, e.Message));
            }
        }
        cards.Sort((a, b) => a.Version.CompareTo(b.Version));
        damaged.Sort((a, b) => a.Version.CompareTo(b.Version));
        return new ModelVersions(cards, damaged);
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
    /// <remarks>Every file that the version answers by is read and checked first. A damaged pointer is replaced, its history lost.</remarks>
    /// <exception cref="PipelineException">There is no such version.</exception>
    /// <exception cref="CorruptBlobException">The version is damaged.</exception>
    public async Task<BlobDocument<ChampionPointer>?> PromoteAsync(string model, int version, ETag? expected, CancellationToken ct = default)
    {
        ModelCard card = await FindCardAsync(model, version, ct).ConfigureAwait(false)
            ?? throw new PipelineException($"The model '{model}' has no version {version}.");
        foreach (string file in (string[])[card.Serves, ModelFiles.Labels, ModelFiles.Vocabulary])
        {
            await ReadFileAsync(card, file, ct).ConfigureAwait(false);
        }
        while (true)
        {
            ETag? tag = await FindChampionTagAsync(model, ct).ConfigureAwait(false);
            if (expected is not null && tag != expected)
            {
                return null;
            }
            BlobDocument<ChampionPointer>? current;
            try
            {
                current = await FindChampionAsync(model, ct).ConfigureAwait(false);
            }
            catch (CorruptBlobException)
            {
                current = null;
            }
            if (current is not null && current.Info.ETag != tag)
            {
                continue;
            }
            if (current?.Value.Version == version)
            {
                return current;
            }
            if (await TryMoveAsync(model, version, run: null, current?.Value, tag, ct).ConfigureAwait(false) is { } moved)
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
            if (await TryMoveAsync(model, version, run, current?.Value, current?.Info.ETag, ct).ConfigureAwait(false) is not null)
            {
                return true;
            }
        }
    }

    /// <summary>The version of a run that has been promoted; null when it has not been.</summary>
    internal async Task<int?> FindPromotedVersionAsync(string model, string run, CancellationToken ct) =>
        (await FindChampionAsync(model, ct).ConfigureAwait(false))?.Value.History.FirstOrDefault(promotion => promotion.Run == run)?.Version;

    /// <summary>The version number that a run's model holds; null when it holds none.</summary>
    internal async Task<int?> FindReservedVersionAsync(string model, string run, CancellationToken ct)
    {
        await foreach (VersionReservation held in ReservationsAsync(model, ct).ConfigureAwait(false))
        {
            if (held.Run == run)
            {
                return held.Version;
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
            await foreach (VersionReservation held in ReservationsAsync(model, ct).ConfigureAwait(false))
            {
                if (held.Run == run)
                {
                    return held.Version;
                }
                last = Math.Max(last, held.Version);
            }
            var next = new VersionReservation(last + 1, run);
            if (await documents.CreateAsync(Containers.State, StatePaths.VersionReservation(model, next.Version), next, ct).ConfigureAwait(false) is not null)
            {
                return next.Version;
            }
        }
    }

    // A damaged reservation still holds its number, which is its name. Whose it was is told by the version's card, if it got so far.
    private async IAsyncEnumerable<VersionReservation> ReservationsAsync(string model, [EnumeratorCancellation] CancellationToken ct)
    {
        string prefix = StatePaths.VersionReservations(model);
        await foreach (BlobInfo blob in documents.Blobs.ListAsync(Containers.State, prefix, ct).ConfigureAwait(false))
        {
            if (!StatePaths.TryNumber(blob.Name, prefix, out int version))
            {
                continue;
            }
            VersionReservation? held = null;
            bool damaged = false;
            try
            {
                held = (await documents.ReadAsync<VersionReservation>(Containers.State, blob.Name, ct).ConfigureAwait(false))?.Value;
            }
            catch (CorruptBlobException)
            {
                damaged = true;
            }
            if (damaged)
            {
                held = new VersionReservation(version, (await FindCardAsync(model, version, ct).ConfigureAwait(false))?.Run ?? "");
            }
            if (held is not null)
            {
                yield return held;
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
        DigestedBlob read = await documents.Blobs.GetDigestedAsync(Containers.Models, path, ct).ConfigureAwait(false)
            ?? throw new CorruptBlobException(blob, "it is missing although the version's card names it");
        string found = Convert.ToHexStringLower(read.Sha256);
        return card.Files.TryGetValue(name, out string? expected) && expected == found
            ? read.Content.Bytes
            : throw new CorruptBlobException(blob, $"its content has the SHA-256 {found}, the version's card says {expected ?? "nothing of it"}");
    }

    private async Task<BlobDocument<ChampionPointer>?> TryMoveAsync(
        string model, int version, string? run, ChampionPointer? current, ETag? tag, CancellationToken ct)
    {
        IEnumerable<Promotion> before = current?.History ?? [];
        var moved = new ChampionPointer(
            model, version, [new Promotion(version, time.GetUtcNow(), run), .. before.Take(ChampionPointer.HistoryLength - 1)]);
        string path = ModelFiles.ChampionOf(model);
        BlobInfo? written = tag is { } seen
            ? await documents.ReplaceAsync(Containers.Models, path, moved, seen, ct).ConfigureAwait(false)
            : await documents.CreateAsync(Containers.Models, path, moved, ct).ConfigureAwait(false);
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

/// <summary>The versions of a model.</summary>
/// <param name="Cards">The cards, oldest first.</param>
/// <param name="Damaged">Versions whose card is damaged, oldest first.</param>
public sealed record ModelVersions(IReadOnlyList<ModelCard> Cards, IReadOnlyList<DamagedVersion> Damaged);

/// <summary>A version that cannot be used because its card is damaged.</summary>
/// <param name="Version">Which.</param>
/// <param name="Reason">What is damaged and what to do.</param>
public sealed record DamagedVersion(int Version, string Reason);
