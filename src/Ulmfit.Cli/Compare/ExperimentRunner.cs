using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Ulmfit.Cli.Terminal;
using Ulmfit.Engine;
using Ulmfit.Metrics;
using Ulmfit.Onnx;
using Ulmfit.Reports;
using Ulmfit.Training;

namespace Ulmfit.Cli.Compare;

/// <summary>
/// Trains and scores many experiments in a folder. Each direction of each lies there under the digest of all that it depends
/// on: what was finished is read, what was begun goes on, and what several experiments have in common is trained once.
/// </summary>
/// <param name="directory">The folder.</param>
/// <param name="engine">What trains.</param>
/// <param name="test">What is scored.</param>
/// <param name="languageModels">Where fine-tuned language models are kept.</param>
/// <param name="screen">Where it is told how far it is.</param>
internal sealed class ExperimentRunner(string directory, ITrainingEngine engine, LabeledRows test, LanguageModelCache languageModels, Screen screen)
{
    private readonly RemainingWork work = new();
    private readonly string testDigest = DataDigest.Of(test.Rows, [], []);

    /// <summary>Runs experiments in their order.</summary>
    /// <param name="experiments">The experiments.</param>
    /// <param name="onResult">Told all results so far after each.</param>
    /// <param name="cancellationToken">Checked before every step.</param>
    /// <exception cref="UsageException">Another process works in the folder, or a test row has a label that no training knows; nothing has been trained.</exception>
    public IReadOnlyList<ExperimentResult> Run(IReadOnlyList<Experiment> experiments, Action<IReadOnlyList<ExperimentResult>> onResult, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(directory);
        using FileStream held = Hold();
        Planned[] planned = [.. experiments.Select(PlanOf)];
        CountWork(planned);
        var results = new List<ExperimentResult>();
        ProgressDisplay.Show(screen, display =>
        {
            foreach (Planned one in planned)
            {
                string place = string.Create(CultureInfo.InvariantCulture, $"{results.Count + 1}/{planned.Length} {one.Experiment.Name}, seed {one.Experiment.Settings.Seed}");
                bool known = File.Exists(one.ResultPath);
                ExperimentResult result = known ? ReadResult(one.ResultPath) : Execute(one, place, display, cancellationToken);
                results.Add(result);
                onResult(results);
                screen.Line(LineOf(place, result, known));
            }
        });
        return results;
    }

    private static string LineOf(string place, ExperimentResult result, bool known) => string.Create(
        CultureInfo.InvariantCulture,
        $"{place}: {(result.Test is ClassificationMetrics test ? $"accuracy {test.Accuracy:P2}, macro-F1 {test.MacroF1:F4}" : result.Failure)}, {result.Seconds:F0} s{(known ? ", finished before" : "")}");

    private static ExperimentResult ReadResult(string path) => JsonSerializer.Deserialize<ExperimentResult>(File.ReadAllBytes(path), Reports.Json)
        ?? throw new InvalidDataException($"'{path}' is empty: delete it to score that training again.");

    private static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private ExperimentResult Execute(Planned one, string place, ProgressDisplay display, CancellationToken cancellationToken)
    {
        (Experiment experiment, IReadOnlyList<PlannedDirection> directions, string resultPath) = one;
        TrainingData data = experiment.Data();
        var table = new EpochTable(screen);
        double seconds = 0;
        if (experiment.Teachers is Teachers teachers)
        {
            IReadOnlyList<PseudoLabel>? known = ReadLabels(one.LabelsPath);
            var probabilities = new List<float[][]>();
            foreach (Experiment teacher in teachers.Experiments)
            {
                TrainingData taught = teacher.Data();
                Trained of = Train(teacher, PlanOf(teacher).Directions, taught, $"{place}, its teacher", display, table, cancellationToken);
                seconds += of.Seconds;
                if (of.Failure is not null)
                {
                    return new ExperimentResult(experiment.Settings.Seed, null, seconds, null, of.Failure, of.Epochs);
                }

                if (known is null)
                {
                    using OnnxTextClassifier asked = of.Load(taught);
                    probabilities.Add(asked.Predict(teachers.Texts, cancellationToken));
                }
            }

            if (known is null)
            {
                known = PseudoLabel.Choose(probabilities, [.. data.Train.Select(document => document.Label)]);
                ModelDirectory.WriteWhole(one.LabelsPath, stream => JsonSerializer.Serialize(stream, known));
            }

            data = data.WithPseudoLabels(known);
        }

        Trained trained = Train(experiment, directions, data, place, display, table, cancellationToken);
        seconds += trained.Seconds;
        if (trained.Failure is not null)
        {
            return new ExperimentResult(experiment.Settings.Seed, null, seconds, null, trained.Failure, trained.Epochs);
        }

        using OnnxTextClassifier classifier = trained.Load(data);
        var result = new ExperimentResult(experiment.Settings.Seed, EvaluateCommand.Score(classifier, RowsKind.Test, test, hardest: 0, cancellationToken).Metrics, seconds, trained.Digest, null, trained.Epochs);
        Directory.CreateDirectory(Path.GetDirectoryName(resultPath)!);
        Reports.WriteJson(resultPath, result);
        return result;
    }

