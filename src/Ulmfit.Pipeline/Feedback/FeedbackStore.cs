using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Ulmfit.Data;
using Ulmfit.Diagnostics;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Storage;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Feedback;

/// <summary>
/// Takes in what people say the label of a text should have been. Each text has one waiting row, the last that was said of it; so many of
/// them, or those that have waited long enough, become one drop, so that a trickle of feedback does not start a run for each row. A row is
/// in storage before its call is answered, and stays there until the drop is: nothing that was acknowledged is lost, whenever the process ends.
/// </summary>
/// <remarks>
/// Every row carries the time at which it was said, so that storing or gathering it twice, in whatever order, changes nothing: of the rows
/// of a text the latest counts (<see cref="Deduplication"/>). A call under a key has the time of its first try.
/// </remarks>
public sealed partial class FeedbackStore
{
    /// <summary>For how long a key is remembered at least.</summary>
    public static readonly TimeSpan KeysLast = TimeSpan.FromDays(7);

    private const int RowsOfADrop = 10_000;
    private const long CharactersOfADrop = 16L << 20;

    // Each lost race means that somebody else said something of the same text.
    private const int MaxAttempts = 50;

    private readonly IBlobStore store;
    private readonly DropStore drops;
    private readonly DatasetCatalog datasets;
    private readonly PipelineOptions options;
    private readonly DocumentStore documents;
    private readonly TimeProvider time;
    private readonly ILogger logger;

    /// <summary>Makes the store.</summary>
    /// <param name="store">Where rows wait.</param>
    /// <param name="drops">Where drops go.</param>
    /// <param name="datasets">The data sets.</param>
    /// <param name="options">Limits, and when rows become a drop.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where drops and damaged rows are told.</param>
    public FeedbackStore(IBlobStore store, DropStore drops, DatasetCatalog datasets, PipelineOptions options, TimeProvider time, ILogger<FeedbackStore> logger)
    {
        this.store = store;
        this.drops = drops;
        this.datasets = datasets;
        this.options = options;
        documents = new DocumentStore(store);
        this.time = time;
        this.logger = logger;
    }

    /// <summary>Stores rows. Sent again without a key, they say the same again; under the same key, they change nothing however late they come.</summary>
    /// <param name="dataset">The data set, which must exist.</param>
    /// <param name="rows">The rows, each text once.</param>
    /// <param name="key">What the caller calls this call; null for nothing.</param>
    /// <param name="ct">Cancels the call; some rows may be stored then.</param>
    /// <exception cref="FeedbackRefusedException">Nothing is stored, and why.</exception>
    public async Task<FeedbackReceipt> PutAsync(string dataset, IReadOnlyList<FeedbackRow> rows, string? key, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(rows);
        IReadOnlyList<LabeledRow> good = await CheckAsync(dataset, rows, ct).ConfigureAwait(false);
        int waiting = await CountAsync(dataset, ct).ConfigureAwait(false);
        (FeedbackKey Said, ETag Tag)? under = null;
        if (key is not null)
        {
            under = await EnterAsync(dataset, key, good, ct).ConfigureAwait(false);
            if (under.Value.Said.IsDone)
            {
                return new FeedbackReceipt(rows.Count, true, waiting);
            }
        }
        if (waiting + rows.Count > options.Limits.FeedbackWaiting)
        {
            throw new FeedbackRefusedException(
                FeedbackRefusal.Full,
                $"{waiting} rows of feedback on the data set '{dataset}' wait to become a drop, and {options.Limits.FeedbackWaiting} may (Limits:FeedbackWaiting). They do so within minutes; if not, the log says what is in the way.");
        }
        DateTimeOffset at = under?.Said.At ?? await NextTimeAsync(dataset, ct).ConfigureAwait(false);
        foreach (LabeledRow row in good)
        {
            var said = new WaitingRow(row.Text, row.Label, at, IsLate: under is { Said.IsFirst: false });
            waiting += await PutAsync(StatePaths.FeedbackRow(dataset, TextDigest.Of(row.Text)), said, ct).ConfigureAwait(false) ? 1 : 0;
        }
        if (under is { } first)
        {
            // Lost, it is tried again by whoever repeats the call: storing the rows once more changes nothing.
            await documents.ReplaceAsync(Containers.State, StatePaths.FeedbackKey(dataset, DigestOf(key!)), first.Said with { IsDone = true }, first.Tag, ct).ConfigureAwait(false);
        }
        FeedbackMeter.Record(dataset, rows.Count);
        return new FeedbackReceipt(rows.Count, false, waiting);
    }

