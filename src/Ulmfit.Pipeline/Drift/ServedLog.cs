using System.Globalization;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Storage;

namespace Ulmfit.Pipeline.Drift;

/// <summary>
/// The counts of all processes in storage. Each process has a blob of its own a version and day, which nobody else writes, and readers add
/// them up: there is no race, and a write that is repeated counts nothing twice. The blobs of days that are over are folded into one, so that
/// a host that is started a thousand times a day does not leave a thousand blobs for ever.
/// </summary>
/// <param name="store">Where they are.</param>
/// <param name="damaged">Is told of a damaged blob, whose counts are lost.</param>
internal sealed class ServedLog(IBlobStore store, Action<CorruptBlobException> damaged)
{
    private const string Folded = "sum";
    private const string Alarm = "alarm";
    private const int MaxListings = 20;

    private readonly DocumentStore documents = new(store);

    /// <summary>Writes what a process has counted of a day so far.</summary>
    public Task WriteAsync(string model, int version, DateOnly day, string writer, ServedCounts counts, CancellationToken ct) =>
        documents.WriteAsync(Containers.State, StatePaths.Served(model, version, day, writer), new ServedDocument(counts, null), ct);

    /// <summary>Notes that an alarm was raised.</summary>
    /// <returns>Whether this is the first of the version and day, of all processes.</returns>
    public async Task<bool> RaiseAsync(string model, int version, DateOnly day, DriftDay drift, CancellationToken ct) =>
        await documents.CreateAsync(Containers.State, StatePaths.Served(model, version, day, Alarm), drift, ct).ConfigureAwait(false) is not null;

    /// <summary>What was counted of a version, by day.</summary>
    /// <param name="model">The model.</param>
    /// <param name="version">The version.</param>
    /// <param name="from">The first day.</param>
    /// <param name="except">The process whose blob of a day is left out, because what it holds in memory is newer; null for none.</param>
    /// <param name="ct">Cancels the call.</param>
    public async Task<SortedDictionary<DateOnly, ServedCounts>> ReadAsync(string model, int version, DateOnly from, Func<DateOnly, string?> except, CancellationToken ct)
    {
        var counts = new SortedDictionary<DateOnly, ServedCounts>();
        foreach (IGrouping<DateOnly, ServedBlob> day in (await ListAsync(StatePaths.ServedOf(model, version), ct).ConfigureAwait(false))
            .Where(blob => blob.Day >= from).ToLookup(blob => blob.Day))
        {
            counts[day.Key] = await SumAsync([.. day], except(day.Key), ct).ConfigureAwait(false);
        }
        return counts;
    }

    /// <summary>The same of one day.</summary>
    public async Task<ServedCounts> ReadDayAsync(string model, int version, DateOnly day, string except, CancellationToken ct) =>
        await SumAsync(await ListAsync(StatePaths.ServedOf(model, version, day), ct).ConfigureAwait(false), except, ct).ConfigureAwait(false);

    /// <summary>Deletes the days before <paramref name="keepFrom"/>, and folds the blobs of those before <paramref name="foldBefore"/>, which nobody writes any more.</summary>
    public async Task TidyAsync(DateOnly keepFrom, DateOnly foldBefore, CancellationToken ct)
    {
        foreach (IGrouping<(string Model, int Version, DateOnly Day), ServedBlob> day in (await ListAsync(StatePaths.ServedDays, ct).ConfigureAwait(false))
            .ToLookup(blob => (blob.Model, blob.Version, blob.Day)))
        {
            if (day.Key.Day < keepFrom)
            {
                await DeleteAsync(day, ct).ConfigureAwait(false);
            }
            else if (day.Key.Day < foldBefore && day.Count(blob => blob.Writer != Alarm) > 1)
            {
                await FoldAsync(StatePaths.Served(day.Key.Model, day.Key.Version, day.Key.Day, Folded), [.. day], ct).ConfigureAwait(false);
            }
        }
    }

