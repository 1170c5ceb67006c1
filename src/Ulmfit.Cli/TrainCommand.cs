using System.CommandLine;
using System.Diagnostics;
using Spectre.Console;
using Ulmfit.Data;
using Ulmfit.Engine;
using Ulmfit.Metrics;
using Ulmfit.Model;
using Ulmfit.Onnx;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Ulmfit.Cli;

/// <summary><c>ulmfit train</c>: from labelled text to a classifier in a folder, resumable after any interruption.</summary>
internal sealed class TrainCommand
{
    private readonly Option<string> data = new("--data") { Description = "Labelled text: .csv, .tsv or .jsonl, also .gz", Required = true };
    private readonly Option<string?> test = new("--test") { Description = "Labelled text that is only scored at the end" };
    private readonly Option<string?> unlabeled = new("--unlabeled") { Description = "Text without labels that joins language-model training: .txt or .jsonl, also .gz" };
    private readonly Option<string> pretrained = new("--pretrained") { Description = "Folder of a pretrained language model, or none", DefaultValueFactory = _ => TrainingSettings.NoPretrained };
    private readonly Option<string?> settings = new("--settings") { Description = "JSON file with training settings; the options below override it" };
    private readonly Option<Directions?> direction = new("--direction") { Description = "forward, backward or both" };
    private readonly Option<string?> strategy = new("--strategy") { Description = "gradual, full, last, chain-thaw or partial" };
    private readonly Option<int?> freezeTo = new("--freeze-to") { Description = "With --strategy partial: the lowest group that is trained, from 0 (embedding); -1 is the head, -2 the layer below it" };
    private readonly Option<string?> schedule = new("--schedule") { Description = "stlr, one-cycle, cosine or constant" };
    private readonly Option<string?> languageModelSchedule = new("--lm-schedule") { Description = "The schedule of language-model fine-tuning, where it is another" };
    private readonly Option<string?> classifierSchedule = new("--classifier-schedule") { Description = "The schedule of classifier training, where it is another" };
    private readonly Option<bool> noDiscriminative = new("--no-discriminative") { Description = "One learning rate for all layers" };
    private readonly Option<bool> noLanguageModelDiscriminative = new("--no-lm-discriminative") { Description = "One learning rate for all layers of the language model" };
    private readonly Option<bool> noClassifierDiscriminative = new("--no-classifier-discriminative") { Description = "One learning rate for all layers of the classifier" };
    private readonly Option<bool> noLanguageModel = new("--no-lm-finetuning") { Description = "Leave the language model as it is" };
    private readonly Option<string?> classWeights = new("--class-weights") { Description = "none, or balanced: every class weighs the same however many rows it has" };
    private readonly Option<double?> labelSmoothing = new("--label-smoothing") { Description = "Share of the target that is spread over all classes" };
    private readonly Option<int?> earlyStopping = new("--early-stopping") { Description = "End classifier training after this many epochs without a better held-out loss, and go back to the best epoch" };
    private readonly Option<ulong?> seed = new("--seed") { Description = "Seed of every random choice" };
    private readonly Option<string> engine = new("--engine") { Description = "Training engine: " + string.Join(" or ", Engines.Names), DefaultValueFactory = _ => Engines.Names[0] };
    private readonly Option<int> threads = new("--threads") { Description = "Threads of the engine; the result does not depend on it", DefaultValueFactory = _ => Environment.ProcessorCount };
    private readonly Option<string> output = new("--out") { Description = "Folder for the model and, while training, its checkpoints", DefaultValueFactory = _ => "model" };
    private readonly Option<string?> json = new("--json") { Description = "Write the scores to this file as JSON" };
    private readonly ColumnOptions columns = new();

