namespace Ulmfit.Data;

/// <summary>A labelled row and the file it comes from.</summary>
/// <param name="File">The name of the file.</param>
/// <param name="Row">The row.</param>
public sealed record SourcedRow(string File, LabeledRow Row);

/// <summary>Rows without duplicates.</summary>
/// <param name="Rows">Each text once, the first row that has it, in the order given.</param>
/// <param name="Rejected">The rows of texts that occur with different labels.</param>
/// <param name="DuplicateCount">How many rows were left out because an earlier one has the same text and label.</param>
public sealed record DeduplicationResult(
    IReadOnlyList<SourcedRow> Rows, IReadOnlyList<RejectedRow> Rejected, int DuplicateCount)
{
    /// <summary>How many rows were left out because a correction gives their text another label.</summary>
    public int CorrectedCount { get; init; }
}

/// <summary>
/// Keeps each text once. A text that occurs with different labels teaches nothing that can be trusted: all its rows are
/// rejected, with the place of the other label, rather than one of the labels being guessed. Unless somebody has corrected it:
/// then the label of the last correction counts, whichever files give the text others, before or after. Texts are the same if
/// their <see cref="TextDigest"/> is.
/// </summary>
public static class Deduplication
{
    /// <summary>Sorts out the rows of one file or several.</summary>
    public static DeduplicationResult Apply(IEnumerable<SourcedRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        SourcedRow[] all = [.. rows];
        return Apply(all, Array.ConvertAll(all, row => TextDigest.Of(row.Row.Text)));
    }

    /// <summary>The same for rows whose digests are known.</summary>
    internal static DeduplicationResult Apply(SourcedRow[] all, string[] digests)
    {
        // Which rows say what a text's label is: those of its last correction, or all where there is none.
        var last = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        for (int i = 0; i < all.Length; i++)
        {
            if (all[i].Row.CorrectedAt is { } at && (!last.TryGetValue(digests[i], out DateTimeOffset known) || at > known))
            {
                last[digests[i]] = at;
            }
        }

        bool Counts(int row) => !last.TryGetValue(digests[row], out DateTimeOffset at) || all[row].Row.CorrectedAt == at;
        var first = new Dictionary<string, int>(all.Length, StringComparer.Ordinal);
        var contradicted = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < all.Length; i++)
        {
            if (Counts(i) && !first.TryAdd(digests[i], i) && all[first[digests[i]]].Row.Label != all[i].Row.Label)
            {
                contradicted.TryAdd(digests[i], i);
            }
        }

        var kept = new List<SourcedRow>(first.Count);
        var rejected = new List<RejectedRow>();
        int duplicates = 0, corrected = 0;
        for (int i = 0; i < all.Length; i++)
        {
            int begin = first[digests[i]];
            if (contradicted.TryGetValue(digests[i], out int other))
            {
                SourcedRow against = all[i].Row.Label == all[begin].Row.Label ? all[other] : all[begin];
                rejected.Add(new RejectedRow(
                    all[i].File, all[i].Row.Line, null,
                    $"The text has the label '{all[i].Row.Label}' here and '{against.Row.Label}' in line {against.Row.Line} of {against.File}."));
            }
            else if (begin == i)
            {
                kept.Add(all[i]);
            }
            else if (all[i].Row.Label == all[begin].Row.Label)
            {
                duplicates++;
            }
            else
            {
                corrected++;
            }
        }

        return new DeduplicationResult(kept, rejected, duplicates) { CorrectedCount = corrected };
    }
}
