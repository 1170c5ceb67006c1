using System.Globalization;
using Ulmfit.Data;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Feedback;
using Ulmfit.Storage;

namespace Ulmfit.Pipeline.Uncertain;

/// <summary>
/// Which texts a data set has a label for: the rows of its newest version, feedback that waits, and drops of feedback that no version has
/// taken in yet. The rows of a version never change, so that their digests are kept, of the data set that was asked for last.
/// </summary>
internal sealed class LabeledTexts(IBlobStore store, DatasetCatalog datasets)
{
    private volatile Known? last;

    /// <summary>The texts' digests; asked by <see cref="TextDigest.Of"/>.</summary>
    public async Task<Func<string, bool>> ReadAsync(string dataset, CancellationToken ct)
    {
        DatasetManifest? manifest = await datasets.FindManifestAsync(dataset, ct).ConfigureAwait(false);
        HashSet<ulong> rows = manifest?.Version is { } version ? await ReadVersionAsync(dataset, version, ct).ConfigureAwait(false) : [];
        var said = new HashSet<string>(StringComparer.Ordinal);
        string waiting = StatePaths.FeedbackRowsOf(dataset);
        await foreach (BlobInfo row in store.ListAsync(Containers.State, waiting, ct).ConfigureAwait(false))
        {
            said.Add(row.Name[waiting.Length..].Split('.')[0]);
        }
        var taken = manifest?.Drops.Select(drop => drop.Name).ToHashSet(StringComparer.Ordinal) ?? [];
        string drops = $"{dataset}/";
        await foreach (BlobInfo drop in store.ListAsync(Containers.Labeled, drops + "feedback-", ct).ConfigureAwait(false))
        {
            string name = drop.Name[drops.Length..];
            if (!taken.Contains(name) && FeedbackFile.IsOne(name))
            {
                await AddDropAsync(drop.Name, said, ct).ConfigureAwait(false);
            }
        }
        return digest => said.Contains(digest) || rows.Contains(Short(digest));
    }

    private async Task AddDropAsync(string name, HashSet<string> digests, CancellationToken ct)
    {
        await using Stream? content = await store.OpenReadAsync(Containers.Labeled, name, ct).ConfigureAwait(false);
        if (content is null)
        {
            return;
        }
        foreach (LabeledRow row in LabeledDataReader.Read(content, name, FeedbackFile.Reading(new LabeledDataOptions())).Rows)
        {
            digests.Add(TextDigest.Of(row.Text));
        }
    }

    private async Task<HashSet<ulong>> ReadVersionAsync(string dataset, int number, CancellationToken ct)
    {
        DatasetVersion version = await datasets.GetVersionAsync(dataset, number, ct).ConfigureAwait(false);
        if (last is { } known && known.Digest == version.Digest)
        {
            return known.Texts;
        }
        DatasetRows rows = await datasets.ReadRowsAsync(version, ct).ConfigureAwait(false);
        LabeledRow[] all = [.. rows.Train, .. rows.HeldOut];
        ulong[] digests = new ulong[all.Length];
        await Task.Run(() => Parallel.For(0, all.Length, new ParallelOptions { CancellationToken = ct }, i => digests[i] = Short(TextDigest.Of(all[i].Text))), ct).ConfigureAwait(false);
        HashSet<ulong> texts = [.. digests];
        last = new Known(version.Digest, texts);
        return texts;
    }

    // Of millions of texts none shares these 64 bits with another, as far as anybody will ever see.
    private static ulong Short(string digest) => ulong.Parse(digest.AsSpan(0, 16), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private sealed record Known(string Digest, HashSet<ulong> Texts);
}
