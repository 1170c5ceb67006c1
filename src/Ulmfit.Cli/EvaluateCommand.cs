using System.CommandLine;
using System.Diagnostics;
using Ulmfit.Metrics;
using Ulmfit.Onnx;

namespace Ulmfit.Cli;

/// <summary><c>ulmfit evaluate</c>: the scores of a trained model on labelled text.</summary>
internal static class EvaluateCommand
{
    public static Command Create()
    {
        Option<string> model = new("--model") { Description = "Folder of the trained model", Required = true };
        Option<string> data = new("--data") { Description = "Labelled text: .csv, .tsv or .jsonl, also .gz", Required = true };
        Option<string?> json = new("--json") { Description = "Write the scores to this file as JSON" };
        var columns = new ColumnOptions();
        var command = new Command("evaluate", "Score a trained model on labelled text") { model, data, json };
        columns.AddTo(command);
        command.SetAction((parsed, cancellationToken) => Task.FromResult(Run(
            parsed.GetRequiredValue(model), LabeledFiles.Read(parsed.GetRequiredValue(data), columns.Of(parsed)), parsed.GetValue(json), cancellationToken)));
        return command;
    }

    private static int Run(string model, LabeledRows rows, string? json, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        using OnnxTextClassifier classifier = ModelDirectory.Load(model);
        ClassificationMetrics metrics = Score(classifier, rows, cancellationToken);
        Reports.Print(metrics);
        Reports.WriteJson(json, new ScoreReport(metrics, null, clock.Elapsed.TotalSeconds));
        return ExitCodes.Done;
    }

    /// <summary>Scores of a classifier; labels that it does not know are errors of the input, for no model could get them right.</summary>
    public static ClassificationMetrics Score(OnnxTextClassifier classifier, LabeledRows rows, CancellationToken cancellationToken)
    {
        Dictionary<string, int> classOf = classifier.Labels.Select((label, index) => (label, index)).ToDictionary(pair => pair.label, pair => pair.index, StringComparer.Ordinal);
        string[] unknown = [.. rows.Rows.Select(row => row.Label).Where(label => !classOf.ContainsKey(label)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        if (unknown.Length > 0)
        {
            throw new UsageException($"{rows.Path} has labels that the model does not know: {string.Join(", ", unknown)}. The model's are: {string.Join(", ", classifier.Labels)}.");
        }

        float[][] probabilities = classifier.Predict([.. rows.Rows.Select(row => row.Text)], cancellationToken);
        return ClassificationMetrics.FromProbabilities(classifier.Labels, rows.Rows.Select(row => classOf[row.Label]).ToArray(), probabilities.SelectMany(row => row).ToArray());
    }
}
