using System.Text;

namespace Ulmfit.Data;

/// <summary>A row of a file with columns.</summary>
/// <param name="Line">The line in which it begins.</param>
/// <param name="Fields">Its fields; null if it cannot be read.</param>
/// <param name="Problem">Why it cannot be used; null if it is fine.</param>
/// <param name="Column">The character at which the problem is, from 1.</param>
internal readonly record struct DelimitedRecord(long Line, IReadOnlyList<string>? Fields, string? Problem = null, int? Column = null);

/// <summary>
/// Reads rows of delimited columns as RFC 4180 has them: a field in quotes may hold delimiters, line ends and doubled
/// quotes. A quote within a field that does not begin with one is text.
/// <para>
/// A row that cannot be right costs itself alone and not the rest of the file: if a quote is never closed, or is closed in
/// the middle of a field, or closes lines later with another number of columns than the file has, the line in which the
/// row begins is rejected and reading goes on with the line behind it. In files parted by tabs, whose writers often do not
/// quote at all, such a line is read once more with the quotes as text.
/// </para>
/// </summary>
internal sealed class DelimitedRecordReader
{
    /// <summary>
    /// How many characters may be read a second time for rows that did not close their quote; beyond that a quote must
    /// close in its own line, so that no file takes time beyond proportion.
    /// </summary>
    private const long MaxReread = 64L << 20;

    private readonly Func<PhysicalLine?> source;
    private readonly char delimiter;
    private readonly int maxLength;
    private readonly Stack<PhysicalLine> again = new();
    private readonly List<PhysicalLine> following = [];
    private readonly StringBuilder field = new();
    private long reread;

    internal DelimitedRecordReader(Func<PhysicalLine?> source, char delimiter, int maxLength)
    {
        this.source = source;
        this.delimiter = delimiter;
        this.maxLength = maxLength;
    }

    /// <summary>How many columns the rows have, once that is known.</summary>
    internal int? Columns { get; set; }

    /// <summary>The next row that is not blank, null at the end of the file.</summary>
    internal DelimitedRecord? Next()
    {
        while (NextLine() is { } line)
        {
            if (line.Text is null)
            {
                return new DelimitedRecord(line.Number, null, line.Problem, line.Column);
            }

            if (line.Problem is null && string.IsNullOrWhiteSpace(line.Text))
            {
                continue;
            }

            return Read(line);
        }

        return null;
    }

    private PhysicalLine? NextLine() => again.TryPop(out PhysicalLine line) ? line : source();

    private DelimitedRecord Read(PhysicalLine first)
    {
        string text = first.Text!;
        if (!text.Contains('"'))
        {
            return new DelimitedRecord(first.Number, text.Split(delimiter), first.Problem, first.Column);
        }

        following.Clear();
        var fields = new List<string>();
        (string? problem, int column) = Parse(text, fields, out PhysicalLine? flawed);
        if (problem is null && following.Count > 0 && Columns is { } columns && fields.Count != columns)
        {
            problem = $"A quotation mark opened in this line closes only in line {following[^1].Number}, " +
                $"and the row then has {fields.Count} columns instead of {columns}.";
            column = text.IndexOf('"', StringComparison.Ordinal) + 1;
        }

        if (problem is not null)
        {
            ReadAgain();
            return delimiter == '\t'
                ? new DelimitedRecord(first.Number, text.Split(delimiter), first.Problem, first.Column)
                : new DelimitedRecord(first.Number, null, first.Problem ?? problem, first.Problem is null ? column : first.Column);
        }

        if (first.Problem is not null)
        {
            return new DelimitedRecord(first.Number, fields, first.Problem, first.Column);
        }

        return flawed is { } bad
            ? new DelimitedRecord(first.Number, fields, $"In line {bad.Number} of the row: {bad.Problem}")
            : new DelimitedRecord(first.Number, fields);
    }

    /// <summary>
    /// Cuts a row into fields, going on to further lines within quotes. Answers what is wrong, and at which character of
    /// the first line.
    /// </summary>
    private (string? Problem, int Column) Parse(string line, List<string> fields, out PhysicalLine? flawed)
    {
        flawed = null;
        long length = line.Length;
        int i = 0;
        while (true)
        {
            if (i >= line.Length || line[i] != '"')
            {
                int end = line.IndexOf(delimiter, i);
                fields.Add(end < 0 ? line[i..] : line[i..end]);
                if (end < 0)
                {
                    return (null, 0);
                }

                i = end + 1;
                continue;
            }

            int opened = following.Count == 0 ? i + 1 : 1;
            field.Clear();
            i++;
            while (true)
            {
                int quote = line.IndexOf('"', i);
                if (quote >= 0)
                {
                    field.Append(line, i, quote - i);
                    i = quote + 1;
                    if (i < line.Length && line[i] == '"')
                    {
                        field.Append('"');
                        i++;
                        continue;
                    }

                    break;
                }

                field.Append(line, i, line.Length - i).Append('\n');
                if (reread > MaxReread)
                {
                    return ("The quotation mark opened here is not closed in its line.", opened);
                }

                if (NextLine() is not { } next)
                {
                    return ("The quotation mark opened here is not closed before the end of the file.", opened);
                }

                following.Add(next);
                length += (next.Text?.Length ?? maxLength) + 1L;
                if (next.Text is null || length > maxLength)
                {
                    return ($"The quotation mark opened here is not closed within the {maxLength} characters allowed for a row.", opened);
                }

                if (next.Problem is not null)
                {
                    flawed ??= next;
                }

                line = next.Text;
                i = 0;
            }

            while (i < line.Length && line[i] == ' ' && delimiter != ' ')
            {
                i++;
            }

            if (i < line.Length && line[i] != delimiter)
            {
                return following.Count == 0
                    ? ($"After the closing quotation mark '{delimiter}' or the end of the line was expected, '{line[i]}' was found.", i + 1)
                    : ($"The quotation mark opened here is not closed: the next one, in line {following[^1].Number}, is followed by '{line[i]}'.", opened);
            }

            fields.Add(field.ToString());
            if (i >= line.Length)
            {
                return (null, 0);
            }

            i++;
        }
    }

    private void ReadAgain()
    {
        for (int i = following.Count - 1; i >= 0; i--)
        {
            again.Push(following[i]);
            reread += following[i].Text?.Length ?? 0;
        }
    }
}
