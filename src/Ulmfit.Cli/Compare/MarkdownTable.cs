using System.Text;

namespace Ulmfit.Cli.Compare;

/// <summary>A table in Markdown, its columns padded so that it also reads well as plain text.</summary>
/// <param name="headings">The headings; those that begin with a space are of columns of numbers, set to the right.</param>
internal sealed class MarkdownTable(params IReadOnlyList<string> headings)
{
    private readonly List<IReadOnlyList<string>> rows = [];

    /// <summary>Adds a row, a cell for each heading.</summary>
    public void Add(params IReadOnlyList<string> cells) => rows.Add([.. cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" "))]);

    public override string ToString()
    {
        bool[] right = [.. headings.Select(heading => heading.StartsWith(' '))];
        IReadOnlyList<string> titles = [.. headings.Select(heading => heading.Trim())];
        int[] widths = [.. titles.Select((title, column) => rows.Select(row => row[column].Length).Append(title.Length).Append(3).Max())];
        var text = new StringBuilder();
        void Line(Func<int, string> cell) => text.Append("| ").AppendJoin(" | ", Enumerable.Range(0, titles.Count).Select(cell)).Append(" |\n");
        string Padded(string cell, int column) => right[column] ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]);
        Line(column => Padded(titles[column], column));
        Line(column => right[column] ? new string('-', widths[column] - 1) + ":" : new string('-', widths[column]));
        foreach (IReadOnlyList<string> row in rows)
        {
            Line(column => Padded(row[column], column));
        }

        return text.ToString();
    }
}