    /// <summary>How many rows of a data set wait to become a drop.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="ct">Cancels the call.</param>
    public async Task<int> CountAsync(string dataset, CancellationToken ct = default)
    {
        int count = 0;
        await foreach (BlobInfo _ in store.ListAsync(Containers.State, StatePaths.FeedbackRowsOf(dataset), ct).ConfigureAwait(false))
        {
            count++;
        }
        return count;
    }

    /// <summary>Makes drops of the rows that are due, of all data sets. One whose storage fails does not keep the others from theirs.</summary>
    /// <param name="ct">Cancels the call; the next one goes on.</param>
    public async Task GatherDueAsync(CancellationToken ct = default)
    {
        var waiting = new Dictionary<string, (int Rows, DateTimeOffset Oldest)>(StringComparer.Ordinal);
        await foreach (BlobInfo blob in store.ListAsync(Containers.State, StatePaths.FeedbackRows, ct).ConfigureAwait(false))
        {
            string dataset = blob.Name[StatePaths.FeedbackRows.Length..].Split('/')[0];
            (int rows, DateTimeOffset oldest) = waiting.GetValueOrDefault(dataset, (0, DateTimeOffset.MaxValue));
            waiting[dataset] = (rows + 1, blob.LastModified < oldest ? blob.LastModified : oldest);
        }
        DateTimeOffset now = time.GetUtcNow();
        foreach ((string dataset, (int rows, DateTimeOffset oldest)) in waiting)
        {
            if (rows < options.Feedback.MinimumRows && now - oldest < options.Feedback.Wait)
            {
                continue;
            }
            try
            {
                await GatherAsync(dataset, ct).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or PipelineException)
            {
                LogNotGathered(e, dataset);
            }
        }
    }

    /// <summary>Makes drops of all rows of a data set that wait, due or not.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="ct">Cancels the call; the next one goes on.</param>
    /// <returns>How many rows became part of a drop.</returns>
    public async Task<int> GatherAsync(string dataset, CancellationToken ct = default)
    {
        var names = new List<string>();
        await foreach (BlobInfo blob in store.ListAsync(Containers.State, StatePaths.FeedbackRowsOf(dataset), ct).ConfigureAwait(false))
        {
            names.Add(blob.Name);
        }
        int gathered = 0;
        var rows = new List<BlobDocument<WaitingRow>>();
        long characters = 0;
        foreach (string name in names)
        {
            if (await documents.ReadOrDiscardAsync<WaitingRow>(Containers.State, name, e => LogDamaged(e, dataset), ct).ConfigureAwait(false) is not { } row)
            {
                continue;
            }
            rows.Add(row);
            characters += row.Value.Text.Length;
            if (rows.Count == RowsOfADrop || characters >= CharactersOfADrop)
            {
                gathered += await DropAsync(dataset, rows, ct).ConfigureAwait(false);
                rows.Clear();
                characters = 0;
            }
        }
        if (rows.Count > 0)
        {
            gathered += await DropAsync(dataset, rows, ct).ConfigureAwait(false);
        }
        await ForgetKeysAsync(dataset, ct).ConfigureAwait(false);
        return gathered;
    }

    // The drop is there before a row of it goes. Whoever is killed in between leaves rows that make another drop, which says the same.
    private async Task<int> DropAsync(string dataset, List<BlobDocument<WaitingRow>> rows, CancellationToken ct)
    {
        WaitingRow[] ordered = [.. rows.Select(row => row.Value).OrderBy(row => row.At).ThenBy(row => row.Text, StringComparer.Ordinal)];
        byte[] content = FeedbackFile.Write(ordered);
        string name = FeedbackFile.NameOf(content, ordered[^1].At);
        using (var stream = new MemoryStream(content, writable: false))
        {
            if (await drops.PutAsync(dataset, name, stream, ct).ConfigureAwait(false) == DropOutcome.Conflict)
            {
                throw new PipelineException($"{Containers.Labeled}/{dataset}/{name} is there with other content, although its name follows from its content: it is damaged. Restore it, or delete it; the rows of feedback are still there.");
            }
        }
        foreach (BlobDocument<WaitingRow> row in rows)
        {
            // What was said since then waits for the next drop.
            await store.DeleteIfMatchAsync(Containers.State, row.Info.Name, row.Info.ETag, ct).ConfigureAwait(false);
        }
        LogDrop(dataset, name, rows.Count);
        return rows.Count;
    }

