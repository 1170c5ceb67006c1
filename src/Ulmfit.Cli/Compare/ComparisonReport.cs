using System.Globalization;
using System.Text;
using Ulmfit.Training;

namespace Ulmfit.Cli.Compare;

/// <summary>What all trainings of a comparison have in common.</summary>
/// <param name="Data">Name of the file that is trained on.</param>
/// <param name="TrainRows">Its rows that are trained on.</param>
/// <param name="HeldOutRows">Its rows that are held out.</param>
/// <param name="UnlabeledTexts">Texts without a class.</param>
/// <param name="Test">Name of the test file.</param>
/// <param name="TestRows">Its rows.</param>
/// <param name="DataDigest">Digest of all rows that are trained on or held out.</param>
/// <param name="TestDigest">Digest of the test rows.</param>
/// <param name="Pretrained">The pretrained model as it was named.</param>
/// <param name="PretrainedDigest">Its digest; null for none.</param>
/// <param name="Engine">What trained.</param>
/// <param name="Settings">The settings before each row changes them.</param>
/// <param name="Seeds">The seeds.</param>
internal sealed record ComparisonSubject(
    string Data, int TrainRows, int HeldOutRows, int UnlabeledTexts, string Test, int TestRows, string DataDigest, string TestDigest,
    string Pretrained, string? PretrainedDigest, string Engine, TrainingSettings Settings, IReadOnlyList<ulong> Seeds)
{
    /// <summary>The same in a paragraph.</summary>
    public string ToMarkdown() => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        Trained on {TrainRows} rows of `{Data}` ({HeldOutRows} more held out, {UnlabeledTexts} texts without label), tested on the {TestRows} rows of `{Test}`.
        Pretrained model: {(PretrainedDigest is null ? "none" : $"`{Pretrained}` ({PretrainedDigest[..12]})")}; engine: {Engine}; seeds: {string.Join(", ", Seeds)}.
        Mean ± standard deviation over the seeds (least–greatest).

        """);
}

/// <summary>A row of a comparison.</summary>
/// <param name="Preset">Name of the preset.</param>
/// <param name="Group">What it is compared with.</param>
/// <param name="Description">What is done.</param>
/// <param name="Settings">Its settings, with the first seed: what <c>ulmfit train --settings</c> takes.</param>
/// <param name="PaperError">Error in the paper, per cent, IMDb / TREC-6 / AG News.</param>
/// <param name="Scores">What was measured.</param>
internal sealed record ComparisonRow(string Preset, string Group, string Description, TrainingSettings Settings, string? PaperError, Measurements Scores);

/// <summary>What <c>ulmfit compare</c> writes.</summary>
/// <param name="Finished">Whether every run is done.</param>
/// <param name="Subject">What the rows have in common.</param>
/// <param name="Rows">The rows, as far as they are done.</param>
internal sealed record ComparisonReport(bool Finished, ComparisonSubject Subject, IReadOnlyList<ComparisonRow> Rows)
{
    /// <summary>The table that goes into a text, and the runs behind it.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder(Subject.ToMarkdown()).Append('\n').Append(Summary()).Append('\n');
        var runs = new MarkdownTable("preset", " seed", " accuracy, %", " macro-F1", " seconds", "weights");
        foreach (ComparisonRow row in Rows)
        {
            foreach (SeedScore run in row.Scores.Runs)
            {
                runs.Add([row.Preset, .. run.Cells()]);
            }
        }

        return text.Append(runs).Append('\n').Append(string.Concat(Rows.Select(row => $"* {row.Preset}: {row.Description}\n"))).ToString();
    }

    /// <summary>The table of presets.</summary>
    public MarkdownTable Summary()
    {
        var table = new MarkdownTable("preset", "reads", " error, %", " accuracy, %", " macro-F1", " seconds", " paper's error: IMDb / TREC-6 / AG");
        foreach (ComparisonRow row in Rows)
        {
            Measurements scores = row.Scores;
            string diverged = scores.Diverged == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", {scores.Diverged} of {scores.Runs.Count} diverged");
            table.Add(
                row.Preset, row.Settings.Directions.ToString().ToLowerInvariant(), Measurements.Cell(scores.Error, 100, "F2") + diverged, Measurements.Cell(scores.Accuracy, 100, "F2"),
                Measurements.Cell(scores.MacroF1, 1, "F4"), Measurements.Cell(scores.Seconds, 1, "F0"), row.PaperError ?? "–");
        }

        return table;
    }
}
