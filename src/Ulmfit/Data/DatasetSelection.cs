namespace Ulmfit.Data;

/// <summary>
/// What of some files is trained on and what is held out. The order of everything follows from the texts alone, so that the same rows
/// give the same training whichever files they come in and in whichever order.
/// </summary>
/// <param name="Train">Rows to train on.</param>
/// <param name="HeldOut">Rows to measure on.</param>
/// <param name="Unlabeled">Texts without a class, each once; a text that has a class somewhere is not among them.</param>
/// <param name="Unique">Duplicates and contradictions.</param>
/// <param name="Report">Classes, rows of classes that are too small, and why the set cannot be trained on.</param>
public sealed record DatasetSelection(
    IReadOnlyList<LabeledRow> Train, IReadOnlyList<LabeledRow> HeldOut, IReadOnlyList<string> Unlabeled, DeduplicationResult Unique, DatasetReport Report)
{
    /// <summary>Rows that are used in neither way, with the reason.</summary>
    public IReadOnlyList<RejectedRow> Rejected => [.. Unique.Rejected, .. Report.Rejected];

    /// <summary>Selects: duplicates and contradictions out, classes checked, split by hash of the text.</summary>
    /// <param name="labeled">The good rows of all labelled files.</param>
    /// <param name="unlabeled">The good texts of all unlabelled files.</param>
    /// <param name="heldOutFraction">Share of the rows that is held out.</param>
    public static DatasetSelection Of(IEnumerable<SourcedRow> labeled, IEnumerable<string> unlabeled, double heldOutFraction)
    {
        ArgumentNullException.ThrowIfNull(labeled);
        ArgumentNullException.ThrowIfNull(unlabeled);
        IEnumerable<SourcedRow> all = labeled
            .Select(row => (Digest: TextDigest.Of(row.Row.Text), Sourced: row))
            .OrderBy(row => row.Digest, StringComparer.Ordinal).ThenBy(row => row.Sourced.Row.Text, StringComparer.Ordinal)
            .ThenBy(row => row.Sourced.Row.Label, StringComparer.Ordinal)
            .ThenBy(row => row.Sourced.File, StringComparer.Ordinal).ThenBy(row => row.Sourced.Row.Line)
            .Select(row => row.Sourced);
        DeduplicationResult unique = Deduplication.Apply(all);
        DatasetReport report = DatasetChecks.Check(unique.Rows);
        ILookup<bool, LabeledRow> sides = report.Rows.Select(row => row.Row).ToLookup(row => HeldOutSplit.IsHeldOut(row.Text, heldOutFraction));
        var known = report.Rows.Select(row => TextDigest.Of(row.Row.Text)).ToHashSet(StringComparer.Ordinal);
        string[] texts = [.. unlabeled
            .Select(text => (Digest: TextDigest.Of(text), Text: text))
            .Where(text => !known.Contains(text.Digest))
            .OrderBy(text => text.Digest, StringComparer.Ordinal).ThenBy(text => text.Text, StringComparer.Ordinal)
            .DistinctBy(text => text.Digest)
            .Select(text => text.Text)];
        return new DatasetSelection([.. sides[false]], [.. sides[true]], texts, unique, report);
    }
}
