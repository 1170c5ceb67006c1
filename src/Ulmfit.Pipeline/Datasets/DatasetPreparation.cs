using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Ulmfit.Data;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Pipeline.Feedback;
using Ulmfit.Storage;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Datasets;

/// <summary>
/// Makes a version of a data set out of all its drops: reads them, rejects bad rows with file, line and reason, leaves out duplicates and
/// contradictions (of a text that somebody corrected, all but the last correction), and holds out rows by a digest of their text. Nothing in a drop makes it fail: rubbish is reported, and the good rows of
/// the same file and of the others are used. Repeating it on the same rows gives the same version, in whatever drops they come. An execution
/// that comes back late finds that another has prepared meanwhile, and looks at the drops again instead of bringing back what it has seen.
/// </summary>
public sealed partial class DatasetPreparation
{
    private const int LoggedRows = 20;

    // Each lost race means that another execution has prepared the drops meanwhile.
    private const int MaxAttempts = 20;

    private readonly IBlobStore store;
    private readonly DatasetCatalog catalog;
    private readonly PipelineOptions options;
    private readonly DocumentStore documents;
    private readonly PayloadStore payloads;
    private readonly TimeProvider time;
    private readonly ILogger logger;

    /// <summary>Makes the step.</summary>
    /// <param name="store">Where drops are and versions go.</param>
    /// <param name="catalog">The data sets.</param>
    /// <param name="options">How much is reported.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where bad rows are told.</param>
    public DatasetPreparation(IBlobStore store, DatasetCatalog catalog, PipelineOptions options, TimeProvider time, ILogger<DatasetPreparation> logger)
    {
        documents = new DocumentStore(store);
        payloads = new PayloadStore(store);
        this.store = store;
        this.catalog = catalog;
        this.options = options;
        this.time = time;
        this.logger = logger;
    }

