using System.Globalization;
using System.Text.Json;
using Spectre.Console;
using Ulmfit.Cli.Terminal;
using Ulmfit.Metrics;
using Ulmfit.Reports;
using Ulmfit.Training;

namespace Ulmfit.Cli;

/// <summary>Scores in machine-readable form.</summary>
internal sealed record ScoreReport(double Accuracy, double MacroF1, double? LogLoss, int Count, IReadOnlyList<ClassMetrics> PerClass, IReadOnlyList<IReadOnlyList<int>> ConfusionMatrix, double ExpectedCalibrationError, CalibrationFit? Calibration, string? WeightsDigest, double Seconds)
{
    public ScoreReport(RowScores scores, CalibrationFit? calibration, string? weightsDigest, double seconds)
        : this(
            scores.Metrics.Accuracy, scores.Metrics.MacroF1, scores.Metrics.LogLoss, scores.Metrics.Count, scores.Metrics.PerClass, scores.Metrics.ConfusionMatrix,
            scores.Calibration.ExpectedError, calibration, weightsDigest, seconds)
    {
    }
}

/// <summary>What a person sees of results, and the JSON beside it.</summary>
internal static class Reports
{
    /// <summary>How results are written.</summary>
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static void Print(Screen screen, RowScores scores)
    {
        ClassificationMetrics metrics = scores.Metrics;
        var table = new Table().Border(TableBorder.Simple).AddColumn("class");
        foreach (string heading in (string[])["precision", "recall", "F1", "support"])
        {
            table.AddColumn(new TableColumn(heading).RightAligned());
        }

        foreach (ClassMetrics row in metrics.PerClass)
        {
            table.AddRow(Markup.Escape(row.Label), Share(row.Precision), Share(row.Recall), Share(row.F1), row.Support.ToString(CultureInfo.InvariantCulture));
        }

        screen.Write(table);
        screen.Line(string.Create(CultureInfo.InvariantCulture, $"accuracy {metrics.Accuracy:P2}   macro-F1 {metrics.MacroF1:F4}   of {metrics.Count} texts"));
        screen.Line(string.Create(CultureInfo.InvariantCulture, $"expected calibration error {scores.Calibration.ExpectedError:P2}   log loss {Number(metrics.LogLoss, "F4")}"));
    }

    /// <summary>What a temperature does, in one line.</summary>
    public static string Line(CalibrationFit fit) => string.Create(
        CultureInfo.InvariantCulture,
        $"temperature {fit.Temperature:0.####}, fitted to {fit.Rows} held-out rows: expected calibration error {fit.Before.ExpectedError:P2} without, {fit.After.ExpectedError:P2} with it, {fit.CrossFitted?.ExpectedError:P2} on rows that it was not fitted to; {fit.ErrorByChance:P2} by chance");

    public static void WriteJson<T>(string? path, T report)
    {
        if (path is not null)
        {
            ModelDirectory.WriteWhole(path, stream => JsonSerializer.Serialize(stream, report, Json));
        }
    }

    /// <summary>An epoch in one line, where there is no terminal.</summary>
    public static string Line(Direction direction, EpochMetrics epoch)
    {
        string heldOut = epoch.Kind == StageKind.LanguageModel
            ? $"held-out perplexity {Number(epoch.Perplexity, "F1")}"
            : $"held-out loss {Number(epoch.HeldOutLoss, "F4")}  accuracy {Number(epoch.Accuracy, "P1")}";
        string restored = epoch.Restored is RestoredEpoch best ? $"  goes on from the best, {best.Stage} {best.Epoch}" : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{direction.Name(),-8}  {epoch.Stage,-12}  {epoch.Epoch,3}/{epoch.Epochs,-3}  lr {epoch.LearningRate:E1}  train loss {epoch.TrainLoss:F4}  {heldOut}  {epoch.Seconds:F1} s{restored}");
    }

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "–";

    private static string Share(double value) => value.ToString("F3", CultureInfo.InvariantCulture);
}
