using Ulmfit.Features;
using Ulmfit.Model;

namespace Ulmfit.Training;

/// <summary>
/// A row of a comparison: settings made of others, so that it differs from the next row in what its name says and in
/// nothing else.
/// </summary>
/// <param name="Name">Its name, as <c>freez-discr</c>.</param>
/// <param name="Group">What it is compared with: <c>pretraining</c>, <c>classifier</c>, <c>language-model</c>, <c>directions</c> or <c>transfer</c>.</param>
/// <param name="Description">What is done, in a line.</param>
/// <param name="PaperError">Error in per cent as the paper gives it for IMDb, TREC-6 and AG News; null where it gives none.</param>
/// <param name="Apply">Its settings, a pure function of those that the rows have in common and of the number of labelled rows that are trained on.</param>
public sealed record ComparisonPreset(string Name, string Group, string Description, string? PaperError, Func<TrainingSettings, int, TrainingSettings> Apply)
{
    /// <summary>The paper's method under its own name.</summary>
    public const string PaperMethod = "ulmfit";

    /// <summary>What is compared when nothing is named.</summary>
    public static IReadOnlyList<string> Usual { get; } = ["scratch", "no-pretraining", "no-lm-finetuning", "full", "last", PaperMethod];

    /// <summary>All presets: the rows of Howard &amp; Ruder 2018, tables 4, 6 and 7, and of the paragraph on bidirectional models.</summary>
    public static IReadOnlyList<ComparisonPreset> All { get; } =
    [
        new(PaperMethod, "classifier", "the paper's method: pretrained, language model fine-tuned (discriminative rates, STLR), classifier unfrozen gradually (discriminative rates, STLR)", "5.00 / 5.69 / 5.38", Ulmfit),
        new("scratch", "pretraining", "the same classifier from random weights, all of it at once with one rate: no pretraining, no language model", "9.93 / 13.36 / 6.81", (s, _) => Scratch(s)),
        new("no-pretraining", "pretraining", "ulmfit, but its language model begins with random weights and learns the task's text alone, at one rate", "5.63 / 10.67 / 5.52", WithoutPretraining),
        new("no-lm-finetuning", "pretraining", "ulmfit, but the pretrained language model becomes the classifier as it is", "6.99 / 6.38 / 6.09", WithoutLanguageModel),
        new("full", "classifier", "all groups from the first epoch on at one constant rate, a tenth of ulmfit's highest", "6.87 / 6.86 / 5.81", (s, n) => OneRate(s, n, Strategy.Full, ScheduleKind.Constant)),
        new("full-discr", "classifier", "full with discriminative rates: constant, the highest that of ulmfit", "5.57 / 6.21 / 5.62", (s, n) => Discriminative(s, n, Strategy.Full, ScheduleKind.Constant)),
        new("last", "classifier", "the head alone, at a constant tenth of ulmfit's highest rate", "6.49 / 16.09 / 8.38", (s, n) => OneRate(s, n, Strategy.Last, ScheduleKind.Constant)),
        new("chain-thaw", "classifier", "the head, then each group alone, then all; constant rates: the head a tenth of ulmfit's, the others a hundredth", "5.39 / 6.71 / 5.90", (s, n) => OneRate(s, n, Strategy.ChainThaw, ScheduleKind.Constant)),
        new("freez", "classifier", "gradual unfreezing at one constant rate, a tenth of ulmfit's highest", "6.37 / 6.86 / 5.81", (s, n) => OneRate(s, n, Strategy.Gradual, ScheduleKind.Constant)),
        new("freez-discr", "classifier", "gradual unfreezing with discriminative rates: constant, the highest that of ulmfit", "5.39 / 5.86 / 6.04", (s, n) => Discriminative(s, n, Strategy.Gradual, ScheduleKind.Constant)),
        new("freez-stlr", "classifier", "gradual unfreezing with STLR at one maximal rate, a tenth of ulmfit's highest", "5.04 / 6.02 / 5.35", (s, n) => OneRate(s, n, Strategy.Gradual, ScheduleKind.SlantedTriangular)),
        new("freez-cos", "classifier", "gradual unfreezing with cosine annealing from one maximal rate, a tenth of ulmfit's highest", "5.70 / 6.38 / 5.29", (s, n) => OneRate(s, n, Strategy.Gradual, ScheduleKind.Cosine)),
        new("freez-discr-stlr", "classifier", "ulmfit under the name of its row among the classifier's", "5.00 / 5.69 / 5.38", Ulmfit),
        new("lm-none", "language-model", "no-lm-finetuning under the name of its row among the language model's", "6.99 / 6.38 / 6.09", WithoutLanguageModel),
        new("lm-full", "language-model", "ulmfit, but the language model is fine-tuned at one constant rate, the highest of ulmfit's", "5.86 / 6.54 / 5.61", (s, n) => WithLanguageModel(Ulmfit(s, n), discriminative: false, ScheduleKind.Constant)),
        new("lm-full-discr", "language-model", "ulmfit, but the language model is fine-tuned at constant discriminative rates, the highest as ulmfit's", "5.55 / 6.36 / 5.47", (s, n) => WithLanguageModel(Ulmfit(s, n), IsPretrained(s), ScheduleKind.Constant)),
        new("lm-full-discr-stlr", "language-model", "ulmfit under the name of its row among the language model's", "5.00 / 5.69 / 5.38", Ulmfit),
        new("forward", "directions", "ulmfit, reading forward", "5.30 / – / –", (s, n) => Ulmfit(s, n) with { Directions = Directions.Forward }),
        new("backward", "directions", "ulmfit, reading backward", null, (s, n) => Ulmfit(s, n) with { Directions = Directions.Backward }),
        new("both", "directions", "ulmfit in both directions, the mean of their probabilities", "4.58 / 3.6 / 5.01", (s, n) => Ulmfit(s, n) with { Directions = Directions.Both }),
        new("features", "transfer", "ulmfit's fine-tuned language model, never trained on labels, and a linear classifier on its pooled states", null, (s, n) => OnFeatures(s, n, FeatureReduction.None)),
        new("features-pca", "transfer", "features, made fewer by principal components", null, (s, n) => OnFeatures(s, n, FeatureReduction.Pca)),
        new("features-lda", "transfer", "features, made fewer by linear discriminants", null, (s, n) => OnFeatures(s, n, FeatureReduction.Lda)),
        new("lstm", "transfer", "no transfer: a plain LSTM classifier from random weights, with its own sizes, Adam at its own constant rate", null, (s, _) => PlainLstmClassifier(s)),
    ];

