using System.Text.Json.Serialization;

namespace Ulmfit.Training;

/// <summary>
/// Settings of pretraining, for corpora of 10 to 100 million tokens. What the paper leaves open follows AWD-LSTM (Merity et
/// al. 2017) and fastai's training on WikiText-103: one cycle up to 0.005, AR 2 and TAR 1 kept on, gradients clipped at
/// 0.25, and a fraction of the dropout of fine-tuning, since a large text that is read a few times is hardly learnt by heart.
/// </summary>
public sealed record PretrainingSettings
{
    private const double FromScratchRate = 5e-3;
    private const double FromAnotherRate = 3e-3;

    /// <summary>Seed of every random choice.</summary>
    public ulong Seed { get; init; } = 42;

    /// <summary>Size of the model, unless it starts from another one.</summary>
    public ModelSize Size { get; init; } = ModelSize.Small;

    /// <summary>
    /// From another language model: whether only its embedding and the decoder's bias are taken, which know words and not
    /// their order, and the LSTM layers begin anew. A model whose layers were trained with little dropout was seen to be a
    /// worse start than new layers.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool NewLayers { get; init; }

    /// <summary>How often the corpus is read, fractions allowed; the schedule is spread over it. When absent 4 (tiny), 6 (small) or 10 (base).</summary>
    public double? Epochs { get; init; }

    /// <summary>Maximal learning rate; when absent 0.005, but 0.003 from another language model.</summary>
    public double? LearningRate { get; init; }

    /// <summary>The largest vocabulary, special tokens counted; when absent 12,000 (tiny, small) or 30,000 (base).</summary>
    public int? MaximumVocabulary { get; init; }

    /// <summary>How often a word must occur to be in the vocabulary.</summary>
    public int MinimumCount { get; init; } = 3;

    /// <summary>Lanes of a batch; fewer where the corpus is too small to give each two windows.</summary>
    public int Batch { get; init; } = 64;

    /// <summary>Base length of a BPTT window.</summary>
    public int Bptt { get; init; } = 70;

    /// <summary>Scales the dropout rates of language-model fine-tuning.</summary>
    public double DropMultiplier { get; init; } = 0.3;

    /// <summary>Decoupled weight decay.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>Norm to which gradients are clipped; 0 for never.</summary>
    public double ClipNorm { get; init; } = 0.25;

    /// <summary>α of activation regularisation.</summary>
    public double ActivationRegularization { get; init; } = 2;

    /// <summary>β of temporal activation regularisation.</summary>
    public double TemporalActivationRegularization { get; init; } = 1;

    /// <summary>
    /// Probability with which a lane starts a window from a zero state. Without it a model was seen to come to rely on a
    /// state hundreds of thousands of tokens old: its training loss fell on while the perplexity of text read from a zero
    /// state, as a classifier reads it, rose from 82 to 530.
    /// </summary>
    public double LaneResetProbability { get; init; } = 0.1;

    /// <summary>Reads settings from JSON; unknown members are refused.</summary>
    /// <exception cref="TrainingSettingsException">The JSON or a value is not acceptable; every fault is listed.</exception>
    public static PretrainingSettings Parse(string json) => SettingsText.Read<PretrainingSettings>(json).Validated();

    /// <summary>The settings as indented camelCase JSON, defaults included.</summary>
    public string ToJson() => SettingsText.Write(this);

    /// <summary>These settings with a value for everything that depends on other things.</summary>
    /// <param name="fromAnother">Whether training starts from another language model.</param>
    public PretrainingSettings Resolved(bool fromAnother) => this with
    {
        Epochs = Epochs ?? (Size switch { ModelSize.Tiny => 4, ModelSize.Small => 6, _ => 10 }),
        LearningRate = LearningRate ?? (fromAnother ? FromAnotherRate : FromScratchRate),
        MaximumVocabulary = MaximumVocabulary ?? (Size == ModelSize.Base ? 30_000 : 12_000),
    };

    /// <summary>These settings, if every value is acceptable.</summary>
    /// <exception cref="TrainingSettingsException">Lists every value that is not.</exception>
    public PretrainingSettings Validated()
    {
        var errors = new List<SettingsError>();
        void Check(bool holds, string path, string rule)
        {
            if (!holds)
            {
                errors.Add(new SettingsError(path, rule));
            }
        }

        Check(Seed <= SettingsText.MaximumSeed, "seed", "must be at most 9007199254740991");
        Check(Epochs is null or (> 0 and <= 1000), "epochs", "must lie in (0, 1000]");
        Check(LearningRate is null or (> 0 and <= 1), "learningRate", "must lie in (0, 1]");
        Check(MaximumVocabulary is null or (>= 16 and <= 1_000_000), "maximumVocabulary", "must lie in [16, 1000000]");
        Check(MinimumCount >= 1, "minimumCount", "must be at least 1");
        Check(Batch is >= 1 and <= 4096, "batch", "must lie in [1, 4096]");
        Check(Bptt is >= 2 and <= 1000, "bptt", "must lie in [2, 1000]");
        Check(DropMultiplier is >= 0 and < 4, "dropMultiplier", "must lie in [0, 4): a rate reaches 1 there");
        Check(WeightDecay is >= 0 and < 1, "weightDecay", "must lie in [0, 1)");
        Check(ClipNorm is >= 0 and <= 1e6, "clipNorm", "must lie in [0, 1000000]");
        Check(ActivationRegularization is >= 0 and <= 1e6, "activationRegularization", "must lie in [0, 1000000]");
        Check(TemporalActivationRegularization is >= 0 and <= 1e6, "temporalActivationRegularization", "must lie in [0, 1000000]");
        Check(LaneResetProbability is >= 0 and <= 1, "laneResetProbability", "must lie in [0, 1]");
        return errors.Count == 0 ? this : throw new TrainingSettingsException(errors);
    }
}
