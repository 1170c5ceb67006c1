using System.Globalization;

namespace Ulmfit.Data;

/// <summary>What a delimited file looks like.</summary>
/// <param name="Delimiter">What parts the columns.</param>
/// <param name="HasHeader">Whether the first row names the columns.</param>
/// <param name="Columns">How many columns each row has.</param>
/// <param name="TextIndex">The column of texts.</param>
/// <param name="LabelIndex">The column of labels, −1 if none is read.</param>
/// <param name="Names">What the header names, empty without one.</param>
internal sealed record DelimitedFormat(
    char Delimiter, bool HasHeader, int Columns, int TextIndex, int LabelIndex, IReadOnlyList<string> Names)
{
    internal DetectedFormat Describe() => new(Delimiter, HasHeader, Name(TextIndex), LabelIndex < 0 ? null : Name(LabelIndex));

    private string Name(int index) =>
        HasHeader ? Names[index].Trim() : (index + 1).ToString(CultureInfo.InvariantCulture);
}

/// <summary>
/// Recognises delimiter, header and columns from the first rows. The delimiter is the one that shows a header with known
/// names, else the one that gives the rows the same number of columns. Without a header there must be two columns (one
/// if no label is read); the labels are the column with fewer different values, or else with the shorter ones.
/// </summary>
internal static class DelimitedFormatDetector
{
    /// <summary>How many lines are looked at.</summary>
    internal const int SampleLines = 200;

    private const int LongestName = 40;

    /// <exception cref="FileRefusedException">The columns that are needed are not there.</exception>
    internal static DelimitedFormat Detect(
        IReadOnlyList<PhysicalLine> sample, string delimiters, bool needsLabel, LabeledDataOptions options)
    {
        (char delimiter, List<IReadOnlyList<string>> rows) = ChooseDelimiter(sample, delimiters, needsLabel, options);
        if (rows.Count == 0)
        {
            // Nothing can be read; each row will be rejected with its own reason.
            return new DelimitedFormat(delimiter, false, needsLabel ? 2 : 1, needsLabel ? 1 : 0, needsLabel ? 0 : -1, []);
        }

        IReadOnlyList<string> first = rows[0];
        return IsHeader(first, needsLabel, options)
            ? WithHeader(delimiter, first, needsLabel, options)
            : WithoutHeader(delimiter, rows, needsLabel);
    }

    private static (char Delimiter, List<IReadOnlyList<string>> Rows) ChooseDelimiter(
        IReadOnlyList<PhysicalLine> sample, string delimiters, bool needsLabel, LabeledDataOptions options)
    {
        char best = delimiters[0];
        List<IReadOnlyList<string>>? bestRows = null;
        double bestScore = -1;
        foreach (char delimiter in delimiters)
        {
            int next = 0;
            var reader = new DelimitedRecordReader(
                () => next < sample.Count ? sample[next++] : null, delimiter, options.MaxRowLength);
            var rows = new List<IReadOnlyList<string>>();
            while (reader.Next() is { } record)
            {
                if (record is { Fields: { } fields, Problem: null })
                {
                    rows.Add(fields);
                }
            }

            double score = Score(rows, needsLabel, options);
            if (score > bestScore)
            {
                (best, bestRows, bestScore) = (delimiter, rows, score);
            }
        }

        return (best, bestRows ?? []);
    }

    private static double Score(List<IReadOnlyList<string>> rows, bool needsLabel, LabeledDataOptions options)
    {
        if (rows.Count == 0)
        {
            return 0;
        }

        int columns = UsualColumns(rows);
        double consistent = columns < 2 ? 0 : (double)rows.Count(r => r.Count == columns) / rows.Count;
        bool text = ColumnNames.Find(rows[0], options.TextColumn, ColumnNames.Texts) >= 0;
        bool label = ColumnNames.Find(rows[0], options.LabelColumn, ColumnNames.Labels) >= 0;
        return consistent + (text && (label || !needsLabel) ? 2 : 0) + (text || label ? 1 : 0);
    }

