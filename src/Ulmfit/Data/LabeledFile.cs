namespace Ulmfit.Data;

/// <summary>What a file of labelled texts gave.</summary>
public sealed record LabeledFile
{
    /// <summary>The rows that can be used, in the order of the file; none if there is an <see cref="Error"/>.</summary>
    public required IReadOnlyList<LabeledRow> Rows { get; init; }

    /// <summary>The rows that cannot, at most <see cref="LabeledDataOptions.MaxRejected"/> of them.</summary>
    public required IReadOnlyList<RejectedRow> Rejected { get; init; }

    /// <summary>How many rows were rejected in all.</summary>
    public required long RejectedCount { get; init; }

    /// <summary>Why the file as a whole is refused; null if it is fine.</summary>
    public required string? Error { get; init; }

    /// <summary>What was recognised of the form, as far as the reader came.</summary>
    public required DetectedFormat? Format { get; init; }
}
