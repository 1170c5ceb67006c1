using System.CommandLine;
using Ulmfit.Cli.Terminal;
using Ulmfit.Data;
using Ulmfit.Engine;
using Ulmfit.Features;
using Ulmfit.Training;

namespace Ulmfit.Cli;

/// <summary>What a training starts with, read.</summary>
internal sealed record LoadedTexts(LabeledRows Rows, DatasetSelection Selection, PretrainedModel? Pretrained, EarlierModel? From);

/// <summary>What a training starts with, read and tokenised.</summary>
internal sealed record LoadedInputs(LabeledRows Rows, DatasetSelection Selection, TrainingData Data, PretrainedModel? Pretrained, EarlierModel? From);

/// <summary>The options of every command that trains: on what, from what, how.</summary>
internal sealed class TrainingInputs
{
    private readonly Option<string> data = new("--data") { Description = "Labelled text, columns text and label: .csv, .tsv or .jsonl, also .gz", HelpName = "FILE", Required = true };
    private readonly Option<string?> unlabeled = new("--unlabeled") { Description = "Text without labels that joins language-model training: .txt, .jsonl, .csv or .tsv, also .gz", HelpName = "FILE" };
    private readonly Option<string?> pretrained = new("--pretrained") { Description = $"Pretrained language model to start from: the name of one that ships with the program, a folder, or none; {TrainingSettings.Default.Pretrained} when neither this nor --settings says so", HelpName = "NAME|DIR" };
    private readonly Option<string?> from = new("--from") { Description = "Folder of a trained model to start at: the same labels keep its output layer, others get a new one", HelpName = "DIR" };
    private readonly Option<string?> settings = new("--settings") { Description = "JSON file with training settings (docs/training-settings.md), which the options override", HelpName = "FILE" };
    private readonly Option<string?> method = new("--method") { Description = "ulmfit (the default); features: a linear classifier on the language model's states; or lstm: a plain LSTM from random weights, for comparison", HelpName = "METHOD" };
    private readonly Option<string?> reduction = new("--reduction") { Description = "With --method features: none (the default), pca or lda", HelpName = "KIND" };
    private readonly Option<int?> components = new("--components") { Description = "With --reduction pca or lda: to how many features; when not given pca keeps 95 % of the variance and lda all", HelpName = "N" };
    private readonly Option<Directions?> direction = new("--direction") { Description = "Which models are trained: forward, backward or both (the default), whose probabilities are averaged", HelpName = "forward|backward|both" };
    private readonly Option<string?> strategy = new("--strategy") { Description = "How the classifier is unfrozen: gradual (the default), full, last, chain-thaw or partial", HelpName = "STRATEGY" };
    private readonly Option<int?> freezeTo = new("--freeze-to") { Description = "With --strategy partial: the lowest group that is trained, from 0 (embedding); -1 is the head, -2 the layer below it", HelpName = "N" };
    private readonly Option<string?> schedule = new("--schedule") { Description = "Schedule of the learning rate: stlr (slanted triangular, the default), one-cycle, cosine or constant", HelpName = "SCHEDULE" };
    private readonly Option<string?> languageModelSchedule = new("--lm-schedule") { Description = "The schedule of language-model fine-tuning, where it is another", HelpName = "SCHEDULE" };
    private readonly Option<string?> classifierSchedule = new("--classifier-schedule") { Description = "The schedule of classifier training, where it is another", HelpName = "SCHEDULE" };
    private readonly Option<bool> noDiscriminative = new("--no-discriminative") { Description = "One learning rate for all layers" };
    private readonly Option<bool> noLanguageModelDiscriminative = new("--no-lm-discriminative") { Description = "One learning rate for all layers of the language model" };
    private readonly Option<bool> noClassifierDiscriminative = new("--no-classifier-discriminative") { Description = "One learning rate for all layers of the classifier" };
    private readonly Option<bool> noLanguageModel = new("--no-lm-finetuning") { Description = "Leave the language model as it is" };
    private readonly Option<string?> classWeights = new("--class-weights") { Description = "none (the default), or balanced: every class weighs the same in the loss however many rows it has", HelpName = "KIND" };
    private readonly Option<double?> labelSmoothing = new("--label-smoothing") { Description = "Share of the target, 0 (the default) up to 1, that is spread over all classes", HelpName = "SHARE" };
    private readonly Option<int?> earlyStopping = new("--early-stopping") { Description = "End classifier training after this many epochs without a better held-out loss, and go back to the best epoch; never when not given", HelpName = "EPOCHS" };
    private readonly Option<ulong?> seed = new("--seed") { Description = $"Seed of every random choice; {TrainingSettings.Default.Seed} when neither this nor --settings says so", HelpName = "N" };
    private readonly Option<string> engine = new("--engine") { Description = "Training engine: cpu, or torch in builds that have it", HelpName = "ENGINE", DefaultValueFactory = _ => Engines.Names[0] };
    private readonly ThreadsOption threads = new();
    private readonly ColumnOptions columns = new();

