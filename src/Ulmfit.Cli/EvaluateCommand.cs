using System.CommandLine;
using System.Diagnostics;
using Ulmfit.Cli.Terminal;
using Ulmfit.Onnx;
using Ulmfit.Reports;
using Ulmfit.Training;

namespace Ulmfit.Cli;

/// <summary><c>ulmfit evaluate</c>: the scores of a trained model on labelled text.</summary>
internal static class EvaluateCommand
{
    public static Command Create()
    {
        Option<string> model = new("--model") { Description = "Folder that train --out wrote", HelpName = "DIR", Required = true };
        Option<string> data = new("--data") { Description = "Labelled text: .csv, .tsv or .jsonl, also .gz", HelpName = "FILE", Required = true };
        var json = JsonOption.WithFile("the scores");
        Option<string?> report = new("--report") { Description = "Write the scores to this .html file as a page with charts, and to the .json file of that name", HelpName = "FILE" };
        Option<int> hardest = new("--hardest-examples") { Description = "How many of the rows with the highest loss the report shows with their text", HelpName = "N", DefaultValueFactory = _ => new ReportSettings().HardestExamples };
        Option<bool> int8 = new("--int8") { Description = "Score the model as it answers in int8, quantised as at its publication" };
        var columns = new ColumnOptions();
        var command = new DocumentedCommand(
            "evaluate",
            "Score a trained model on labelled text",
            "The scores are accuracy, macro-F1, precision and recall of each class, and how well probabilities are calibrated.",
            "ulmfit evaluate --model model --data test.csv",
            "ulmfit evaluate --model model --data test.csv --report scores.html --json | jq .macroF1")
        {
            model, data, json.Option, report, hardest, int8,
        };
        columns.AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            string? page = parsed.GetValue(report);
            if (page is not null && !page.EndsWith(".html", StringComparison.OrdinalIgnoreCase))
            {
                throw new UsageException($"--report must name an .html file, not '{page}'.");
            }

            int shown = parsed.GetValue(hardest);
            if (shown < 0)
            {
                throw new UsageException("--hardest-examples must not be negative.");
            }

            LabeledRows rows = LabeledFiles.Read(parsed.GetRequiredValue(data), columns.Of(parsed));
            return Task.FromResult(Run(parsed.GetRequiredValue(model), parsed.GetValue(int8) ? OnnxPrecision.Int8 : OnnxPrecision.Float32, rows, parsed, json, page, shown, cancellationToken));
        });
        return command;
    }

    /// <summary>The scores of a classifier.</summary>
    /// <param name="classifier">The classifier.</param>
    /// <param name="kind">Which rows they are.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="hardest">How many of the hardest rows are kept with their text.</param>
    /// <param name="cancellationToken">Stops the computation.</param>
    /// <param name="calibrate">What becomes of the probabilities before they are scored; null for nothing.</param>
    public static RowScores Score(
        OnnxTextClassifier classifier, RowsKind kind, LabeledRows rows, int hardest, CancellationToken cancellationToken, Action<float[][]>? calibrate = null)
    {
        CheckLabels(classifier.Labels, rows);
        float[][] probabilities = classifier.Predict([.. rows.Rows.Select(row => row.Text)], cancellationToken);
        calibrate?.Invoke(probabilities);
        return RowScores.Of(kind, kind == RowsKind.Test ? Path.GetFileName(rows.Path) : null, classifier.Labels, rows.Rows, probabilities, hardest);
    }

    /// <summary>Labels that a classifier does not know are errors of the input, for no model could get them right.</summary>
    public static void CheckLabels(IReadOnlyList<string> known, LabeledRows rows)
    {
        string[] unknown = [.. rows.Rows.Select(row => row.Label).Except(known, StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        if (unknown.Length > 0)
        {
            throw new UsageException($"{rows.Path} has labels that the model does not know: {string.Join(", ", unknown)}. The model's are: {string.Join(", ", known)}.");
        }
    }

    private static int Run(string model, OnnxPrecision precision, LabeledRows rows, ParseResult parsed, JsonOption json, string? page, int hardest, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        using OnnxTextClassifier classifier = ModelDirectory.Load(model, precision);
        RowScores scores = Score(classifier, RowsKind.Test, rows, hardest, cancellationToken);
        Reports.Print(json.Open(parsed), scores);
        json.Write(parsed, new ScoreReport(scores, null, null, clock.Elapsed.TotalSeconds));
        if (page is not null)
        {
            // What the training wrote of itself comes along, but for its own test rows.
            TrainingReport known = ReportFiles.Find(model) ?? new TrainingReport { Name = ReportFiles.NameOf(model) };
            ReportFiles.Write(page, known with { Scores = [scores, .. known.Scores.Where(one => one.Rows == RowsKind.HeldOut)] });
        }

        return ExitCodes.Done;
    }
}
