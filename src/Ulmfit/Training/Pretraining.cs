using System.Globalization;
using System.Text.Json;
using Ulmfit.Engine;
using Ulmfit.Model;
using Ulmfit.Text;

namespace Ulmfit.Training;

/// <summary>
/// Pretraining of a language model in one direction (Howard &amp; Ruder 2018, 3.1), cut into slices: each call of
/// <see cref="Train"/> is a pure function from checkpoint to checkpoint, whatever process it runs in, and where the cuts are
/// makes no difference to the weights. The documents are shuffled anew every epoch, lanes start now and then from a zero
/// state, and one cycle of learning rate and momentum spans all steps.
/// </summary>
public sealed class Pretraining
{
    private const int SampleDocuments = 64;
    private const int SampleLength = 1000;

    private readonly ITrainingEngine engine;
    private readonly PretrainingData data;
    private readonly PretrainingSettings settings;
    private readonly Direction direction;
    private readonly PretrainedModel? start;
    private readonly ulong seed;
    private readonly int batch;
    private readonly int[][] train;
    private readonly int[][] heldOut;
    private readonly Stage stage;
    private readonly int[] stepsOfEpochs;

    /// <summary>The pretraining of <paramref name="direction"/>.</summary>
    /// <param name="engine">What trains.</param>
    /// <param name="data">The corpus.</param>
    /// <param name="settings">Settings.</param>
    /// <param name="direction">The direction.</param>
    /// <param name="start">A language model to start from; its architecture is kept, its words are carried over.</param>
    /// <exception cref="TrainingSettingsException">The settings are not acceptable.</exception>
    public Pretraining(ITrainingEngine engine, PretrainingData data, PretrainingSettings settings, Direction direction, PretrainedModel? start)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(settings);
        this.engine = engine;
        this.data = data;
        this.settings = settings.Validated().Resolved(start is not null);
        this.direction = direction;
        this.start = start;
        seed = direction.SeedOf(settings.Seed);
        Config = start is null
            ? (TrainingSettings.Default with { Size = settings.Size }).ConfigFor(data.Vocabulary.Count)
            : start.Config with { VocabularySize = data.Vocabulary.Count };
        train = [.. data.Train.Documents.Select(document => direction.Read(document))];
        heldOut = [.. data.HeldOut.Documents.Select(document => direction.Read(document))];
        batch = (int)Math.Clamp(data.Train.Tokens / (2L * settings.Bptt), 1, settings.Batch);