    // Kept, so that a training goes on with the labels with which it began, whatever processor it goes on with.
    private static PseudoLabel[]? ReadLabels(string path) => !File.Exists(path)
        ? null
        : JsonSerializer.Deserialize<PseudoLabel[]>(File.ReadAllBytes(path)) ?? throw new InvalidDataException($"'{path}' is empty: delete it to have the texts labelled again.");

    private Trained Train(
        Experiment experiment, IReadOnlyList<PlannedDirection> directions, TrainingData data, string place, ProgressDisplay display, EpochTable table, CancellationToken cancellationToken)
    {
        var trained = new Dictionary<Direction, TrainedDirection>();
        foreach (PlannedDirection direction in directions)
        {
            try
            {
                trained[direction.Direction] = Train(experiment, data, direction, place, display, table, cancellationToken);
            }
            catch (TrainingDivergedException exception)
            {
                // A rate that is too high is a result of a comparison, not the end of it.
                return new Trained(trained, $"{direction.Direction.Name()}: {exception.Message}");
            }
        }

        return new Trained(trained, null);
    }

    private TrainedDirection Train(Experiment experiment, TrainingData data, PlannedDirection planned, string place, ProgressDisplay display, EpochTable table, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(planned.Folder);
        var training = new DirectionTraining(engine, data, experiment.Settings, planned.Direction, experiment.Pretrained);
        double languageModel = planned.LanguageModelLeft, classifier = planned.ClassifierLeft;
        var kinds = training.Plan.Stages.ToDictionary(stage => stage.Name, stage => stage.Kind);
        double TokensOf(StageKind kind) => kind == StageKind.LanguageModel ? planned.LanguageModelTokens : planned.ClassifierTokens;
        var clock = Stopwatch.StartNew();
        TrainedDirection trained = new ResumableDirection(planned.Folder, planned.Direction, training, languageModels).Train(
            screen,
            (_, step) =>
            {
                StageKind kind = kinds[step.Stage];
                RemainingWork now = work.With(kind, TokensOf(kind) * step.Step / step.Steps, clock.Elapsed.TotalSeconds);
                display.Report(new WorkProgress(place, [Lane.Of(planned.Direction, kind, step)], now.Done, now.Estimate()));
            },
            epoch =>
            {
                clock.Restart();
                table.Add(planned.Direction, epoch);
                bool isLanguageModel = epoch.Kind == StageKind.LanguageModel;
                double tokens = TokensOf(epoch.Kind);
                work.Train(epoch.Kind, tokens, epoch.Seconds);
                (languageModel, classifier) = isLanguageModel ? (languageModel - tokens, classifier) : (languageModel, classifier - tokens);
            },
            cancellationToken);

        // What early stopping has saved.
        work.Plan(StageKind.LanguageModel, -Math.Max(0, languageModel));
        work.Plan(StageKind.Classifier, -Math.Max(0, classifier));
        return trained;
    }

    private Planned PlanOf(Experiment experiment)
    {
        TrainingData data = experiment.Data();
        EvaluateCommand.CheckLabels(data.Labels, test);
        Dictionary<Direction, DirectionTraining> trainings = experiment.Settings.Directions.Each()
            .ToDictionary(direction => direction, direction => new DirectionTraining(engine, data, experiment.Settings, direction, experiment.Pretrained));
        string? teachers = experiment.Teachers is null ? null : string.Join(' ', experiment.Teachers.Experiments.Select(teacher => Path.GetFileName(PlanOf(teacher).ResultPath)));
        PlannedDirection[] directions = [.. trainings.Select(pair => teachers is null
            ? PlanOf(data, pair.Key, pair.Value, pair.Value.Fingerprint)
            : PlanOfStudent(experiment, data, pair.Key, Digest($"self-training {teachers} {pair.Value.Fingerprint}")))];
        string name = Digest(string.Join(' ', directions.Select(direction => direction.Folder).Select(Path.GetFileName).Append(testDigest)));
        return new Planned(experiment, directions, Path.Combine(directory, "results", name + ".json"));
    }

