using System.Text.Json.Serialization;
using Ulmfit.Engine;
using Ulmfit.Features;
using Ulmfit.Model;

namespace Ulmfit.Training;

/// <summary>How the classifier is unfrozen.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Strategy>))]
public enum Strategy
{
    /// <summary>Gradual unfreezing, from the head down.</summary>
    [JsonStringEnumMemberName("gradual")]
    Gradual,

    /// <summary>All groups from the first epoch on.</summary>
    [JsonStringEnumMemberName("full")]
    Full,

    /// <summary>The head alone; the encoder gives fixed features.</summary>
    [JsonStringEnumMemberName("last")]
    Last,

    /// <summary>Chain-thaw, with the learning rates of <see cref="Training.ChainThaw"/>.</summary>
    [JsonStringEnumMemberName("chain-thaw")]
    ChainThaw,

    /// <summary>The groups from <see cref="TrainingSettings.FreezeTo"/> on, from the first epoch on; those below stay as they are.</summary>
    [JsonStringEnumMemberName("partial")]
    Partial,
}

/// <summary>The learning-rate schedule of a stage.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ScheduleKind>))]
public enum ScheduleKind
{
    /// <summary>Slanted triangular.</summary>
    [JsonStringEnumMemberName("stlr")]
    SlantedTriangular,

    /// <summary>One-cycle, momentum included.</summary>
    [JsonStringEnumMemberName("one-cycle")]
    OneCycle,

    /// <summary>Cosine annealing.</summary>
    [JsonStringEnumMemberName("cosine")]
    Cosine,

    /// <summary>No schedule.</summary>
    [JsonStringEnumMemberName("constant")]
    Constant,
}

/// <summary>Size of the model where no pretrained one fixes it.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ModelSize>))]
public enum ModelSize
{
    /// <summary>Embedding 128, hidden 256, 3 layers: for a few thousand short texts.</summary>
    [JsonStringEnumMemberName("tiny")]
    Tiny,

    /// <summary>Embedding 256, hidden 768, 3 layers.</summary>
    [JsonStringEnumMemberName("small")]
    Small,

    /// <summary>Embedding 400, hidden 1152, 3 layers: fastai's AWD-LSTM.</summary>
    [JsonStringEnumMemberName("base")]
    Base,
}

/// <summary>Settings of a training run. Members that are absent from the JSON take the defaults given here.</summary>
public sealed record TrainingSettings
{
    /// <summary>All defaults.</summary>
    public static TrainingSettings Default { get; } = new();

    /// <summary>Seed of every random choice.</summary>
    public ulong Seed { get; init; } = 42;

    /// <summary>By which method the classifier is trained. Settings that another method alone has a use for are refused.</summary>
    public Method Method { get; init; } = Method.Ulmfit;

    /// <summary>Which models are trained.</summary>
    public Directions Directions { get; init; } = Directions.Both;

    /// <summary>
    /// Name of the pretrained language model to start from, or <c>none</c>; on the command line also its folder. With the method
    /// <c>lstm</c>, which starts from random weights, the default gives way to <c>none</c>.
    /// </summary>
    public string Pretrained { get; init; } = PretrainedLibrary.English;

    /// <summary>
    /// A trained model to start at, in place of <see cref="Pretrained"/>: with the same labels its output layer is kept, with
    /// others it gets a new one. In the pipeline <c>champion</c> (the data set's own at the time the run begins; while there is
    /// none, nothing) or a version such as <c>tickets/3</c>, on the command line a folder.
    /// </summary>
    public string? From { get; init; }

    /// <summary>Size of the model when there is no pretrained one.</summary>
    public ModelSize Size { get; init; } = ModelSize.Tiny;

    /// <summary>How the classifier is unfrozen.</summary>
    public Strategy Strategy { get; init; } = Strategy.Gradual;

    /// <summary>
    /// With the strategy <c>partial</c>, and only with it: the lowest group that is trained, as fastai's
    /// <c>freeze_to(n)</c>. The groups are the embedding (0), each LSTM layer and the head; a negative number counts from
    /// the top, so −2 trains the head and the layer below it.
    /// </summary>
    public int? FreezeTo { get; init; }

