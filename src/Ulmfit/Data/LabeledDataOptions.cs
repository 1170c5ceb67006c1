namespace Ulmfit.Data;

/// <summary>Names and limits for reading files of texts.</summary>
public sealed record LabeledDataOptions
{
    /// <summary>The name of the column (or JSON property) of texts; if null, <c>text</c> and the usual names are looked for.</summary>
    public string? TextColumn { get; init; }

    /// <summary>The name of the column (or JSON property) of labels; if null, <c>label</c> and the usual names are looked for.</summary>
    public string? LabelColumn { get; init; }

    /// <summary>The JSON property that says when a row corrected a label, a time of ISO 8601; null where rows are no corrections.</summary>
    public string? CorrectedAtColumn { get; init; }

    /// <summary>The longest row, in characters. A longer one is rejected without being held in memory.</summary>
    public int MaxRowLength { get; init; } = 1 << 20;

    /// <summary>The longest label, in characters.</summary>
    public int MaxLabelLength { get; init; } = 256;

    /// <summary>The most different labels; with more the file is refused, since the column is hardly one of labels.</summary>
    public int MaxLabels { get; init; } = 1000;

    /// <summary>The most good rows of a file; with more it is refused.</summary>
    public int MaxRows { get; init; } = 10_000_000;

    /// <summary>The most bytes of a file, after decompression.</summary>
    public long MaxBytes { get; init; } = 2L << 30;

    /// <summary>How many times larger than its gzip file the content may be; beyond the first 16 MiB more is refused as a zip bomb.</summary>
    public int MaxCompressionRatio { get; init; } = 200;

    /// <summary>How many rejected rows are kept with their reasons; the others are only counted.</summary>
    public int MaxRejected { get; init; } = 10_000;

    /// <summary>With more rejected rows than this, where they are more than the good ones, the file is refused and not read to its end.</summary>
    public int MaxUnusable { get; init; } = 100_000;

    /// <exception cref="ArgumentOutOfRangeException">A limit is not positive.</exception>
    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxRowLength, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxLabelLength, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxLabels, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxRows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxBytes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxCompressionRatio, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxRejected);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxUnusable);
    }
}
