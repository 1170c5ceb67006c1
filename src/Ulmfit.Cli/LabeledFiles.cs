using System.CommandLine;
using System.Globalization;
using Ulmfit.Data;

namespace Ulmfit.Cli;

/// <summary>The options that name the columns of labelled files.</summary>
internal sealed class ColumnOptions
{
    private readonly Option<string?> text = new("--text-column") { Description = "Name of the text column; recognised when not given", HelpName = "NAME" };
    private readonly Option<string?> label = new("--label-column") { Description = "Name of the label column; recognised when not given", HelpName = "NAME" };

    public void AddTo(Command command)
    {
        command.Options.Add(text);
        command.Options.Add(label);
    }

    public LabeledDataOptions Of(ParseResult parsed) => new() { TextColumn = parsed.GetValue(text), LabelColumn = parsed.GetValue(label) };
}

/// <summary>The good rows of a labelled file.</summary>
internal sealed record LabeledRows(string Path, IReadOnlyList<LabeledRow> Rows)
{
    /// <summary>What is trained on and what is held out, chosen as the pipeline does it: the same rows train to the same weights.</summary>
    public DatasetSelection Select(IEnumerable<string> unlabeled, double heldOutFraction)
    {
        DatasetSelection chosen = DatasetSelection.Of(Rows.Select(row => new SourcedRow(Path, row)), unlabeled, heldOutFraction);
        LabeledFiles.PrintRejected(Path, chosen.Rejected, chosen.Rejected.Count);
        return chosen.Report.Problems.Count == 0 ? chosen : throw new UsageException($"{Path} cannot be trained on: {string.Join(" ", chosen.Report.Problems)}");
    }
}

/// <summary>Reads files and tells on standard error what was rejected and why.</summary>
internal static class LabeledFiles
{
    public static LabeledRows Read(string path, LabeledDataOptions options)
    {
        using FileStream stream = Open(path);
        LabeledFile file = LabeledDataReader.Read(stream, Path.GetFileName(path), options);
        PrintRejected(path, file.Rejected, file.RejectedCount);
        return file.Error is null ? new LabeledRows(path, file.Rows) : throw new UsageException($"{path}: {file.Error}");
    }

    public static FileStream Open(string path) => File.Exists(path) ? File.OpenRead(path) : throw new UsageException($"There is no file '{path}'.");

    public static void PrintRejected(string path, IReadOnlyList<RejectedRow> rejected, long count)
    {
        const int Shown = 20;
        foreach (RejectedRow row in rejected.Take(Shown))
        {
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{path}({row.Line}{(row.Column is int column ? $",{column}" : "")}): rejected: {row.Reason}"));
        }

        if (count > Shown)
        {
            Console.Error.WriteLine($"{path}: {count - Shown} further rows rejected");
        }
    }
}

/// <summary>Reads files of texts without labels.</summary>
internal static class UnlabeledFiles
{
    public static IEnumerable<string> Read(string path)
    {
        using FileStream stream = LabeledFiles.Open(path);
        UnlabeledFile file = UnlabeledDataReader.Read(stream, Path.GetFileName(path));
        LabeledFiles.PrintRejected(path, file.Rejected, file.RejectedCount);
        return file.Error is null ? file.Rows.Select(row => row.Text) : throw new UsageException($"{path}: {file.Error}");
    }
}