    /// <summary>
    /// Whether lower groups learn at lower rates; when absent, they do from a pretrained model. From scratch there is
    /// nothing in them to keep. Of both phases, unless <c>languageModel</c> or <c>classifier</c> says otherwise for its own.
    /// </summary>
    public bool? Discriminative { get; init; }

    /// <summary>
    /// By how much the rate falls from one group to the next below it; of both phases, unless one says otherwise. When absent the
    /// paper's 2.6, and 1.25 for a classifier on fewer than 2,000 rows.
    /// </summary>
    public double? DiscriminativeFactor { get; init; }

    /// <summary>The schedule of every stage of both phases, unless one says otherwise; when absent slanted triangular, and constant with the method <c>lstm</c>.</summary>
    public ScheduleKind? Schedule { get; init; }

    /// <summary>Share of the rows that is held out for the evaluation gate, in (0, 0.5].</summary>
    public double HeldOutFraction { get; init; } = 0.1;

    /// <summary>A token must occur this often to be in the vocabulary.</summary>
    public int MinimumCount { get; init; } = 2;

    /// <summary>The largest vocabulary.</summary>
    public int MaximumVocabulary { get; init; } = 60_000;

    /// <summary>Name of the text column; recognised when absent.</summary>
    public string? TextColumn { get; init; }

    /// <summary>Name of the label column; recognised when absent.</summary>
    public string? LabelColumn { get; init; }

    /// <summary>Minutes after which an epoch is cut and goes on in another activity; never when absent.</summary>
    public double? SliceMinutes { get; init; }

    /// <summary>Steps after which an epoch is cut; never when absent.</summary>
    public int? SliceSteps { get; init; }

    /// <summary>Fine-tuning of the language model.</summary>
    public LanguageModelSettings LanguageModel { get; init; } = new();

    /// <summary>Training of the classifier.</summary>
    public ClassifierSettings Classifier { get; init; } = new();

    /// <summary>With the method <c>features</c>, and only with it: how features are reduced and classified.</summary>
    public FeatureSettings Features { get; init; } = new();

    /// <summary>What the run's report holds.</summary>
    public ReportSettings Report { get; init; } = new();

    /// <summary>The value of <see cref="Pretrained"/> that stands for none.</summary>
    public const string NoPretrained = "none";

    /// <summary>Reads settings from JSON; unknown members are refused.</summary>
    /// <exception cref="TrainingSettingsException">The JSON or a value is not acceptable; every fault is listed.</exception>
    public static TrainingSettings Parse(string json) => SettingsText.Read<TrainingSettings>(json).Validated();

    /// <summary>The settings as indented camelCase JSON, defaults included.</summary>
    public string ToJson() => SettingsText.Write(this);

    /// <summary>These settings, if every value is acceptable.</summary>
    /// <exception cref="TrainingSettingsException">Lists every value that is not.</exception>
    public TrainingSettings Validated()
    {
        if (Method == Method.Lstm && Pretrained == PretrainedLibrary.English)
        {
            return (this with { Pretrained = NoPretrained }).Validated();
        }

        var errors = new List<SettingsError>();
        void Check(bool holds, string path, string rule)
        {
            if (!holds)
            {
                errors.Add(new SettingsError(path, rule));
            }
        }

        Check(Seed <= SettingsText.MaximumSeed, "seed", "must be at most 9007199254740991");
        Check(!string.IsNullOrWhiteSpace(Pretrained), "pretrained", "must be the name of a pretrained model or \"none\"");
        Check(From is null || !string.IsNullOrWhiteSpace(From), "from", "must be \"champion\" or a version such as \"tickets/3\"; on the command line a folder");
        Check((Strategy == Strategy.Partial) == (FreezeTo is not null), "freezeTo", "must be given with the strategy \"partial\" and with no other");
        Check(DiscriminativeFactor is null or (>= 1 and <= 100), "discriminativeFactor", "must lie in [1, 100]");
        Check(HeldOutFraction is > 0 and <= 0.5, "heldOutFraction", "must lie in (0, 0.5]");
        Check(MinimumCount >= 1, "minimumCount", "must be at least 1");
        Check(MaximumVocabulary is >= 16 and <= 1_000_000, "maximumVocabulary", "must lie in [16, 1000000]");
        Check(SliceMinutes is null or (> 0 and <= 1440), "sliceMinutes", "must lie in (0, 1440]");
        Check(SliceSteps is null or > 0, "sliceSteps", "must be positive");
        Check(TextColumn is null || TextColumn != LabelColumn, "textColumn", "must not be the label column");
        LanguageModel.Check(Check);
        Classifier.Check(Check);
        Report.Check(Check);
        if (Method == Method.Lstm)
        {
            PlainLstm.Check(this, Check);
        }

        if (Method == Method.Features)
        {
            Features.Check(Check);
            FrozenFeatures.Check(this, Check);
        }
        else
        {
            Check(Features == new FeatureSettings(), "features", "must be left out but with the method \"features\"");
        }

        return errors.Count == 0 ? this : throw new TrainingSettingsException(errors);
    }

