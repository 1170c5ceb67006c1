using System.Text.Json;
using Ulmfit.Data;
using Ulmfit.Metrics;
using Ulmfit.Reports;
using Ulmfit.Training;

namespace Ulmfit.Tests.Reports;

/// <summary>Reports whose charts and labels are of any number.</summary>
internal static class SampleReport
{
    public static readonly string[] HostileLabels =
    [
        "<script>alert(1)</script>", "\"quoted\" & 'single' <b>", "שלום עולם", "\u202eoverride", "bell\u0007del\u007fc1\u0085null\0", "half \ud800 a pair",
        new string('w', 300), "a\nb\tc", "👩‍👩‍👧‍👦 family", "]]>--><!--",
    ];

    public static string[] Names(int classes) => [.. Enumerable.Range(0, classes).Select(i => $"card_payment_fee_charged_{i:00}_{new string('x', i % 13)}")];

    /// <summary>A report of rows of which most are right, of two trained directions.</summary>
    public static TrainingReport Of(IReadOnlyList<string> labels, int rows = 400, int hardest = 20, string text = "what is this ?")
    {
        LabeledRow[] measured = [.. Enumerable.Range(0, rows).Select(i => new LabeledRow($"{text} {i}", labels[i % labels.Count], i))];
        float[][] probabilities = [.. Enumerable.Range(0, rows).Select(i => Row(labels.Count, i % 5 == 3 ? (i + (i / 7)) % labels.Count : i % labels.Count, 0.35f + (0.6f * (i % 10) / 10)))];
        return new TrainingReport
        {
            Name = labels[0],
            Run = "tickets-1",
            StartedAt = DateTimeOffset.UnixEpoch,
            Scores = [RowScores.Of(RowsKind.Test, "test.csv", labels, measured, probabilities, hardest), RowScores.Of(RowsKind.HeldOut, null, labels, measured[..(rows / 2)], probabilities[..(rows / 2)], hardest)],
            Calibration = CalibrationFit.Calibrate(labels, measured[..(rows / 2)].Select(row => row.Label), [.. probabilities[..(rows / 2)].Select(row => row.ToArray())]),
            Directions = [Trained(Direction.Forward), Trained(Direction.Backward)],
            Data = new ReportData(new string('d', 64), 10 * rows, rows / 2, 7, 1234, [.. labels.Select((label, i) => new ClassRows(label, 10 + i, 5))]),
            Start = new ReportStart(StartKind.Pretrained, labels[^1], "abc"),
            Settings = JsonSerializer.Deserialize<JsonElement>(TrainingSettings.Default.ToJson()),
            Engine = "cpu",
            Tokenizer = "1",
            WeightsDigest = new string('a', 64),
        };
    }

    /// <summary>A direction trained by gradual unfreezing, a thousand steps an epoch.</summary>
    public static DirectionReport Trained(Direction direction)
    {
        StagePlan plan = StagePlan.Of(TrainingSettings.Default, 3, pretrained: true, 10_000, 1_000_000);
        int number = 0;
        return DirectionReport.Of(direction, plan, plan.Stages.SelectMany(stage => Enumerable.Range(1, stage.Epochs).Select(epoch =>
        {
            number++;
            bool lm = stage.Kind == StageKind.LanguageModel;
            double loss = (lm ? 6.0 : 2.0) / Math.Sqrt(number);
            return new EpochMetrics(stage.Name, stage.Kind, epoch, stage.Epochs, loss, loss * 1.1, lm ? Math.Exp(loss * 1.1) : null, lm ? null : 0.5, lm ? null : 0.6, stage.TopLearningRate / 20, 1000, 3.5)
            {
                MacroF1 = lm ? null : 0.55,
                Curve = [.. Enumerable.Range(1, 40).Select(i => new CurvePoint(25 * i, loss * (1 + (0.3 / i)), stage.TopLearningRate * (41 - i) / 40))],
            };
        })));
    }

    private static float[] Row(int classes, int predicted, float probability)
    {
        var row = new float[classes];
        Array.Fill(row, (1 - probability) / (classes - 1));
        row[predicted] = Math.Max(probability, 1.01f / classes);
        return row;
    }
}
