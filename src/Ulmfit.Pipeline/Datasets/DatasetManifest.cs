namespace Ulmfit.Pipeline.Datasets;

/// <summary>What the last look at a data set's drops found. Drops that it does not list are yet to be looked at.</summary>
public sealed record DatasetManifest
{
    /// <summary>The data set.</summary>
    public required string Dataset { get; init; }

    /// <summary>A digest of the names and versions of the drops that were looked at.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>The version that these drops give; null when they give none.</summary>
    public int? Version { get; init; }

    /// <summary>Why the drops give nothing to train on; null when they do.</summary>
    public string? Refusal { get; init; }

    /// <summary>What is odd about the data although it can be trained on.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Labelled drops, in order of their names.</summary>
    public required IReadOnlyList<DropReport> Drops { get; init; }

    /// <summary>Unlabelled drops, in order of their names.</summary>
    public required IReadOnlyList<DropReport> Unlabeled { get; init; }

    /// <summary>Labelled rows that were kept.</summary>
    public int Rows { get; init; }

    /// <summary>Rows left out because another has the same text and label.</summary>
    public int Duplicates { get; init; }

    /// <summary>Rows left out because others have the same text with another label.</summary>
    public int Contradictions { get; init; }

    /// <summary>Rows left out because a correction gives their text another label.</summary>
    public int Corrected { get; init; }

    /// <summary>When the drops were first found to be so.</summary>
    public required DateTimeOffset CheckedAt { get; init; }
}

/// <summary>What was found in a drop.</summary>
public sealed record DropReport
{
    /// <summary>The drop's name.</summary>
    public required string Name { get; init; }

    /// <summary>The mark of the version that was read.</summary>
    public required string ETag { get; init; }

    /// <summary>Its size.</summary>
    public required long Bytes { get; init; }

    /// <summary>The digest of its content; null when it was not read.</summary>
    public string? Sha256 { get; init; }

    /// <summary>Rows it has that can be used.</summary>
    public int Accepted { get; init; }

    /// <summary>Rows it has that cannot.</summary>
    public int Rejected { get; init; }

    /// <summary>Why the whole file cannot be used; null when it can.</summary>
    public RowFault? Fault { get; init; }

    /// <summary>The first of the rows that cannot be used.</summary>
    public IReadOnlyList<RowFault> Faults { get; init; } = [];
}

/// <summary>What is wrong at a place of a drop.</summary>
/// <param name="Line">The line, from 1.</param>
/// <param name="Reason">What was found and what was expected.</param>
public sealed record RowFault(long Line, string Reason);
