namespace Ulmfit.Data;

/// <summary>What a set of rows must have to be trained on.</summary>
public sealed record DatasetCheckOptions
{
    /// <summary>How many rows a class must have; the rows of a smaller one are rejected.</summary>
    public int MinimumRowsPerLabel { get; init; } = 2;

    /// <summary>How many rows there must be in all, once small classes are left out.</summary>
    public int MinimumRows { get; init; } = 10;

    /// <summary>How many classes there must be, once small ones are left out.</summary>
    public int MinimumLabels { get; init; } = 2;
}

/// <summary>What the checks found.</summary>
/// <param name="Rows">The rows of the classes that are large enough, in the order given.</param>
/// <param name="Rejected">The rows of the others.</param>
/// <param name="LabelCounts">The classes that stay, in ordinal order, and their rows.</param>
/// <param name="Problems">Why the set cannot be trained on; empty if it can.</param>
public sealed record DatasetReport(
    IReadOnlyList<SourcedRow> Rows,
    IReadOnlyList<RejectedRow> Rejected,
    IReadOnlyDictionary<string, int> LabelCounts,
    IReadOnlyList<string> Problems);

/// <summary>Checks that a set of rows can be trained on.</summary>
public static class DatasetChecks
{
    /// <summary>Leaves out classes with too few rows and says whether the rest is enough.</summary>
    public static DatasetReport Check(IEnumerable<SourcedRow> rows, DatasetCheckOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(rows);
        options ??= new DatasetCheckOptions();
        SourcedRow[] all = [.. rows];
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (SourcedRow row in all)
        {
            counts[row.Row.Label] = counts.GetValueOrDefault(row.Row.Label) + 1;
        }

        var kept = new List<SourcedRow>(all.Length);
        var rejected = new List<RejectedRow>();
        foreach (SourcedRow row in all)
        {
            int count = counts[row.Row.Label];
            if (count >= options.MinimumRowsPerLabel)
            {
                kept.Add(row);
            }
            else
            {
                rejected.Add(new RejectedRow(
                    row.File, row.Row.Line, null,
                    $"The label '{row.Row.Label}' has {count} of the {options.MinimumRowsPerLabel} rows that a label needs."));
            }
        }

        var remaining = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach ((string label, int count) in counts)
        {
            if (count >= options.MinimumRowsPerLabel)
            {
                remaining.Add(label, count);
            }
        }

        var problems = new List<string>();
        if (kept.Count < options.MinimumRows)
        {
            problems.Add($"There are {kept.Count} usable rows; at least {options.MinimumRows} are needed.");
        }

        if (remaining.Count < options.MinimumLabels)
        {
            string found = remaining.Count == 0
                ? "no label"
                : $"only the label{(remaining.Count == 1 ? "" : "s")} {string.Join(", ", remaining.Keys.Select(label => $"'{label}' ({FirstPlace(kept, label)})"))}";
            problems.Add($"There is {found} with enough rows; at least {options.MinimumLabels} labels are needed.");
        }

        return new DatasetReport(kept, rejected, remaining, problems);
    }

    private static string FirstPlace(List<SourcedRow> rows, string label)
    {
        SourcedRow first = rows.Where(row => row.Row.Label == label).OrderBy(row => row.File, StringComparer.Ordinal).ThenBy(row => row.Row.Line).First();
        return $"first in {first.File}, line {first.Row.Line}";
    }
}
