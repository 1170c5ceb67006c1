namespace KillMatrix.Driver;

/// <summary>What came of a matrix of kills.</summary>
internal sealed record MatrixResult
{
    /// <summary>How many points there are within the writes of the undisturbed runs.</summary>
    public required int KnownPoints { get; init; }

    /// <summary>Runs that were disturbed.</summary>
    public required int Runs { get; init; }

    /// <summary>Kills at a point within a write.</summary>
    public required int PointKills { get; init; }

    /// <summary>Kills at random instants.</summary>
    public required int InstantKills { get; init; }

    /// <summary>Kills that were to come and did not, because the run ended before: progress notes, for one, depend on the clock.</summary>
    public required int NotReached { get; init; }

    /// <summary>How long all of it took.</summary>
    public required TimeSpan Took { get; init; }

    /// <summary>What differed from the undisturbed runs.</summary>
    public required IReadOnlyList<Finding> Findings { get; init; }

    /// <summary>All kills.</summary>
    public int Kills => PointKills + InstantKills;

    /// <summary>How many findings there are of a kind.</summary>
    public int Count(FindingKind kind) => Findings.Count(finding => finding.Kind == kind);

    /// <summary>The line that sums it up.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"{Kills} kills ({PointKills} within writes, {InstantKills} at random instants) in {Runs} runs: {Count(FindingKind.Digest)} differing digests, {Count(FindingKind.LostDrop)} lost drops, {Count(FindingKind.Stuck)} stuck runs, {Count(FindingKind.Versions)} wrong versions, {Count(FindingKind.Orphan)} orphans; {NotReached} not reached; {Took.TotalSeconds:0} s");
}

/// <summary>Something that kills have changed and must not.</summary>
/// <param name="Kind">Of which kind.</param>
/// <param name="Run">Of which run of the matrix.</param>
/// <param name="Text">What it is, with the kills that the run bore.</param>
internal sealed record Finding(FindingKind Kind, int Run, string Text);

/// <summary>The kinds of findings.</summary>
internal enum FindingKind
{
    /// <summary>A published model has other weights or files than undisturbed.</summary>
    Digest,

    /// <summary>A drop that was acknowledged is not accounted for as it is undisturbed.</summary>
    LostDrop,

    /// <summary>A run does not end, or the host does not start.</summary>
    Stuck,

    /// <summary>There are other runs, versions or promotions than undisturbed.</summary>
    Versions,

    /// <summary>Something is left behind, or missing, in storage.</summary>
    Orphan,
}