    /// <summary>
    /// What all rows of a comparison have in common, as far as the settings leave it open: the epochs of the classifier's
    /// stages together, which are those of gradual unfreezing, and the size of the pretrained model for the rows that begin
    /// with random weights.
    /// </summary>
    /// <param name="settings">The settings.</param>
    /// <param name="pretrained">Architecture of the pretrained model; null for none. One that is no <see cref="ModelSize"/> leaves the size as it is.</param>
    /// <param name="rows">Labelled rows that are trained on.</param>
    /// <param name="tokens">Tokens of all text that the language model is trained on.</param>
    public static TrainingSettings InCommon(TrainingSettings settings, AwdLstmConfig? pretrained, int rows, long tokens)
    {
        ArgumentNullException.ThrowIfNull(settings);
        TrainingSettings sized = settings with { Size = pretrained is null ? settings.Size : TrainingSettings.SizeOf(pretrained) ?? settings.Size };
        int layers = (pretrained ?? sized.ConfigFor(1)).Layers;
        int epochs = StagePlan.Of(Ulmfit(sized, rows), layers, pretrained is not null, rows, tokens).EpochsOf(StageKind.Classifier);
        return sized with { Classifier = sized.Classifier with { Epochs = null, TotalEpochs = epochs } };
    }

    // From a random start there is nothing in the lower groups that a low rate would keep.
    private static bool IsPretrained(TrainingSettings settings) => settings.Pretrained != TrainingSettings.NoPretrained;

    private static TrainingSettings Ulmfit(TrainingSettings settings, int rows) => WithClassifier(
        WithLanguageModel(settings, IsPretrained(settings), ScheduleKind.SlantedTriangular), Strategy.Gradual, ScheduleKind.SlantedTriangular, HighestRate(settings, rows), discriminative: true);

    private static TrainingSettings WithoutPretraining(TrainingSettings settings, int rows) => Ulmfit(settings with { Pretrained = TrainingSettings.NoPretrained }, rows);