    /// <summary>The options of a command that trains one model.</summary>
    /// <param name="command">The command.</param>
    /// <param name="own">Options of its own, which come after the data.</param>
    public void AddTo(Command command, params IReadOnlyList<Option> own)
    {
        AddCommonTo(command, own);
        foreach (Option option in (Option[])[
            from, method, reduction, components, strategy, freezeTo, schedule, languageModelSchedule, classifierSchedule, noDiscriminative, noLanguageModelDiscriminative, noClassifierDiscriminative, noLanguageModel, seed])
        {
            command.Options.Add(option);
        }
    }

    /// <summary>The options of a command that trains many models and decides by itself how they differ.</summary>
    /// <param name="command">The command.</param>
    /// <param name="own">Options of its own, which come after the data.</param>
    public void AddCommonTo(Command command, params IReadOnlyList<Option> own)
    {
        foreach (Option option in (Option[])[data, .. own, unlabeled, pretrained, settings, direction, classWeights, labelSmoothing, earlyStopping, engine, threads.Option])
        {
            command.Options.Add(option);
        }

        columns.AddTo(command);
    }

    /// <summary>The settings of the file and the options; an option for both phases overrides what the file says of each of them.</summary>
    public TrainingSettings SettingsOf(ParseResult parsed)
    {
        TrainingSettings chosen = parsed.GetValue(settings) is string path ? TrainingSettings.Parse(File.ReadAllText(path)) : TrainingSettings.Default;
        ScheduleKind? both = Named<ScheduleKind>("--schedule", parsed.GetValue(schedule));
        Strategy unfreezing = Named<Strategy>("--strategy", parsed.GetValue(strategy)) ?? chosen.Strategy;
        bool one = parsed.GetValue(noDiscriminative);
        LanguageModelSettings lm = chosen.LanguageModel;
        ClassifierSettings classifier = chosen.Classifier;
        return (chosen with
        {
            Pretrained = parsed.GetValue(pretrained) ?? chosen.Pretrained,
            From = parsed.GetValue(from) ?? chosen.From,
            Method = Named<Method>("--method", parsed.GetValue(method)) ?? chosen.Method,
            Features = chosen.Features with
            {
                Reduction = Named<FeatureReduction>("--reduction", parsed.GetValue(reduction)) ?? chosen.Features.Reduction,
                Components = parsed.GetValue(components) ?? chosen.Features.Components,
            },
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

    /// <summary>Reads and tokenises everything and tells how much there is.</summary>
    public LoadedInputs Load(ParseResult parsed, TrainingSettings chosen, Screen screen)
    {
        (LabeledRows rows, DatasetSelection selection, PretrainedModel? start, EarlierModel? earlier) = LoadTexts(parsed, chosen);
        var prepared = TrainingData.Prepare(selection.Train, selection.HeldOut, selection.Unlabeled, chosen, earlier?.Vocabulary ?? start?.Vocabulary);
        screen.Line($"{selection.Train.Count} texts to train on, {selection.HeldOut.Count} held out, {selection.Unlabeled.Count} without label; {prepared.Labels.Count} classes, {prepared.Vocabulary.Count} tokens in the vocabulary");
        if (earlier is not null)
        {
            screen.Line($"starting at {chosen.From}");
            screen.Line(
                chosen.Method == Method.Features || earlier.IsOfFeatures ? "its encoder is kept, and its classifier is a new one"
                : earlier.HasLabels(prepared.Labels) ? "the labels are the same: its output layer is kept"
                : $"other labels (its are {string.Join(", ", earlier.Labels)}): the output layer is a new one");
        }

        if (start is not null)
        {
            screen.Line($"starting at the pretrained language model {chosen.Pretrained}");
        }

        return new LoadedInputs(rows, selection, prepared, start, earlier);
    }

    /// <summary>Reads everything.</summary>
    public LoadedTexts LoadTexts(ParseResult parsed, TrainingSettings chosen)
    {
        if (chosen.From is not null && parsed.GetValue(pretrained) is not null && chosen.Pretrained != TrainingSettings.NoPretrained)
        {
            throw new UsageException("Give either --from or --pretrained: an earlier model brings its own language model.");
        }

        if (chosen.Method == Method.Lstm && parsed.GetValue(unlabeled) is not null)
        {
            throw new UsageException("--unlabeled does not go with the method lstm: it learns from labelled text alone.");
        }

        LabeledRows rows = LabeledFiles.Read(parsed.GetRequiredValue(data), columns.Of(parsed));
        IEnumerable<string> extra = parsed.GetValue(unlabeled) is string extraPath ? UnlabeledFiles.Read(extraPath) : [];
        EarlierModel? earlier = chosen.From is string folder ? ModelDirectory.LoadEarlier(folder) : null;
        PretrainedModel? start = earlier is null && chosen.Pretrained != TrainingSettings.NoPretrained ? PretrainedDirectory.Load(chosen.Pretrained) : null;
        return new LoadedTexts(rows, rows.Select(extra, chosen.HeldOutFraction), start, earlier);
    }

    /// <summary>Another labelled file with the same columns.</summary>
    public LabeledRows Read(ParseResult parsed, string path) => LabeledFiles.Read(path, columns.Of(parsed));

    public ITrainingEngine CreateEngine(ParseResult parsed)
    {
        int count = threads.Of(parsed);
        return Engines.Create(parsed.GetRequiredValue(engine), count);
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