    // Whether the row is one more that waits.
    private async Task<bool> PutAsync(string name, WaitingRow row, CancellationToken ct)
    {
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (await documents.ReadOrDiscardAsync<WaitingRow>(Containers.State, name, e => LogDamaged(e, name), ct).ConfigureAwait(false) is not { } before)
            {
                if (await documents.CreateAsync(Containers.State, name, row, ct).ConfigureAwait(false) is not null)
                {
                    return true;
                }
                continue;
            }

            // Who repeats himself does not make the row wait anew. Only a row that was late may be older than what was said and gathered since.
            bool same = before.Value.Label == row.Label && !before.Value.IsLate;
            if (same || before.Value.At >= row.At || await documents.ReplaceAsync(Containers.State, name, row, before.Info.ETag, ct).ConfigureAwait(false) is not null)
            {
                return false;
            }
        }
        throw new IOException($"{Containers.State}/{name} was changed by others {MaxAttempts} times in a row; something writes it without end.");
    }

    private async Task<(FeedbackKey Said, ETag Tag)> EnterAsync(string dataset, string key, IReadOnlyList<LabeledRow> rows, CancellationToken ct)
    {
        string name = StatePaths.FeedbackKey(dataset, DigestOf(key));
        string digest = DigestOf(string.Join('\n', rows.Select(row => $"{TextDigest.Of(row.Text)} {row.Label}")));
        BlobDocument<FeedbackKey>? found = await documents.ReadOrDiscardAsync<FeedbackKey>(Containers.State, name, e => LogDamaged(e, dataset), ct).ConfigureAwait(false);
        if (found is null)
        {
            var said = new FeedbackKey(digest, await NextTimeAsync(dataset, ct).ConfigureAwait(false), IsDone: false);
            if (await documents.CreateAsync(Containers.State, name, said, ct).ConfigureAwait(false) is { } made)
            {
                return (said with { IsFirst = true }, made.ETag);
            }
            found = await documents.ReadAsync<FeedbackKey>(Containers.State, name, ct).ConfigureAwait(false)
                ?? throw new IOException($"{Containers.State}/{name} was there and is gone. Send the feedback again.");
        }
        return found.Value.Digest == digest
            ? (found.Value, found.Info.ETag)
            : throw new FeedbackRefusedException(FeedbackRefusal.KeyTaken, "This Idempotency-Key was sent with other rows before. A key is for one call and its repetitions; send these rows under another.");
    }

    // The time, but later than any that was given before: the clocks of several machines, or one that is set back, must not turn round what was said.
    private async Task<DateTimeOffset> NextTimeAsync(string dataset, CancellationToken ct)
    {
        string name = StatePaths.FeedbackClock(dataset);
        while (true)
        {
            try
            {
                FeedbackClock next = await documents.UpdateAsync<FeedbackClock>(
                    Containers.State,
                    name,
                    last =>
                    {
                        DateTimeOffset now = time.GetUtcNow();
                        return new FeedbackClock(last is null || now > last.At ? now : last.At.AddTicks(1));
                    },
                    ct).ConfigureAwait(false);
                return next.At;
            }
            catch (CorruptBlobException)
            {
                await documents.ReadOrDiscardAsync<FeedbackClock>(Containers.State, name, e => LogDamaged(e, dataset), ct).ConfigureAwait(false);
            }
        }
    }

    // What the preparation of the data set would not use is refused at once, by the same reader.
    private async Task<IReadOnlyList<LabeledRow>> CheckAsync(string dataset, IReadOnlyList<FeedbackRow> rows, CancellationToken ct)
    {
        byte[] content = FeedbackFile.Write(rows.Select(row => new WaitingRow(row.Text, row.Label, time.GetUtcNow())));
        LabeledFile file = LabeledDataReader.Read(
            new MemoryStream(content, writable: false),
            FeedbackFile.NameOf(content, time.GetUtcNow()),
            FeedbackFile.Reading(new LabeledDataOptions { MaxRowLength = options.Limits.TextCharacters, MaxLabels = options.Limits.Labels }));
        if (file.Error is { } error)
        {
            throw new FeedbackRefusedException(FeedbackRefusal.Invalid, error);
        }
        if (file.Rejected is [var rejected, ..])
        {
            throw new FeedbackRefusedException(FeedbackRefusal.Invalid, $"Row {rejected.Line} cannot be used: {rejected.Reason}");
        }
        var places = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (LabeledRow row in file.Rows)
        {
            if (!places.TryAdd(TextDigest.Of(row.Text), row.Line))
            {
                throw new FeedbackRefusedException(
                    FeedbackRefusal.Invalid, $"Rows {places[TextDigest.Of(row.Text)]} and {row.Line} are of the same text. A text has one label: send the one that is right.");
            }
        }
        await CheckLabelsAsync(dataset, file.Rows.Select(row => row.Label), ct).ConfigureAwait(false);
        return file.Rows;
    }

    // More labels than may be would keep the whole data set from being trained on.
    private async Task CheckLabelsAsync(string dataset, IEnumerable<string> labels, CancellationToken ct)
    {
        if (await datasets.FindIntactManifestAsync(dataset, ct).ConfigureAwait(false) is not { Version: { } version })
        {
            return;
        }
        var known = (await datasets.GetVersionAsync(dataset, version, ct).ConfigureAwait(false)).Classes.Select(c => c.Label).ToHashSet(StringComparer.Ordinal);
        string[] added = [.. labels.Distinct(StringComparer.Ordinal).Where(label => !known.Contains(label))];
        if (added.Length > 0 && known.Count + added.Length > options.Limits.Labels)
        {
            throw new FeedbackRefusedException(
                FeedbackRefusal.Invalid, $"The label '{added[0]}' is new, and the data set has {known.Count} of the {options.Limits.Labels} labels that it may (Limits:Labels).");
        }
    }

    private async Task ForgetKeysAsync(string dataset, CancellationToken ct)
    {
        DateTimeOffset before = time.GetUtcNow() - KeysLast;
        var old = new List<BlobInfo>();
        await foreach (BlobInfo blob in store.ListAsync(Containers.State, StatePaths.FeedbackKeysOf(dataset), ct).ConfigureAwait(false))
        {
            if (blob.LastModified < before)
            {
                old.Add(blob);
            }
        }
        foreach (BlobInfo key in old)
        {
            await store.DeleteIfMatchAsync(Containers.State, key.Name, key.ETag, ct).ConfigureAwait(false);
        }
    }

    private static string DigestOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    [LoggerMessage(75, LogLevel.Information, "{Dataset}: {Rows} rows of feedback became the drop {Name}.")]
    private partial void LogDrop(string dataset, string name, int rows);

    [LoggerMessage(76, LogLevel.Error, "{Dataset}: rows of feedback could not become a drop; they wait, and it is tried again.")]
    private partial void LogNotGathered(Exception exception, string dataset);

    [LoggerMessage(77, LogLevel.Error, "{Dataset}: a waiting row of feedback, a key or the time of the last call is damaged and left out.")]
    private partial void LogDamaged(Exception exception, string dataset);

    /// <summary>The last time that was given.</summary>
    private sealed record FeedbackClock(DateTimeOffset At);

    /// <summary>A call under a key.</summary>
    /// <param name="Digest">What it said.</param>
    /// <param name="At">When it was first tried.</param>
    /// <param name="IsDone">Whether all of it has been stored.</param>
    private sealed record FeedbackKey(string Digest, DateTimeOffset At, bool IsDone)
    {
        /// <summary>Whether this is the first try.</summary>
        [System.Text.Json.Serialization.JsonIgnore]
        public bool IsFirst { get; init; }
    }
}
