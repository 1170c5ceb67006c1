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
        (string Digest, SourcedRow Sourced)[] all = [.. WithDigest(labeled, row => row.Row.Text)
            .OrderBy(row => row.Digest, StringComparer.Ordinal).ThenBy(row => row.Item.Row.Text, StringComparer.Ordinal)
            .ThenBy(row => row.Item.Row.Label, StringComparer.Ordinal)
            .ThenBy(row => row.Item.File, StringComparer.Ordinal).ThenBy(row => row.Item.Row.Line)];
        DeduplicationResult unique = Deduplication.Apply(Array.ConvertAll(all, row => row.Sourced), Array.ConvertAll(all, row => row.Digest));
        DatasetReport report = DatasetChecks.Check(unique.Rows);
        var digests = new Dictionary<SourcedRow, string>(all.Length, ReferenceEqualityComparer.Instance);
        foreach ((string digest, SourcedRow row) in all)
        {
            digests[row] = digest;
        }

        ILookup<bool, LabeledRow> sides = report.Rows.ToLookup(row => HeldOutSplit.IsDigestHeldOut(digests[row], heldOutFraction), row => row.Row);
        var known = report.Rows.Select(row => digests[row]).ToHashSet(StringComparer.Ordinal);
        string[] texts = [.. WithDigest(unlabeled, text => text)
            .Where(text => !known.Contains(text.Digest))
            .OrderBy(text => text.Digest, StringComparer.Ordinal).ThenBy(text => text.Item, StringComparer.Ordinal)
            .DistinctBy(text => text.Digest)
            .Select(text => text.Item)];
        return new DatasetSelection([.. sides[false]], [.. sides[true]], texts, unique, report);
    }

    // The digests are most of the work and each is by itself; the order of the items stays.
    private static (string Digest, T Item)[] WithDigest<T>(IEnumerable<T> items, Func<T, string> text)
    {
        T[] all = [.. items];
        var pairs = new (string Digest, T Item)[all.Length];
        Parallel.For(0, all.Length, i => pairs[i] = (TextDigest.Of(text(all[i])), all[i]));
        return pairs;
    }
}