    private async Task<ServedCounts> SumAsync(IReadOnlyList<ServedBlob> blobs, string? except, CancellationToken ct)
    {
        ServedCounts counts = ServedCounts.None;
        for (int listing = 0; blobs.Count > 0 && listing < MaxListings; listing++)
        {
            ServedDocument? folded = blobs.FirstOrDefault(blob => blob.Writer == Folded) is { } sum ? await FindAsync(sum, ct).ConfigureAwait(false) : null;
            counts = folded?.Counts ?? ServedCounts.None;
            bool gone = false;
            foreach (ServedBlob blob in blobs.Where(blob => blob.Writer is not (Folded or Alarm) && blob.Writer != except && folded?.Writers?.Contains(blob.Writer) != true))
            {
                ServedDocument? document = await FindAsync(blob, ct).ConfigureAwait(false);
                counts += document?.Counts ?? ServedCounts.None;
                gone |= document is null;
            }
            if (!gone)
            {
                return counts;
            }

            // It was folded or found damaged since the listing: a new one tells which.
            blobs = await ListAsync(StatePaths.ServedOf(blobs[0].Model, blobs[0].Version, blobs[0].Day), ct).ConfigureAwait(false);
        }

        // Blobs that come and go without end: what was found last is nearest to the truth.
        return blobs.Count == 0 ? ServedCounts.None : counts;
    }

    private async Task FoldAsync(string path, ServedBlob[] blobs, CancellationToken ct)
    {
        ServedBlob[] single = [.. blobs.Where(blob => blob.Writer is not (Folded or Alarm))];
        if (blobs.All(blob => blob.Writer != Folded))
        {
            ServedCounts counts = ServedCounts.None;
            var writers = new List<string>();
            foreach (ServedBlob blob in single)
            {
                if (await FindAsync(blob, ct).ConfigureAwait(false) is { } document)
                {
                    counts += document.Counts;
                    writers.Add(blob.Writer);
                }
            }
            await documents.CreateAsync(Containers.State, path, new ServedDocument(counts, writers), ct).ConfigureAwait(false);
        }

        // Only what is in the sum, whoever was quicker to write it: what came later stays, and readers add it.
        if (await documents.ReadOrDiscardAsync<ServedDocument>(Containers.State, path, damaged, ct).ConfigureAwait(false) is { Value.Writers: { } named })
        {
            await DeleteAsync(single.Where(blob => named.Contains(blob.Writer)), ct).ConfigureAwait(false);
        }
    }

    private async Task<ServedDocument?> FindAsync(ServedBlob blob, CancellationToken ct) =>
        (await documents.ReadOrDiscardAsync<ServedDocument>(Containers.State, blob.Name, damaged, ct).ConfigureAwait(false))?.Value;

    private async Task DeleteAsync(IEnumerable<ServedBlob> blobs, CancellationToken ct)
    {
        foreach (ServedBlob blob in blobs)
        {
            await store.DeleteAsync(Containers.State, blob.Name, ct).ConfigureAwait(false);
        }
    }

    private async Task<List<ServedBlob>> ListAsync(string prefix, CancellationToken ct)
    {
        var found = new List<ServedBlob>();
        await foreach (BlobInfo blob in store.ListAsync(Containers.State, prefix, ct).ConfigureAwait(false))
        {
            if (blob.Name.Split('/') is [_, var model, var number, var date, var file]
                && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int version)
                && DateOnly.TryParseExact(date, StatePaths.DayFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly day)
                && Path.GetExtension(file) == ".json")
            {
                found.Add(new ServedBlob(blob.Name, model, version, day, Path.GetFileNameWithoutExtension(file)));
            }
        }
        return found;
    }

    private sealed record ServedBlob(string Name, string Model, int Version, DateOnly Day, string Writer);
}

/// <summary>Counts in storage.</summary>
/// <param name="Counts">The counts.</param>
/// <param name="Writers">Whose blobs were folded into this one; null for the blob of one process.</param>
internal sealed record ServedDocument(ServedCounts Counts, IReadOnlyList<string>? Writers);