    private static TrainingSettings WithoutLanguageModel(TrainingSettings settings, int rows)
    {
        TrainingSettings method = Ulmfit(settings, rows);
        return method with { LanguageModel = method.LanguageModel with { FineTune = false } };
    }

    // What is about documents and loss stays; the classifier is fitted, so that the rest would be refused.
    private static TrainingSettings OnFeatures(TrainingSettings settings, int rows, FeatureReduction reduction) => Ulmfit(settings, rows) with
    {
        Method = Method.Features,
        Features = new FeatureSettings { Reduction = reduction },
        Classifier = new ClassifierSettings
        {
            LabelSmoothing = settings.Classifier.LabelSmoothing,
            ClassWeights = settings.Classifier.ClassWeights,
            LabelWeights = settings.Classifier.LabelWeights,
            ChunkLength = settings.Classifier.ChunkLength,
            MaxLength = settings.Classifier.MaxLength,
        },
    };

    // What is about data and loss stays; the rest would be refused, for this method has no use for it.
    private static TrainingSettings PlainLstmClassifier(TrainingSettings settings) => TrainingSettings.Default with
    {
        Method = Method.Lstm,
        Pretrained = TrainingSettings.NoPretrained,
        Seed = settings.Seed,
        Directions = settings.Directions,
        HeldOutFraction = settings.HeldOutFraction,
        MinimumCount = settings.MinimumCount,
        MaximumVocabulary = settings.MaximumVocabulary,
        TextColumn = settings.TextColumn,
        LabelColumn = settings.LabelColumn,
        SliceMinutes = settings.SliceMinutes,
        SliceSteps = settings.SliceSteps,
        Report = settings.Report,
        Classifier = new ClassifierSettings
        {
            Epochs = settings.Classifier.Epochs,
            TotalEpochs = settings.Classifier.TotalEpochs,
            EarlyStopping = settings.Classifier.EarlyStopping,
            Batch = settings.Classifier.Batch,
            LabelSmoothing = settings.Classifier.LabelSmoothing,
            ClassWeights = settings.Classifier.ClassWeights,
            LabelWeights = settings.Classifier.LabelWeights,
        },
    };

    // Its learning rate is the one for random weights, unless the settings name another.
    private static TrainingSettings Scratch(TrainingSettings settings) => settings with
    {
        Method = Method.Ulmfit,
        Features = new FeatureSettings(),
        Pretrained = TrainingSettings.NoPretrained,
        Strategy = Strategy.Full,
        FreezeTo = null,
        LanguageModel = settings.LanguageModel with { FineTune = false },
        Classifier = settings.Classifier with { Discriminative = false, Schedule = ScheduleKind.SlantedTriangular },
    };

    private static TrainingSettings Discriminative(TrainingSettings settings, int rows, Strategy strategy, ScheduleKind schedule) =>
        WithClassifier(Ulmfit(settings, rows), strategy, schedule, HighestRate(settings, rows), discriminative: true);

    // Howard & Ruder 2018, 5: 0.01 with discriminative fine-tuning and 0.001 without, at which the lower groups keep what they know.
    private static TrainingSettings OneRate(TrainingSettings settings, int rows, Strategy strategy, ScheduleKind schedule) =>
        WithClassifier(Ulmfit(settings, rows), strategy, schedule, HighestRate(settings, rows) / 10, discriminative: false);

    private static double HighestRate(TrainingSettings settings, int rows) => settings.Classifier.LearningRate ?? ClassifierSettings.FineTuningRateFor(rows);

    private static TrainingSettings WithLanguageModel(TrainingSettings settings, bool discriminative, ScheduleKind schedule) => settings with
    {
        LanguageModel = settings.LanguageModel with { FineTune = true, Discriminative = discriminative, Schedule = schedule },
    };

    private static TrainingSettings WithClassifier(TrainingSettings settings, Strategy strategy, ScheduleKind schedule, double rate, bool discriminative) => settings with
    {
        Method = Method.Ulmfit,
        Features = new FeatureSettings(),
        Strategy = strategy,
        FreezeTo = null,
        Classifier = settings.Classifier with { LearningRate = rate, Discriminative = discriminative, Schedule = schedule },
    };
}
