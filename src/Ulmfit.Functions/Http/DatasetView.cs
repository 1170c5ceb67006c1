using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Feedback;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Storage;

namespace Ulmfit.Functions.Http;

/// <summary>A data set as the API tells it.</summary>
internal sealed record DatasetView
{
    public required string Dataset { get; init; }

    /// <summary><c>pending</c>: drops are yet to be looked at; <c>ready</c>; <c>refused</c>: they give nothing to train on; <c>empty</c>.</summary>
    public required string Status { get; init; }

    /// <summary>Why the drops give nothing to train on.</summary>
    public string? Reason { get; init; }

    public required IReadOnlyList<string> Warnings { get; init; }

    public int? Version { get; init; }

    public required int Rows { get; init; }

    public required int TrainRows { get; init; }

    public required int HeldOutRows { get; init; }

    public required int UnlabeledRows { get; init; }

    public required int Duplicates { get; init; }

    public required int Contradictions { get; init; }

    public required int Corrected { get; init; }

    /// <summary>Rows of feedback that wait to become a drop.</summary>
    public required int FeedbackWaiting { get; init; }

    public required IReadOnlyList<ClassCount> Classes { get; init; }

    public required IReadOnlyList<DropView> Drops { get; init; }

    public required IReadOnlyList<DropView> Unlabeled { get; init; }

    public required IReadOnlyList<VersionView> Versions { get; init; }

    /// <summary>What holds up the work on the data set; null when nothing does. It goes on by itself when the cause is gone.</summary>
    public RunWait? Waiting { get; init; }

    /// <summary>The run that has not ended.</summary>
    public string? ActiveRun { get; init; }

    /// <summary>Reads a data set; null when there is none.</summary>
    public static async Task<DatasetView?> ReadAsync(DatasetCatalog datasets, RunRegistry runs, RunWaits waits, FeedbackStore feedback, string dataset, CancellationToken ct)
    {
        if (!await datasets.ExistsAsync(dataset, ct))
        {
            return null;
        }
        DatasetManifest? manifest = await datasets.FindManifestAsync(dataset, ct);
        DropListing listing = await datasets.ListDropsAsync(dataset, ct);
        IReadOnlyList<DatasetVersion> versions = await datasets.ListVersionsAsync(dataset, ct);
        DatasetVersion? version = versions.FirstOrDefault(v => v.Version == manifest?.Version);
        DropView[] drops = Views(listing.Labeled, manifest?.Drops);
        DropView[] unlabeled = Views(listing.Unlabeled, manifest?.Unlabeled);
        return new DatasetView
        {
            Dataset = dataset,
            Status = drops.Concat(unlabeled).Any(drop => drop.Status == "pending") ? "pending"
                : drops.Length == 0 ? "empty"
                : manifest?.Refusal is not null ? "refused"
                : "ready",
            Reason = manifest?.Refusal,
            Warnings = manifest?.Warnings ?? [],
            Version = manifest?.Version,
            Rows = manifest?.Rows ?? 0,
            TrainRows = version?.Train.Rows ?? 0,
            HeldOutRows = version?.HeldOut.Rows ?? 0,
            UnlabeledRows = version?.Unlabeled.Rows ?? 0,
            Duplicates = manifest?.Duplicates ?? 0,
            Contradictions = manifest?.Contradictions ?? 0,
            Corrected = manifest?.Corrected ?? 0,
            FeedbackWaiting = await feedback.CountAsync(dataset, ct),
            Classes = version?.Classes ?? [],
            Drops = drops,
            Unlabeled = unlabeled,
            Versions = [.. versions.Select(v => new VersionView(v.Version, v.CreatedAt, v.Train.Rows, v.HeldOut.Rows, v.Unlabeled.Rows, v.Classes.Count, v.Digest))],
            Waiting = waits.Find(dataset),
            ActiveRun = (await runs.FindActiveAsync(dataset, ct))?.GetId().ToString(),
        };
    }

    /// <summary>What a list of data sets tells of this one.</summary>
    public object GetSummary() => new
    {
        Dataset,
        Status,
        Reason,
        Version,
        Rows,
        TrainRows,
        HeldOutRows,
        UnlabeledRows,
        Classes = Classes.Count,
        Drops = Drops.Select(drop => new { drop.Name, drop.Status, drop.Accepted, drop.Rejected }),
        ActiveRun,
    };

    private static DropView[] Views(IReadOnlyList<BlobInfo> listing, IReadOnlyList<DropReport>? reports) =>
    [
        .. listing.Select(blob => reports?.FirstOrDefault(report => report.Name == blob.Name && report.ETag == blob.ETag.Value) is { } report
            ? new DropView(
                blob.Name,
                report.Fault is null ? "accepted" : "rejected",
                blob.Length,
                report.Sha256,
                report.Accepted,
                report.Rejected,
                [.. (report.Fault is null ? [] : new[] { report.Fault }).Concat(report.Faults).Select(fault => new FaultView(blob.Name, fault.Line, fault.Reason))])
            : new DropView(blob.Name, "pending", blob.Length, null, 0, 0, [])),
    ];
}

/// <summary>A drop as the API tells it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Status"><c>pending</c>, <c>accepted</c>, or <c>rejected</c>: the whole file cannot be used.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">The digest of its content.</param>
/// <param name="Accepted">Rows that can be used.</param>
/// <param name="Rejected">Rows that cannot.</param>
/// <param name="Errors">The first of the faults; there are as many as <paramref name="Rejected"/> says.</param>
internal sealed record DropView(string Name, string Status, long Bytes, string? Sha256, int Accepted, int Rejected, IReadOnlyList<FaultView> Errors);

/// <summary>A fault as the API tells it.</summary>
/// <param name="File">The drop.</param>
/// <param name="Line">The line, from 1.</param>
/// <param name="Reason">What was found and what was expected.</param>
internal sealed record FaultView(string File, long Line, string Reason);

/// <summary>A version as the API tells it.</summary>
internal sealed record VersionView(int Version, DateTimeOffset CreatedAt, int TrainRows, int HeldOutRows, int UnlabeledRows, int Classes, string Digest);