    public static Command Create()
    {
        var train = new TrainCommand();
        var command = new Command("train", "Train a classifier on labelled text")
        {
            train.data, train.test, train.unlabeled, train.pretrained, train.settings, train.direction, train.strategy, train.freezeTo,
            train.schedule, train.languageModelSchedule, train.classifierSchedule, train.noDiscriminative, train.noLanguageModelDiscriminative, train.noClassifierDiscriminative, train.noLanguageModel,
            train.classWeights, train.labelSmoothing, train.earlyStopping, train.seed, train.engine, train.threads, train.output, train.json,
        };
        train.columns.AddTo(command);
        command.SetAction((parsed, cancellationToken) => Task.Run(() => train.Run(parsed, cancellationToken), CancellationToken.None));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        TrainingSettings chosen = SettingsOf(parsed);
        int threadCount = parsed.GetValue(threads);
        if (threadCount < 1)
        {
            throw new UsageException("--threads must be at least 1.");
        }

        LabeledDataOptions columnNames = columns.Of(parsed);
        LabeledRows rows = LabeledFiles.Read(parsed.GetRequiredValue(data), columnNames);
        LabeledRows? testRows = parsed.GetValue(test) is string testPath ? LabeledFiles.Read(testPath, columnNames) : null;
        IEnumerable<string> extra = parsed.GetValue(unlabeled) is string extraPath ? UnlabeledFiles.Read(extraPath) : [];
        PretrainedModel? start = parsed.GetValue(pretrained) is string name && name != TrainingSettings.NoPretrained ? PretrainedDirectory.Load(name) : null;
        (IReadOnlyList<LabeledRow> train, IReadOnlyList<LabeledRow> heldOut, IReadOnlyList<string> texts, _, _) = rows.Select(extra, chosen.HeldOutFraction);
        var prepared = TrainingData.Prepare(train, heldOut, texts, chosen, start?.Vocabulary);
        AnsiConsole.WriteLine($"{train.Count} texts to train on, {heldOut.Count} held out, {texts.Count} without label; {prepared.Labels.Count} classes, {prepared.Vocabulary.Count} tokens in the vocabulary");

        string directory = parsed.GetRequiredValue(output);
        ITrainingEngine trainingEngine = Engines.Create(parsed.GetRequiredValue(engine), threadCount);
        using (trainingEngine as IDisposable)
        {
            var run = new ResumableRun(directory, trainingEngine, prepared, chosen, start, DataDigest.Of(train, heldOut, texts));
            IReadOnlyDictionary<Direction, TrainedDirection> trained = run.Train(cancellationToken);
            DirectionWeights? WeightsOf(Direction which) => trained.TryGetValue(which, out TrainedDirection? one) ? one.Weights : null;
            string digest = WeightsDigest.Of(trained.OrderBy(pair => pair.Key).Select(pair => pair.Value.Weights.Weights));

            using OnnxTextClassifier classifier = ModelDirectory.Load(WeightsOf(Direction.Forward), WeightsOf(Direction.Backward), prepared);
            ClassificationMetrics? heldOutMetrics = heldOut.Count == 0 ? null : EvaluateCommand.Score(classifier, rows with { Rows = heldOut }, cancellationToken);
            var card = new CliModelCard(
                digest, chosen, trainingEngine.Name, Tokenizer.Version, run.DataDigest, train.Count, heldOut.Count, heldOutMetrics,
                trained.ToDictionary(pair => pair.Key.ToString().ToLowerInvariant(), pair => pair.Value.Epochs));
            ModelDirectory.Save(directory, WeightsOf(Direction.Forward), WeightsOf(Direction.Backward), prepared, card);
            run.Finish();

            ClassificationMetrics? shown = testRows is null ? heldOutMetrics : EvaluateCommand.Score(classifier, testRows, cancellationToken);
            AnsiConsole.WriteLine(testRows is null ? "Held-out rows:" : $"Test rows of {testRows.Path}:");
            if (shown is not null)
            {
                Reports.Print(shown);
                Reports.WriteJson(parsed.GetValue(json), new ScoreReport(shown, digest, clock.Elapsed.TotalSeconds));
            }

            AnsiConsole.WriteLine($"weights {digest}");
            AnsiConsole.WriteLine($"model in {directory}, {clock.Elapsed.TotalSeconds:F0} s");
        }

        return ExitCodes.Done;
    }

    // An option for both phases overrides what the file says of each of them.
    private TrainingSettings SettingsOf(ParseResult parsed)
    {
        TrainingSettings chosen = parsed.GetValue(settings) is string path ? TrainingSettings.Parse(File.ReadAllText(path)) : TrainingSettings.Default;
        ScheduleKind? both = Named<ScheduleKind>("--schedule", parsed.GetValue(schedule));
        Strategy unfreezing = Named<Strategy>("--strategy", parsed.GetValue(strategy)) ?? chosen.Strategy;
        bool one = parsed.GetValue(noDiscriminative);
        LanguageModelSettings lm = chosen.LanguageModel;
        ClassifierSettings classifier = chosen.Classifier;
        return (chosen with
        {
            Pretrained = parsed.GetRequiredValue(pretrained),
            Directions = parsed.GetValue(direction) ?? chosen.Directions,
            Strategy = unfreezing,
            FreezeTo = parsed.GetValue(freezeTo) ?? (unfreezing == Strategy.Partial ? chosen.FreezeTo : null),
            Schedule = both ?? chosen.Schedule,
            Discriminative = one ? false : chosen.Discriminative,
            Seed = parsed.GetValue(seed) ?? chosen.Seed,
            LanguageModel = lm with
            {
                FineTune = parsed.GetValue(noLanguageModel) ? false : lm.FineTune,
                Schedule = Named<ScheduleKind>("--lm-schedule", parsed.GetValue(languageModelSchedule)) ?? (both is null ? lm.Schedule : null),
                Discriminative = one || parsed.GetValue(noLanguageModelDiscriminative) ? false : lm.Discriminative,
            },
            Classifier = classifier with
            {
                Schedule = Named<ScheduleKind>("--classifier-schedule", parsed.GetValue(classifierSchedule)) ?? (both is null ? classifier.Schedule : null),
                Discriminative = one || parsed.GetValue(noClassifierDiscriminative) ? false : classifier.Discriminative,
                ClassWeights = Named<ClassWeighting>("--class-weights", parsed.GetValue(classWeights)) ?? classifier.ClassWeights,
                LabelSmoothing = parsed.GetValue(labelSmoothing) ?? classifier.LabelSmoothing,
                EarlyStopping = parsed.GetValue(earlyStopping) is int patience ? (classifier.EarlyStopping ?? new EarlyStoppingSettings()) with { Patience = patience } : classifier.EarlyStopping,
            },
        }).Validated();
    }

    /// <summary>The value that the settings' JSON knows by this name, so that both have the same names.</summary>
    private static T? Named<T>(string option, string? name)
        where T : struct, Enum
    {
        if (name is null)
        {
            return null;
        }

        Dictionary<string, T> known = Enum.GetValues<T>().ToDictionary(value => System.Text.Json.JsonSerializer.SerializeToElement(value).GetString()!, StringComparer.Ordinal);
        return known.TryGetValue(name, out T value) ? value : throw new UsageException($"{option} '{name}' is not known: choose {string.Join(", ", known.Keys)}.");
    }
}
