using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Ulmfit.Cli.Terminal;
using Ulmfit.Data;
using Ulmfit.Engine;
using Ulmfit.Metrics;
using Ulmfit.Model;
using Ulmfit.Onnx;
using Ulmfit.Reports;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Ulmfit.Cli;

/// <summary><c>ulmfit train</c>: from labelled text to a classifier in a folder, resumable after any interruption.</summary>
internal sealed class TrainCommand
{
    private readonly TrainingInputs inputs = new();
    private readonly Option<string?> test = new("--test") { Description = "Labelled text that is never trained on and scored at the end", HelpName = "FILE" };
    private readonly Option<string> output = new("--out") { Description = "Folder for the model and, while training, its checkpoints", HelpName = "DIR", DefaultValueFactory = _ => "model" };
    private readonly JsonOption json = JsonOption.WithFile("the scores");

    public static Command Create()
    {
        var train = new TrainCommand();
        var command = new DocumentedCommand(
            "train",
            "Train a classifier on labelled text",
            "First the language model is trained on all the text, then the classifier on the labels. It can be interrupted or killed at any instant; the same command goes on, to the same bytes of weights. Defaults of the method come from the settings: docs/training-settings.md.",
            "ulmfit train --data train.csv --test test.csv --out model",
            "ulmfit train --data train.csv --unlabeled more.txt --direction forward --out model-forward",
            "ulmfit train --data tickets.csv --from model --class-weights balanced --out model-2 --json scores.json");
        train.inputs.AddTo(command, train.test, train.output, train.json.Option);
        command.SetAction((parsed, cancellationToken) => Task.Run(() => train.Run(parsed, cancellationToken), CancellationToken.None));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        TrainingSettings chosen = inputs.SettingsOf(parsed);
        string directory = parsed.GetRequiredValue(output);
        if (chosen.From is not null && Path.GetFullPath(chosen.From) == Path.GetFullPath(directory))
        {
            throw new UsageException("--out must be another folder than --from: the run would write over its own start.");
        }

        Screen screen = json.Open(parsed);
        ITrainingEngine engine = inputs.CreateEngine(parsed);
        using (engine as IDisposable)
        {
            LoadedInputs loaded = inputs.Load(parsed, chosen, screen);
            LabeledRows? testRows = parsed.GetValue(test) is string testPath ? inputs.Read(parsed, testPath) : null;
            (IReadOnlyList<LabeledRow> train, IReadOnlyList<LabeledRow> heldOut, IReadOnlyList<string> texts, _, _) = loaded.Selection;
            TrainingData prepared = loaded.Data;
            if (testRows is not null)
            {
                EvaluateCommand.CheckLabels(prepared.Labels, testRows);
            }

            var run = new ResumableRun(directory, engine, prepared, chosen, loaded.Pretrained, loaded.From, DataDigest.Of(train, heldOut, texts));
            IReadOnlyDictionary<Direction, TrainedDirection> trained = run.Train(screen, cancellationToken);
            DirectionWeights? WeightsOf(Direction which) => trained.TryGetValue(which, out TrainedDirection? one) ? one.Weights : null;
            string digest = WeightsDigest.Of(trained.OrderBy(pair => pair.Key).Select(pair => pair.Value.Weights.Weights));

            using OnnxTextClassifier classifier = ModelDirectory.Load(WeightsOf(Direction.Forward), WeightsOf(Direction.Backward), prepared);
            RowScores? ScoreOf(RowsKind kind, LabeledRows? rows, Action<float[][]> calibrate) =>
                rows is null or { Rows.Count: 0 } ? null : EvaluateCommand.Score(classifier, kind, rows, chosen.Report.HardestExamples, cancellationToken, calibrate);
            CalibrationFit? calibration = null;
            RowScores? heldOutScores = ScoreOf(
                RowsKind.HeldOut, loaded.Rows with { Rows = heldOut }, rows => calibration = CalibrationFit.Calibrate(classifier.Labels, heldOut.Select(row => row.Label), rows));
            double temperature = calibration?.Temperature ?? TemperatureScaling.None;
            RowScores? testScores = ScoreOf(RowsKind.Test, testRows, rows => Array.ForEach(rows, row => TemperatureScaling.Apply(row, temperature)));
            var card = new CliModelCard(
                digest, chosen, engine.Name, Tokenizer.Version, run.DataDigest, train.Count, heldOut.Count, heldOutScores?.Metrics, calibration,
                trained.ToDictionary(pair => pair.Key.ToString().ToLowerInvariant(), pair => pair.Value.Epochs));
            ModelDirectory.Save(directory, WeightsOf(Direction.Forward), WeightsOf(Direction.Backward), prepared, card);
            ReportFiles.Save(directory, new TrainingReport
            {
                Name = ReportFiles.NameOf(directory),
                StartedAt = run.StartedAt,
                Scores = [.. ((RowScores?[])[testScores, heldOutScores]).OfType<RowScores>()],
                Calibration = calibration,
                Directions = [.. trained.OrderBy(pair => pair.Key).Select(pair => DirectionReport.Of(pair.Key, pair.Value.Plan, pair.Value.Epochs))],
                Data = ReportData.Of(run.DataDigest, prepared),
                Start = ReportStart.Of(chosen, loaded.From?.Digest ?? loaded.Pretrained?.Digest),
                Settings = JsonSerializer.Deserialize<JsonElement>(chosen.ToJson()),
                Engine = engine.Name,
                Tokenizer = Tokenizer.Version,
                WeightsDigest = digest,
            });
            run.Finish();

            RowScores? shown = testScores ?? heldOutScores;
            screen.Line(testRows is null ? "Held-out rows:" : $"Test rows of {testRows.Path}:");
            if (shown is not null)
            {
                Reports.Print(screen, shown);
                json.Write(parsed, new ScoreReport(shown, calibration, digest, clock.Elapsed.TotalSeconds));
            }

            if (calibration is not null)
            {
                screen.Line(Reports.Line(calibration));
            }

            screen.Line($"weights {digest}");
            screen.Line($"model and report in {directory}, {clock.Elapsed.TotalSeconds:F0} s");
        }

        return ExitCodes.Done;
    }
}