        double epochs = this.settings.Epochs!.Value;
        int groups = Config.Layers + 1;
        stage = new Stage("pretraining", StageKind.LanguageModel, (int)Math.Ceiling(epochs), GradualUnfreezing.TopGroups(groups, groups), DiscriminativeLearningRates.Of(this.settings.LearningRate!.Value, groups, factor: 1));
        stepsOfEpochs = [.. Enumerable.Range(0, stage.Epochs).Select(epoch => StepsOf(epoch, Math.Min(1, epochs - epoch)))];
    }

    /// <summary>The architecture.</summary>
    public AwdLstmConfig Config { get; }

    /// <summary>What the time of slices is measured with.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Steps of the whole training.</summary>
    public int Steps => stepsOfEpochs.Sum();

    /// <summary>All that the weights depend on, by name: the digests of the texts and of the start, architecture, engine, tokenizer and settings.</summary>
    public IReadOnlyDictionary<string, string> MadeFrom
    {
        get
        {
            var made = new Dictionary<string, string>
            {
                ["corpus"] = data.Train.Digest,
                ["heldOut"] = data.HeldOutIsApart ? data.HeldOut.Digest : "the end of the corpus",
                ["start"] = start?.Digest ?? TrainingSettings.NoPretrained,
                ["tokenizer"] = Tokenizer.Version,
                ["engine"] = engine.Name,
                ["embedding"] = Config.EmbeddingSize.ToString(CultureInfo.InvariantCulture),
                ["hidden"] = Config.HiddenSize.ToString(CultureInfo.InvariantCulture),
                ["layers"] = Config.Layers.ToString(CultureInfo.InvariantCulture),
            };
            using var document = JsonDocument.Parse(settings.ToJson());
            foreach (JsonProperty setting in document.RootElement.EnumerateObject())
            {
                made[setting.Name] = setting.Value.ToString();
            }

            return made;
        }
    }

    /// <summary>What differs between two pretrainings, in words; empty where the second can go on with the first's checkpoints.</summary>
    /// <param name="was"><see cref="MadeFrom"/> of the first.</param>
    /// <param name="now">That of the second.</param>
    public static IReadOnlyList<string> Differences(IReadOnlyDictionary<string, string> was, IReadOnlyDictionary<string, string> now)
    {
        ArgumentNullException.ThrowIfNull(was);
        ArgumentNullException.ThrowIfNull(now);
        const int DigestLength = 64;
        return
        [
            .. was.Keys.Union(now.Keys).Where(key => was.GetValueOrDefault(key) != now.GetValueOrDefault(key)).Select(key =>
            {
                string before = was.GetValueOrDefault(key, "not set"), after = now.GetValueOrDefault(key, "not set");
                return before.Length == DigestLength || after.Length == DigestLength ? $"{key} is another" : $"{key} was {before}, now is {after}";
            }),
        ];
    }

    /// <summary>
    /// The checkpoint before the first step. Where the model to start from reads the other way only, or settings say so, its
    /// embedding and the decoder's bias are taken, for they know words and not their order, and the LSTM layers begin anew.
    /// </summary>
    public Checkpoint Start()
    {
        if (start is null)
        {
            return new Checkpoint(default, false, WeightInitialization.LanguageModel(Config, seed));
        }

        bool readsThisWay = direction == Direction.Forward || start.Backward is not null;
        StateDict known = start.WeightsFor(data.Vocabulary, readsThisWay ? direction : Direction.Forward);
        if (readsThisWay && !settings.NewLayers)
        {
            return new Checkpoint(default, false, known);
        }

        StateDict weights = WeightInitialization.LanguageModel(Config, seed);
        foreach (string name in (string[])[AwdLstmNames.Embedding(AwdLstmNames.LanguageModelEncoder), AwdLstmNames.DecoderBias])
        {
            weights[name] = known[name];
        }

        return new Checkpoint(default, false, weights);
    }

    /// <summary>Steps that were trained before a position.</summary>
    public int StepsBefore(TrainingPosition position) => position.Stage > 0 ? Steps : stepsOfEpochs.Take(position.Epoch).Sum() + position.Step;

    /// <summary>Trains from a checkpoint to the end of its epoch or of a slice of it, and measures.</summary>
    /// <param name="from">Where to go on.</param>
    /// <param name="limit">When the slice ends.</param>
    /// <param name="progress">Told after every step.</param>
    /// <param name="cancellationToken">Checked before every step.</param>
    /// <exception cref="InvalidOperationException">Training has finished already.</exception>
    /// <exception cref="TrainingDivergedException">The loss is no longer finite.</exception>
    public PretrainingSlice Train(Checkpoint from, SliceLimit limit, IProgress<PretrainingProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(from);
        if (from.Finished)
        {
            throw new InvalidOperationException("Pretraining has finished: there is no further epoch.");
        }

        long began = Clock.GetTimestamp();
        TrainingPosition position = from.Position;
        var stream = LanguageModelStream.Training(train, batch, settings.Bptt, settings.LaneResetProbability, KeyOf(position.Epoch));
        ILanguageModelNetwork network = engine.CreateLanguageModel(Options(), from.State);
        if (position.Step == 0)
        {
            network.ResetState(evaluation: false);
        }

        using var epoch = new TrainingEpoch(
            new LanguageModelEpoch(network, stream, settings.Bptt, []), new EpochPlan(SettingsFor(limit), [stage], position, seed, stepsOfEpochs) { SettingsPath = "", Clock = Clock },
            from.EpochLoss, from.EpochCorrect, from.Best, from.EpochCurve);
        var slice = new SliceProgress(this, from, progress);
        Checkpoint to = epoch.Run(slice, cancellationToken);
        LossSum measured = DocumentLoss.Of(network, to.Finished ? heldOut : Sample(), cancellationToken);
        var metrics = new PretrainingMetrics(
            StepsBefore(to.Position), Steps, EpochsBefore(position.Epoch, slice.LastStep), TokensBefore(position.Epoch, slice.LastStep), slice.Loss,
            measured.Count == 0 ? null : measured.Mean, measured.Count, slice.LearningRate, Clock.GetElapsedTime(began).TotalSeconds);
        return new PretrainingSlice(to, metrics);
    }

    private RandomKey KeyOf(int epoch) => new(seed, 0, epoch, 0);

    private IReadOnlyList<int> WindowsOf(int epoch) => BackpropagationThroughTime.Windows((int)((data.Train.Tokens - 1) / batch), settings.Bptt, KeyOf(epoch));

    private int StepsOf(int epoch, double share) => Math.Max(1, (int)Math.Round(WindowsOf(epoch).Count * share));

    private double EpochsBefore(int epoch, int step) => epoch + ((double)step / WindowsOf(epoch).Count);

    // Whole epochs leave out less than a token a lane, which is not counted.
    private long TokensBefore(int epoch, int step) =>
        batch * (((data.Train.Tokens - 1) / batch * epoch) + WindowsOf(epoch).Take(step).Sum(window => (long)window));

    private LanguageModelOptions Options() => new(Config, DropoutRates.LanguageModel.Scaled((float)settings.DropMultiplier), batch, BackpropagationThroughTime.MaximumLength(settings.Bptt))
    {
        ActivationRegularization = (float)settings.ActivationRegularization,
        TemporalActivationRegularization = (float)settings.TemporalActivationRegularization,
    };

    private TrainingSettings SettingsFor(SliceLimit limit) => TrainingSettings.Default with
    {
        Schedule = ScheduleKind.OneCycle,
        SliceSteps = limit.Steps,
        SliceMinutes = limit.Time?.TotalMinutes,
        LanguageModel = new LanguageModelSettings { WeightDecay = settings.WeightDecay, ClipNorm = settings.ClipNorm },
    };

    // The beginnings of documents from all over the held-out text: quick to read side by side, and of the lengths that classifiers see.
    private IEnumerable<int[]> Sample()
    {
        int count = Math.Min(SampleDocuments, heldOut.Length);
        return Enumerable.Range(0, count).Select(i => heldOut[(int)((long)i * heldOut.Length / count)]).Select(document => document[..Math.Min(document.Length, SampleLength)]);
    }

    /// <summary>Turns the means of an epoch into those of a slice of it.</summary>
    private sealed class SliceProgress(Pretraining training, Checkpoint from, IProgress<PretrainingProgress>? progress) : IProgress<TrainingProgress>
    {
        private readonly int before = training.stepsOfEpochs.Take(from.Position.Epoch).Sum();
        private readonly IReadOnlyList<int> windows = training.WindowsOf(from.Position.Epoch);
        private long predictions = from.EpochLoss.Count;

        public int LastStep { get; private set; } = from.Position.Step;

        public double Loss { get; private set; } = double.NaN;

        public double LearningRate { get; private set; }

        public void Report(TrainingProgress value)
        {
            predictions += (long)windows[LastStep] * training.batch;
            LastStep = value.Step;
            LearningRate = value.LearningRate;
            Loss = ((value.Loss * predictions) - from.EpochLoss.Sum) / (predictions - from.EpochLoss.Count);
            progress?.Report(new PretrainingProgress(
                before + value.Step, training.Steps, value.Epoch - 1 + ((double)value.Step / windows.Count), Loss, LearningRate, value.TokensPerSecond) { Tokens = value.Tokens });
        }
    }
}
