using System.Text.Json.Serialization;

namespace Ulmfit.Training;

/// <summary>How classes weigh in the loss.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ClassWeighting>))]
public enum ClassWeighting
{
    /// <summary>Every row the same.</summary>
    [JsonStringEnumMemberName("none")]
    None,

    /// <summary>rows / (classes · rows of the class): every class the same.</summary>
    [JsonStringEnumMemberName("balanced")]
    Balanced,
}

/// <summary>Settings of classifier training.</summary>
public sealed record ClassifierSettings
{
    private const double FineTuningRate = 1e-2;
    internal const double FromScratchRate = 5e-3;
    internal const int FewRows = 2_000;
    internal const double GentleFactor = 1.25;
    private const int DefaultEpochs = 6;
    private const int MostEpochs = 25;
    private const int FromScratchFewRowsEpochs = 40;
    internal const int LongestChunk = 10_000;
    internal const double DefaultWeightDecay = 0.01;
    internal const double DefaultClipNorm = 0.4;

    /// <summary>
    /// Epochs of the last stage, in which all groups of the strategy are trained; when absent 6, on fewer than 2,000 rows as many
    /// as show it 12,000 rows, at most 25, or 40 from scratch, and 10 with the method <c>lstm</c>.
    /// </summary>
    public int? Epochs { get; init; }

    /// <summary>
    /// Epochs of all stages together, in place of <see cref="Epochs"/>: the last stage gets what the others leave, one at
    /// least. So strategies with few stages and with many are compared after the same number of epochs.
    /// </summary>
    public int? TotalEpochs { get; init; }

    /// <summary>
    /// When the phase ends before its last epoch, its weights becoming those of the best epoch; every epoch is trained when absent.
    /// </summary>
    public EarlyStoppingSettings? EarlyStopping { get; init; }

    /// <summary>
    /// Maximal learning rate of the last stage (of the head, when it is discriminative); when absent 0.01 from a pretrained model (the
    /// paper's), on fewer than 2,000 rows 0.01 · √(rows / 2,000), 0.005 from scratch, and 0.001 with the method <c>lstm</c>.
    /// </summary>
    public double? LearningRate { get; init; }

    /// <summary>The schedule of this phase's stages; when absent that of the whole settings.</summary>
    public ScheduleKind? Schedule { get; init; }

    /// <summary>Whether lower groups learn at lower rates in this phase; when absent as in the whole settings.</summary>
    public bool? Discriminative { get; init; }

    /// <summary>
    /// By how much the rate falls from group to group in this phase; when absent as in the whole settings. Where they do not say
    /// either, 1.25 on fewer than 2,000 rows, and from a language model that has read the task's text alone: at the paper's 2.6
    /// few rows leave the lower layers where they were, and layers that no pretraining has formed have far to go.
    /// </summary>
    public double? DiscriminativeFactor { get; init; }

    /// <summary>Documents of a batch; fewer where the data set is too small for 32 batches of that size.</summary>
    public int Batch { get; init; } = 64;

    /// <summary>Scales all dropout rates but the head's own; fastai's <c>drop_mult</c>.</summary>
    public double DropMultiplier { get; init; } = 0.5;

    /// <summary>Decoupled weight decay; when absent 0.01, and none with the method <c>lstm</c>.</summary>
    public double? WeightDecay { get; init; }

    /// <summary>Norm to which gradients are clipped, 0 for never; when absent 0.4, and never with the method <c>lstm</c>.</summary>
    public double? ClipNorm { get; init; }

    /// <summary>Width of the head's hidden layer.</summary>
    public int HeadHiddenSize { get; init; } = 50;

    /// <summary>Tokens of a BPT3C chunk; when absent 72, and 10,000 with the method <c>lstm</c>, which hardly any document has.</summary>
    public int? ChunkLength { get; init; }

    /// <summary>How many tokens at the end of a document are pooled.</summary>
    public int MaxLength { get; init; } = 1440;

    /// <summary>ε of label smoothing.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>How classes weigh in the loss.</summary>
    public ClassWeighting ClassWeights { get; init; } = ClassWeighting.None;

    /// <summary>Weights of single labels in the loss, on top of <see cref="ClassWeights"/>; a label that is not named weighs 1.</summary>
    public IReadOnlyDictionary<string, double>? LabelWeights { get; init; }

    /// <summary>
    /// The highest rate from a pretrained model where settings say nothing. Few rows are shown many times, and the fewer they are the more
    /// a high rate makes of what is peculiar to them: below 2,000 it falls as the square root of their number.
    /// </summary>
    internal static double FineTuningRateFor(int rows) => FineTuningRate * Math.Sqrt(Math.Min(rows, FewRows) / (double)FewRows);

    /// <summary>The epochs of the last stage where settings say nothing.</summary>
    internal static int EpochsFor(bool pretrained, int rows) =>
        rows >= FewRows ? DefaultEpochs : pretrained ? Math.Min(FewRows * DefaultEpochs / Math.Max(1, rows), MostEpochs) : FromScratchFewRowsEpochs;

    internal void Check(Action<bool, string, string> check)
    {
        check(Epochs is null or (>= 1 and <= 1000), "classifier.epochs", "must lie in [1, 1000]");
        check(TotalEpochs is null or (>= 1 and <= 1000), "classifier.totalEpochs", "must lie in [1, 1000]");
        check(TotalEpochs is null || Epochs is null, "classifier.totalEpochs", "must not be given beside classifier.epochs");
        check(EarlyStopping is null or { Patience: >= 1 and <= 1000 }, "classifier.earlyStopping.patience", "must lie in [1, 1000]");
        check(LearningRate is null or (> 0 and <= 1), "classifier.learningRate", "must lie in (0, 1]");
        check(DiscriminativeFactor is null or (>= 1 and <= 100), "classifier.discriminativeFactor", "must lie in [1, 100]");
        check(Batch is >= 2 and <= 4096, "classifier.batch", "must lie in [2, 4096]: BatchNorm needs two documents");
        check(DropMultiplier is >= 0 and < 2, "classifier.dropMultiplier", "must lie in [0, 2): a rate reaches 1 there");
        check(WeightDecay is null or (>= 0 and < 1), "classifier.weightDecay", "must lie in [0, 1)");
        check(ClipNorm is null or (>= 0 and <= 1e6), "classifier.clipNorm", "must lie in [0, 1000000]");
        check(HeadHiddenSize is >= 1 and <= 4096, "classifier.headHiddenSize", "must lie in [1, 4096]");
        check(ChunkLength is null or (>= 1 and <= LongestChunk), "classifier.chunkLength", "must lie in [1, 10000]");
        check(MaxLength is >= 1 and <= 1_000_000, "classifier.maxLength", "must lie in [1, 1000000]");
        check(LabelSmoothing is >= 0 and < 1, "classifier.labelSmoothing", "must lie in [0, 1)");
        foreach ((string label, double weight) in LabelWeights ?? new Dictionary<string, double>())
        {
            check(weight is > 0 and <= 1e6, $"classifier.labelWeights.{label}", "must lie in (0, 1000000]");
        }
    }
}