    private static int UsualColumns(List<IReadOnlyList<string>> rows) =>
        rows.GroupBy(r => r.Count).OrderByDescending(g => g.Count()).ThenByDescending(g => g.Key).First().Key;

    private static bool IsHeader(IReadOnlyList<string> first, bool needsLabel, LabeledDataOptions options)
    {
        if (options.TextColumn is not null || (needsLabel && options.LabelColumn is not null))
        {
            return true;
        }

        bool text = ColumnNames.Find(first, null, ColumnNames.Texts) >= 0;
        bool label = ColumnNames.Find(first, null, ColumnNames.Labels) >= 0;
        return (text && label)
            || ((text || label) && first.All(name => name.Trim() is { Length: > 0 and <= LongestName } n && n.Count(c => c == ' ') < 3));
    }

    private static DelimitedFormat WithHeader(
        char delimiter, IReadOnlyList<string> header, bool needsLabel, LabeledDataOptions options)
    {
        string columns = string.Join(", ", header.Select(h => $"'{h.Trim()}'"));
        int text = ColumnNames.Find(header, options.TextColumn, ColumnNames.Texts);
        if (text < 0)
        {
            throw new FileRefusedException(
                $"There is no column of texts: the header names {columns}; {ColumnNames.Describe(options.TextColumn, ColumnNames.Texts)} was expected.");
        }

        int label = needsLabel ? ColumnNames.Find(header, options.LabelColumn, ColumnNames.Labels) : -1;
        if (needsLabel && label < 0)
        {
            throw new FileRefusedException(
                $"There is no column of labels: the header names {columns}; {ColumnNames.Describe(options.LabelColumn, ColumnNames.Labels)} was expected.");
        }

        if (text == label)
        {
            throw new FileRefusedException($"The column '{header[text].Trim()}' cannot hold both the texts and the labels.");
        }

        foreach (int used in label < 0 ? (int[])[text] : [text, label])
        {
            for (int i = 0; i < header.Count; i++)
            {
                if (i != used && string.Equals(header[i].Trim(), header[used].Trim(), StringComparison.OrdinalIgnoreCase))
                {
                    throw new FileRefusedException(
                        $"The header names '{header[used].Trim()}' twice, as columns {Math.Min(i, used) + 1} and {Math.Max(i, used) + 1}.");
                }
            }
        }

        return new DelimitedFormat(delimiter, true, header.Count, text, label, header);
    }

    private static DelimitedFormat WithoutHeader(char delimiter, List<IReadOnlyList<string>> rows, bool needsLabel)
    {
        int columns = UsualColumns(rows);
        int expected = needsLabel ? 2 : 1;
        if (columns != expected)
        {
            throw new FileRefusedException(
                $"The file has no header that names its columns, and {columns} of them where {expected} {(expected == 1 ? "was" : "were")} expected; " +
                $"the first row is {string.Join(", ", rows[0].Take(8).Select(f => $"'{Shorten(f)}'"))}. Give it a header with {(needsLabel ? "'text' and 'label'" : "'text'")}.");
        }

        if (!needsLabel)
        {
            return new DelimitedFormat(delimiter, false, 1, 0, -1, []);
        }

        List<IReadOnlyList<string>> pairs = rows.FindAll(r => r.Count == 2);
        int firstValues = pairs.Select(r => r[0].Trim()).Distinct(StringComparer.Ordinal).Count();
        int secondValues = pairs.Select(r => r[1].Trim()).Distinct(StringComparer.Ordinal).Count();
        bool labelFirst = firstValues != secondValues
            ? firstValues < secondValues
            : pairs.Sum(r => (long)r[0].Length) <= pairs.Sum(r => (long)r[1].Length);
        return new DelimitedFormat(delimiter, false, 2, labelFirst ? 1 : 0, labelFirst ? 0 : 1, []);
    }

    private static string Shorten(string field) => field.Length <= LongestName ? field : field[..LongestName] + "…";
}
