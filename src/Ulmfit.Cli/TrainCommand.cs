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
    private readonly Option<string[]> teachers = new("--teacher") { Description = "Folder of a trained model that labels the texts of --unlabeled, of which the half that it is surest of joins the labelled ones (self-training); given more than once, by the mean of their probabilities", HelpName = "DIR" };
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
            "ulmfit train --data train.csv --unlabeled more.txt --teacher model --out student",
            "ulmfit train --data tickets.csv --from model --class-weights balanced --out model-2 --json scores.json");
        train.inputs.AddTo(command, train.test, train.teachers, train.output, train.json.Option);
        command.SetAction((parsed, cancellationToken) => Task.Run(() => train.Run(parsed, cancellationToken), CancellationToken.None));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        TrainingSettings chosen = inputs.SettingsOf(parsed);
        string directory = parsed.GetRequiredValue(output);
        string[] folders = parsed.GetValue(teachers) ?? [];
        if (folders.Append(chosen.From).OfType<string>().Any(folder => Path.GetFullPath(folder) == Path.GetFullPath(directory)))
        {
            throw new UsageException("--out must be another folder than those of --from and --teacher: the run would write over its own start.");
        }

        Screen screen = json.Open(parsed);
        ITrainingEngine engine = inputs.CreateEngine(parsed);
        using (engine as IDisposable)
        {
            LoadedInputs loaded = inputs.Load(parsed, chosen, screen);
            LabeledRows? testRows = parsed.GetValue(test) is string testPath ? inputs.Read(parsed, testPath) : null;
            (IReadOnlyList<LabeledRow> train, IReadOnlyList<LabeledRow> heldOut, IReadOnlyList<string> texts, _, _) = loaded.Selection;
            IReadOnlyList<PseudoLabel> labels = folders.Length > 0 ? LabelsBy(folders, texts, loaded.Data, screen, cancellationToken) : [];
            TrainingData prepared = loaded.Data.WithPseudoLabels(labels);
            if (testRows is not null)
            {
                EvaluateCommand.CheckLabels(prepared.Labels, testRows);
            }

            var run = new ResumableRun(directory, engine, prepared, chosen, loaded.Pretrained, loaded.From, DataDigest.Of(train, heldOut, texts, labels));
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
                digest, chosen, engine.Name, Tokenizer.Version, run.DataDigest, prepared.Train.Count, heldOut.Count, heldOutScores?.Metrics, calibration,
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

    private static IReadOnlyList<PseudoLabel> LabelsBy(string[] folders, IReadOnlyList<string> texts, TrainingData data, Screen screen, CancellationToken cancellationToken)
    {
        if (texts.Count == 0)
        {
            throw new UsageException("--teacher needs texts to label: name a file of them with --unlabeled.");
        }

        float[][] Ask(string folder)
        {
            using OnnxTextClassifier teacher = ModelDirectory.Load(folder);
            return teacher.Labels.SequenceEqual(data.Labels, StringComparer.Ordinal)
                ? teacher.Predict(texts, cancellationToken)
                : throw new UsageException($"--teacher {folder} knows other labels ({string.Join(", ", teacher.Labels)}) than --data has ({string.Join(", ", data.Labels)}): train one on the same labels.");
        }

        IReadOnlyList<PseudoLabel> labels = PseudoLabel.Choose([.. folders.Select(Ask)], [.. data.Train.Select(document => document.Label)]);
        IEnumerable<string> classes = data.Labels.Select((label, index) => $"{label} {labels.Count(given => given.Label == index)}");
        screen.Line($"of the texts without label {labels.Count} are trained on as {string.Join(" and ", folders)} label them: {string.Join(", ", classes)}");
        return labels;
    }
}