    /// <summary>The architecture of <see cref="Size"/> for a vocabulary.</summary>
    public AwdLstmConfig ConfigFor(int vocabularySize) => Size switch
    {
        ModelSize.Tiny => new AwdLstmConfig(vocabularySize, 128, 256, 3),
        ModelSize.Small => new AwdLstmConfig(vocabularySize, 256, 768, 3),
        _ => new AwdLstmConfig(vocabularySize, 400, 1152, 3),
    };

    /// <summary>The size whose architecture is a given one, whatever its vocabulary; null where there is none.</summary>
    public static ModelSize? SizeOf(AwdLstmConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return Enum.GetValues<ModelSize>().Select(size => (ModelSize?)size).FirstOrDefault(size => (Default with { Size = size!.Value }).ConfigFor(config.VocabularySize) == config);
    }

    /// <summary>The schedule of a stage of <paramref name="iterations"/> steps.</summary>
    internal ISchedule ScheduleOf(StageKind phase, int iterations) => ((phase == StageKind.LanguageModel ? LanguageModel.Schedule : Classifier.Schedule) ?? Schedule) switch
    {
        null when Method == Method.Lstm => new ConstantSchedule(),
        null or ScheduleKind.SlantedTriangular => new SlantedTriangularSchedule(iterations),
        ScheduleKind.OneCycle => new OneCycleSchedule(iterations),
        ScheduleKind.Cosine => new CosineSchedule(iterations),
        _ => new ConstantSchedule(),
    };

    /// <summary>The settings of an optimiser step of a phase.</summary>
    internal OptimizerStep StepOf(StageKind phase, RandomKey key, int number, IReadOnlyList<GroupStep> groups)
    {
        bool lstm = Method == Method.Lstm;
        (double decay, double clip) = phase == StageKind.LanguageModel
            ? (LanguageModel.WeightDecay, LanguageModel.ClipNorm)
            : (Classifier.WeightDecay ?? (lstm ? 0 : ClassifierSettings.DefaultWeightDecay), Classifier.ClipNorm ?? (lstm ? 0 : ClassifierSettings.DefaultClipNorm));
        var step = new OptimizerStep(key, number, groups) { WeightDecay = (float)decay, ClipNorm = (float)clip };
        return lstm ? PlainLstm.Adam(step) : step;
    }

    /// <summary>When a phase ends before its last epoch; null for never.</summary>
    internal EarlyStoppingSettings? EarlyStoppingOf(StageKind phase) => phase == StageKind.LanguageModel ? LanguageModel.EarlyStopping : Classifier.EarlyStopping;

    /// <summary>By how much the learning rate falls from group to group in a phase; 1 where it does not.</summary>
    /// <param name="phase">The phase.</param>
    /// <param name="pretrained">Whether training starts from a pretrained model.</param>
    /// <param name="rows">Labelled rows that a classifier is trained on.</param>
    internal double DiscriminativeFactorOf(StageKind phase, bool pretrained, int rows)
    {
        (bool? own, double? ownFactor) = phase == StageKind.LanguageModel
            ? (LanguageModel.Discriminative, LanguageModel.DiscriminativeFactor)
            : (Classifier.Discriminative, Classifier.DiscriminativeFactor);
        double usual = phase == StageKind.Classifier && (rows < ClassifierSettings.FewRows || !pretrained) ? ClassifierSettings.GentleFactor : DiscriminativeLearningRates.PaperFactor;
        return own ?? Discriminative ?? pretrained ? ownFactor ?? DiscriminativeFactor ?? usual : 1;
    }
}