    /// <summary>Prepares a data set.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The version that the drops give, or why they give none.</returns>
    public async Task<PreparedDataset> RunAsync(string dataset, CancellationToken ct = default)
    {
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (await TryRunAsync(dataset, ct).ConfigureAwait(false) is { } prepared)
            {
                return prepared;
            }
        }
        throw new IOException($"The data set '{dataset}' was prepared by others {MaxAttempts} times in a row while its drops were read.");
    }

    /// <summary>Prepares; null where another execution has prepared other drops since this one began.</summary>
    private async Task<PreparedDataset?> TryRunAsync(string dataset, CancellationToken ct)
    {
        // What there is of results is read before the drops: whoever writes results later than that has seen later drops.
        ETag? mark = (await store.GetInfoAsync(Containers.State, StatePaths.DatasetManifest(dataset), ct).ConfigureAwait(false))?.ETag;
        DatasetManifest? before = await catalog.FindIntactManifestAsync(dataset, ct).ConfigureAwait(false);
        (int number, DatasetVersion? last) = await FindLastVersionAsync(dataset, ct).ConfigureAwait(false);
        TrainingSettings settings = await catalog.GetSettingsAsync(dataset, ct).ConfigureAwait(false);
        DropListing listing = await catalog.ListDropsAsync(dataset, ct).ConfigureAwait(false);
        var reading = new LabeledDataOptions
        {
            TextColumn = settings.TextColumn,
            LabelColumn = settings.LabelColumn,
            MaxRejected = options.ReportedRows,
            MaxBytes = options.Limits.UnpackedBytes,
            MaxRowLength = options.Limits.TextCharacters,
            MaxLabels = options.Limits.Labels,
        };

        var labeled = new List<DropContent<LabeledRow>>();
        foreach (BlobInfo blob in listing.Labeled)
        {
            labeled.Add(await ReadAsync(Containers.Labeled, dataset, blob, stream => Left(FeedbackFile.IsOne(blob.Name) ? FeedbackFile.Reading(reading) : reading, labeled) is { } left ? Content(LabeledDataReader.Read(stream, blob.Name, left)) : Full<LabeledRow>(), ct).ConfigureAwait(false));
        }
        var unlabeled = new List<DropContent<UnlabeledRow>>();
        foreach (BlobInfo blob in listing.Unlabeled)
        {
            unlabeled.Add(await ReadAsync(Containers.Unlabeled, dataset, blob, stream => Left(reading, unlabeled) is { } left ? Content(UnlabeledDataReader.Read(stream, blob.Name, left)) : Full<UnlabeledRow>(), ct).ConfigureAwait(false));
        }

        Selection selection = Select(labeled, unlabeled, settings.HeldOutFraction);
        DropReport[] drops = [.. labeled.Select(drop => Report(drop, selection.Rejected))];
        DropReport[] texts = [.. unlabeled.Select(drop => Report(drop, []))];
        LogFaults(Containers.Labeled, dataset, drops, before?.Drops);
        LogFaults(Containers.Unlabeled, dataset, texts, before?.Unlabeled);

        DatasetVersion? version = null;
        if (selection.Refusal is null)
        {
            version = await TryPublishAsync(dataset, selection, Sources(labeled, unlabeled), number, last, ct).ConfigureAwait(false);
            if (version is null)
            {
                return null;
            }
        }
        else if (listing.Labeled.Count > 0)
        {
            LogRefused(dataset, selection.Refusal);
        }
        var manifest = new DatasetManifest
        {
            Dataset = dataset,
            Fingerprint = listing.GetFingerprint(),
            Version = version?.Version,
            Refusal = selection.Refusal,
            Warnings = selection.Warnings,
            Drops = drops,
            Unlabeled = texts,
            Rows = selection.Train.Count + selection.HeldOut.Count,
            Duplicates = selection.Duplicates,
            Contradictions = selection.Contradictions,
            Corrected = selection.Corrected,
            CheckedAt = time.GetUtcNow(),
        };

        // Found as it was: there is nothing to write, so that a step repeated after a lost answer changes nothing.
        bool same = before is not null && SealedJson.Write(manifest with { CheckedAt = before.CheckedAt }).AsSpan().SequenceEqual(SealedJson.Write(before));
        return same || await TryRecordAsync(manifest, mark, ct).ConfigureAwait(false)
            ? new PreparedDataset(dataset, version?.Version, selection.Refusal)
            : null;
    }

    private async Task<bool> TryRecordAsync(DatasetManifest manifest, ETag? before, CancellationToken ct)
    {
        string name = StatePaths.DatasetManifest(manifest.Dataset);
        BlobInfo? written = before is { } etag
            ? await documents.ReplaceAsync(Containers.State, name, manifest, etag, ct).ConfigureAwait(false)
            : await documents.CreateAsync(Containers.State, name, manifest, ct).ConfigureAwait(false);
        if (written is not null)
        {
            return true;
        }
        DatasetManifest? found = await catalog.FindIntactManifestAsync(manifest.Dataset, ct).ConfigureAwait(false);
        return found?.Fingerprint == manifest.Fingerprint && found.Version == manifest.Version && found.Refusal == manifest.Refusal;
    }

    private async Task<DropContent<T>> ReadAsync<T>(
        string container, string dataset, BlobInfo blob, Func<Stream, (IReadOnlyList<T> Rows, IReadOnlyList<RejectedRow> Rejected, long RejectedCount, string? Error)> read, CancellationToken ct)
    {
        await using Stream? stored = await store.OpenReadAsync(container, $"{dataset}/{blob.Name}", ct).ConfigureAwait(false);
        if (stored is null)
        {
            // Deleted since the listing; the next look finds another listing and prepares again.
            return new DropContent<T>(blob, null, [], [], 0, "The file is gone.");
        }
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var digesting = new DigestingStream(stored, hash);
        (IReadOnlyList<T> rows, IReadOnlyList<RejectedRow> rejected, long rejectedCount, string? error) = await Task.Run(() => read(digesting), ct).ConfigureAwait(false);

        // A refused file may have been left in its middle.
        await digesting.CopyToAsync(Stream.Null, ct).ConfigureAwait(false);
        return new DropContent<T>(blob, Convert.ToHexStringLower(hash.GetCurrentHash()), rows, rejected, rejectedCount, error);
    }

    /// <summary>How to read a drop behind others: what is left of the rows that a data set may have. Null where nothing is.</summary>
    private LabeledDataOptions? Left<T>(LabeledDataOptions reading, List<DropContent<T>> before)
    {
        int left = options.Limits.Rows - before.Sum(drop => drop.Rows.Count);
        return left > 0 ? reading with { MaxRows = left } : null;
    }

    private (IReadOnlyList<T>, IReadOnlyList<RejectedRow>, long, string?) Full<T>() => (
        [], [], 0,
        $"The data set has all the {options.Limits.Rows} rows that it may without this file: send it to a data set of its own, or raise the setting Limits:Rows.");

    private Selection Select(List<DropContent<LabeledRow>> labeled, List<DropContent<UnlabeledRow>> unlabeled, double heldOutFraction)
    {
        DatasetSelection chosen = DatasetSelection.Of(
            labeled.SelectMany(drop => drop.Rows.Select(row => new SourcedRow(drop.Blob.Name, row))),
            unlabeled.SelectMany(drop => drop.Rows.Select(row => row.Text)),
            heldOutFraction);
        Dictionary<string, int> train = CountLabels(chosen.Train), heldOut = CountLabels(chosen.HeldOut);
        ClassCount[] classes = [.. chosen.Report.LabelCounts.Keys.Order(StringComparer.Ordinal).Select(label =>
            new ClassCount(label, train.GetValueOrDefault(label), heldOut.GetValueOrDefault(label)))];
        return new Selection(
            chosen.Train, chosen.HeldOut, chosen.Unlabeled, classes, chosen.Rejected, chosen.Unique.DuplicateCount, chosen.Unique.Rejected.Count, chosen.Unique.CorrectedCount,
            RefusalOf(labeled, chosen.Report, classes, chosen.HeldOut.Count, heldOutFraction),
            [.. classes.Where(c => c.Train == 0).Select(c => $"All rows of the class '{c.Label}' are held out, so that it cannot be learnt: send more.")]);
    }

    private static Dictionary<string, int> CountLabels(IReadOnlyList<LabeledRow> rows) =>
        rows.CountBy(row => row.Label, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);

    private string? RefusalOf(List<DropContent<LabeledRow>> labeled, DatasetReport report, ClassCount[] classes, int heldOut, double fraction)
    {
        if (labeled.Count == 0)
        {
            return "There are no labelled drops.";
        }
        if (report.Problems.Count > 0)
        {
            return string.Join(" ", report.Problems);
        }
        if (classes.Length > options.Limits.Labels)
        {
            return $"There are {classes.Length} different labels; {options.Limits.Labels} are the most. Is that the column of labels? If so, raise the setting Limits:Labels.";
        }
        if (classes.Count(c => c.Train > 0) < 2)
        {
            return "Fewer than two classes have rows that are not held out; send more rows.";
        }
        return heldOut > 0
            ? null
            : FormattableString.Invariant($"Of {report.Rows.Count} rows none is held out to measure a model on (heldOutFraction is {fraction}); send more rows or raise it.");
    }

    /// <summary>The version of what was selected, behind the last one that was there before the drops were read; null where another is there now.</summary>
    private async Task<DatasetVersion?> TryPublishAsync(
        string dataset, Selection selection, IReadOnlyList<DropReference> sources, int number, DatasetVersion? last, CancellationToken ct)
    {
        string prefix = StatePaths.DataPayloads(dataset);
        string train = await payloads.PutAsync(prefix, s => DatasetRows.Write(s, selection.Train.Select(row => (row.Text, (string?)row.Label))), ct).ConfigureAwait(false);
        string heldOut = await payloads.PutAsync(prefix, s => DatasetRows.Write(s, selection.HeldOut.Select(row => (row.Text, (string?)row.Label))), ct).ConfigureAwait(false);
        string unlabeled = await payloads.PutAsync(prefix, s => DatasetRows.Write(s, selection.Unlabeled.Select(text => (text, (string?)null))), ct).ConfigureAwait(false);
        string digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes($"{train} {heldOut} {unlabeled}")));
        if (last?.Digest == digest)
        {
            return last;
        }
        var next = new DatasetVersion(
            dataset, number + 1, digest, time.GetUtcNow(), sources, selection.Classes,
            new RowsReference(selection.Train.Count, train), new RowsReference(selection.HeldOut.Count, heldOut), new RowsReference(selection.Unlabeled.Count, unlabeled));
        if (await documents.CreateAsync(Containers.State, StatePaths.DatasetVersion(dataset, next.Version), next, ct).ConfigureAwait(false) is not null)
        {
            LogVersion(dataset, next.Version, next.Train.Rows, next.HeldOut.Rows, next.Unlabeled.Rows, next.Classes.Count, selection.Duplicates, selection.Contradictions, selection.Corrected);
            return next;
        }
        (_, DatasetVersion? other) = await FindLastVersionAsync(dataset, ct).ConfigureAwait(false);
        return other?.Digest == digest ? other : null;
    }

    // The highest number there is, and that version; null where there is none or it is damaged, which is no version to go on with.
    private async Task<(int Number, DatasetVersion? Version)> FindLastVersionAsync(string dataset, CancellationToken ct)
    {
        int last = 0;
        string prefix = StatePaths.DatasetVersions(dataset);
        await foreach (BlobInfo blob in store.ListAsync(Containers.State, prefix, ct).ConfigureAwait(false))
        {
            if (StatePaths.TryNumber(blob.Name, prefix, out int number))
            {
                last = Math.Max(last, number);
            }
        }
        try
        {
            return (last, last == 0 ? null : await catalog.GetVersionAsync(dataset, last, ct).ConfigureAwait(false));
        }
        catch (CorruptBlobException e)
        {
            LogVersionDamaged(e, dataset, last);
            return (last, null);
        }
    }

    private static IReadOnlyList<DropReference> Sources(List<DropContent<LabeledRow>> labeled, List<DropContent<UnlabeledRow>> unlabeled) =>
    [
        .. labeled.Where(drop => drop.Rows.Count > 0).Select(drop => new DropReference($"{Containers.Labeled}/{drop.Blob.Name}", drop.Sha256!)),
        .. unlabeled.Where(drop => drop.Rows.Count > 0).Select(drop => new DropReference($"{Containers.Unlabeled}/{drop.Blob.Name}", drop.Sha256!)),
    ];

    private DropReport Report<T>(DropContent<T> drop, IReadOnlyList<RejectedRow> later)
    {
        RejectedRow[] here = [.. later.Where(row => row.File == drop.Blob.Name)];
        return new DropReport
        {
            Name = drop.Blob.Name,
            ETag = drop.Blob.ETag.Value,
            Bytes = drop.Blob.Length,
            Sha256 = drop.Sha256,
            Accepted = drop.Rows.Count - here.Length,
            Rejected = (int)Math.Min(int.MaxValue, drop.RejectedCount + here.Length),
            Fault = drop.Error is null ? null : new RowFault(1, drop.Error),
            Faults = [.. drop.Rejected.Concat(here.OrderBy(row => row.Line)).Take(options.ReportedRows).Select(row =>
                new RowFault(row.Line, row.Column is { } column ? $"{row.Reason} (column {column})" : row.Reason))],
        };
    }

    private void LogFaults(string container, string dataset, IReadOnlyList<DropReport> drops, IReadOnlyList<DropReport>? before)
    {
        foreach (DropReport drop in drops)
        {
            // Once is enough: the drops of earlier looks have been told of.
            if (before?.Any(old => old.Name == drop.Name && old.ETag == drop.ETag) == true)
            {
                continue;
            }
            if (drop.Fault is { } fault)
            {
                LogFileRefused(container, dataset, drop.Name, fault.Line, fault.Reason);
            }
            foreach (RowFault row in drop.Faults.Take(LoggedRows))
            {
                LogRowRejected(container, dataset, drop.Name, row.Line, row.Reason);
            }
            if (drop.Rejected > LoggedRows)
            {
                LogMoreRejected(container, dataset, drop.Name, drop.Rejected - LoggedRows);
            }
        }
    }

    private static (IReadOnlyList<LabeledRow>, IReadOnlyList<RejectedRow>, long, string?) Content(LabeledFile file) =>
        (file.Rows, file.Rejected, file.RejectedCount, file.Error);

    private static (IReadOnlyList<UnlabeledRow>, IReadOnlyList<RejectedRow>, long, string?) Content(UnlabeledFile file) =>
        (file.Rows, file.Rejected, file.RejectedCount, file.Error);

    [LoggerMessage(50, LogLevel.Warning, "{Container}/{Dataset}/{File}, line {Line}: {Reason} The file is not used.")]
    private partial void LogFileRefused(string container, string dataset, string file, long line, string reason);

    [LoggerMessage(51, LogLevel.Warning, "{Container}/{Dataset}/{File}, line {Line}: {Reason}")]
    private partial void LogRowRejected(string container, string dataset, string file, long line, string reason);

    [LoggerMessage(52, LogLevel.Warning, "{Container}/{Dataset}/{File}: {Count} more rows are rejected; the data set's report has the first of them.")]
    private partial void LogMoreRejected(string container, string dataset, string file, int count);

    [LoggerMessage(53, LogLevel.Warning, "{Dataset}: nothing to train on. {Reason}")]
    private partial void LogRefused(string dataset, string reason);

    [LoggerMessage(54, LogLevel.Information, "{Dataset}: version {Version} of the data has {Train} rows to train on, {HeldOut} held out, {Unlabeled} unlabelled, {Classes} classes ({Duplicates} duplicates, {Contradictions} contradicting rows and {Corrected} corrected ones left out).")]
    private partial void LogVersion(string dataset, int version, int train, int heldOut, int unlabeled, int classes, int duplicates, int contradictions, int corrected);

    [LoggerMessage(55, LogLevel.Error, "{Dataset}: version {Version} of the data is damaged; the drops make a new one.")]
    private partial void LogVersionDamaged(Exception exception, string dataset, int version);

    private sealed record DropContent<T>(
        BlobInfo Blob, string? Sha256, IReadOnlyList<T> Rows, IReadOnlyList<RejectedRow> Rejected, long RejectedCount, string? Error);

    private sealed record Selection(
        IReadOnlyList<LabeledRow> Train, IReadOnlyList<LabeledRow> HeldOut, IReadOnlyList<string> Unlabeled, IReadOnlyList<ClassCount> Classes,
        IReadOnlyList<RejectedRow> Rejected, int Duplicates, int Contradictions, int Corrected, string? Refusal, IReadOnlyList<string> Warnings);
}
