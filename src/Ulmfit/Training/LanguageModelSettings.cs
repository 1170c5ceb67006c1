namespace Ulmfit.Training;

/// <summary>Settings of language-model fine-tuning (from scratch: of its training).</summary>
public sealed record LanguageModelSettings
{
    internal const double FineTuningRate = 4e-3;
    internal const double FromScratchRate = 5e-3;
    internal const long LittleText = 30_000;
    internal const long HardlyAnyText = 3_000;
    private const int FineTuningEpochs = 6;
    private const int FineTuningEpochsOnLittleText = 15;
    private const int FromScratchEpochs = 14;

    /// <summary>
    /// Whether there is a language-model stage at all; when absent there is, except from a pretrained model on fewer than 3,000 tokens,
    /// which take more from it than they give (two points on TREC-6), and from scratch on fewer than 30,000, from which a language
    /// model learns nothing that helps a classifier (it was seen to lose ten points).
    /// </summary>
    public bool? FineTune { get; init; }

    /// <summary>Epochs; when absent 6 from a pretrained model, 15 on fewer than 30,000 tokens, and 14 from scratch.</summary>
    public int? Epochs { get; init; }

    /// <summary>
    /// When the phase ends before its last epoch, its weights becoming those of the best epoch; every epoch is trained when absent. The metric is the loss.
    /// </summary>
    public EarlyStoppingSettings? EarlyStopping { get; init; }

    /// <summary>
    /// From a pretrained model, how many of the epochs come first and train the embedding and decoder alone (fastai's frozen
    /// epoch, for the sake of new words); the paper has none. At least one epoch is left for all groups.
    /// </summary>
    public int FrozenEpochs { get; init; } = 1;

    /// <summary>Maximal learning rate; when absent 0.004 from a pretrained model (the paper's) and 0.005 from scratch.</summary>
    public double? LearningRate { get; init; }

    /// <summary>The schedule of this phase's stages; when absent that of the whole settings.</summary>
    public ScheduleKind? Schedule { get; init; }

    /// <summary>Whether lower groups learn at lower rates in this phase; when absent as in the whole settings.</summary>
    public bool? Discriminative { get; init; }

    /// <summary>By how much the rate falls from group to group in this phase; when absent as in the whole settings.</summary>
    public double? DiscriminativeFactor { get; init; }

    /// <summary>Lanes of a batch; when absent as many as leave each lane about sixteen windows, between 8 and 64.</summary>
    public int? Batch { get; init; }

    /// <summary>Base length of a BPTT window.</summary>
    public int Bptt { get; init; } = 70;

    /// <summary>Scales all dropout rates; fastai's <c>drop_mult</c>.</summary>
    public double DropMultiplier { get; init; } = 1;

    /// <summary>Decoupled weight decay.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>Norm to which gradients are clipped; 0 for never.</summary>
    public double ClipNorm { get; init; } = 0.4;

    /// <summary>α of activation regularisation.</summary>
    public double ActivationRegularization { get; init; } = 2;

    /// <summary>β of temporal activation regularisation.</summary>
    public double TemporalActivationRegularization { get; init; } = 1;

    /// <summary>Probability with which a lane starts a window from a zero state, so that the model does not come to rely on a state that no classifier ever has.</summary>
    public double LaneResetProbability { get; init; } = 0.1;

    /// <summary>The epochs where settings say nothing.</summary>
    internal static int EpochsFor(bool pretrained, long tokens) =>
        !pretrained ? FromScratchEpochs : tokens < LittleText ? FineTuningEpochsOnLittleText : FineTuningEpochs;

    internal void Check(Action<bool, string, string> check)
    {
        check(Epochs is null or (>= 1 and <= 1000), "languageModel.epochs", "must lie in [1, 1000]");
        check(FrozenEpochs is >= 0 and <= 1000, "languageModel.frozenEpochs", "must lie in [0, 1000]");
        check(EarlyStopping is null or { Patience: >= 1 and <= 1000 }, "languageModel.earlyStopping.patience", "must lie in [1, 1000]");
        check(EarlyStopping is null or { Metric: EarlyStoppingMetric.Loss }, "languageModel.earlyStopping.metric", "must be \"loss\": a language model has no accuracy");
        check(LearningRate is null or (> 0 and <= 1), "languageModel.learningRate", "must lie in (0, 1]");
        check(DiscriminativeFactor is null or (>= 1 and <= 100), "languageModel.discriminativeFactor", "must lie in [1, 100]");
        check(Batch is null or (>= 1 and <= 4096), "languageModel.batch", "must lie in [1, 4096]");
        check(Bptt is >= 2 and <= 1000, "languageModel.bptt", "must lie in [2, 1000]");
        check(DropMultiplier is >= 0 and < 4, "languageModel.dropMultiplier", "must lie in [0, 4): a rate reaches 1 there");
        check(WeightDecay is >= 0 and < 1, "languageModel.weightDecay", "must lie in [0, 1)");
        check(ClipNorm is >= 0 and <= 1e6, "languageModel.clipNorm", "must lie in [0, 1000000]");
        check(ActivationRegularization is >= 0 and <= 1e6, "languageModel.activationRegularization", "must lie in [0, 1000000]");
        check(TemporalActivationRegularization is >= 0 and <= 1e6, "languageModel.temporalActivationRegularization", "must lie in [0, 1000000]");
        check(LaneResetProbability is >= 0 and <= 1, "languageModel.laneResetProbability", "must lie in [0, 1]");
    }
}