    // Which texts its teachers label, and how, is not known before they are trained; about how many, is.
    private PlannedDirection PlanOfStudent(Experiment experiment, TrainingData data, Direction direction, string name)
    {
        TrainingData likeIt = data.WithPseudoLabels([.. Enumerable.Range(0, PseudoLabel.MostOf(data.Unlabeled.Count)).Select(text => new PseudoLabel(text, 0))]);
        return PlanOf(likeIt, direction, new DirectionTraining(engine, likeIt, experiment.Settings, direction, experiment.Pretrained), name);
    }

    private PlannedDirection PlanOf(TrainingData data, Direction direction, DirectionTraining training, string name)
    {
        string folder = Path.Combine(directory, "trainings", name);
        int done = new ResumableDirection(folder, direction, training).FinishedEpochs();
        int languageModel = training.Plan.EpochsOf(StageKind.LanguageModel), classifier = training.Plan.EpochsOf(StageKind.Classifier);
        double languageModelTokens = data.LanguageModelTexts.Sum(text => (double)text.Length), classifierTokens = data.Train.Sum(document => (double)document.Tokens.Length);
        return new PlannedDirection(direction, folder, training.LanguageModelFingerprint, languageModelTokens, classifierTokens)
        {
            LanguageModelLeft = languageModelTokens * Math.Max(0, languageModel - done),
            ClassifierLeft = classifierTokens * (classifier - Math.Max(0, done - languageModel)),
        };
    }

    // A training or a language model that several experiments share is trained by the first of them.
    private void CountWork(Planned[] planned)
    {
        var counted = new HashSet<string>(StringComparer.Ordinal);
        foreach (PlannedDirection one in planned.Where(one => !File.Exists(one.ResultPath)).SelectMany(one => one.Directions))
        {
            bool first = counted.Add(one.Folder);
            bool trainsLanguageModel = first && (one.LanguageModel is null || (!languageModels.Contains(one.LanguageModel) && counted.Add(one.LanguageModel)));
            one.LanguageModelLeft = trainsLanguageModel ? one.LanguageModelLeft : 0;
            one.ClassifierLeft = first ? one.ClassifierLeft : 0;
            work.Plan(StageKind.LanguageModel, one.LanguageModelLeft);
            work.Plan(StageKind.Classifier, one.ClassifierLeft);
        }
    }

    private FileStream Hold()
    {
        try
        {
            return new FileStream(Path.Combine(directory, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new UsageException($"Another process works in '{directory}': wait for it, or choose another --out.");
        }
    }

    private sealed record Planned(Experiment Experiment, IReadOnlyList<PlannedDirection> Directions, string ResultPath)
    {
        /// <summary>Where the labels are kept that its teachers gave.</summary>
        public string LabelsPath => Path.ChangeExtension(ResultPath, "labels.json");
    }

    private sealed record Trained(IReadOnlyDictionary<Direction, TrainedDirection> Directions, string? Failure)
    {
        public Dictionary<string, IReadOnlyList<EpochMetrics>> Epochs => Directions.ToDictionary(pair => pair.Key.Name(), pair => pair.Value.Epochs);

        public double Seconds => Directions.Values.Sum(one => one.Epochs.Sum(epoch => epoch.Seconds));

        public string Digest => WeightsDigest.Of(Directions.OrderBy(pair => pair.Key).Select(pair => pair.Value.Weights.Weights));

        public OnnxTextClassifier Load(TrainingData data) =>
            ModelDirectory.Load(Directions.GetValueOrDefault(Direction.Forward)?.Weights, Directions.GetValueOrDefault(Direction.Backward)?.Weights, data);
    }

    private sealed record PlannedDirection(Direction Direction, string Folder, string? LanguageModel, double LanguageModelTokens, double ClassifierTokens)
    {
        public double LanguageModelLeft { get; set; }

        public double ClassifierLeft { get; set; }
    }
}
