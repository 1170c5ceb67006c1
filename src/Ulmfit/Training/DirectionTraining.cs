using Ulmfit.Engine;
using Ulmfit.Features;
using Ulmfit.Model;

namespace Ulmfit.Training;

/// <summary>
/// The training of one direction, cut into epochs and slices: each call of <see cref="Train"/> is a pure function from
/// checkpoint to checkpoint, whatever process it runs in.
/// </summary>
public sealed class DirectionTraining
{
    private readonly ITrainingEngine engine;
    private readonly TrainingData data;
    private readonly TrainingSettings settings;
    private readonly Direction direction;
    private readonly PretrainedModel? pretrained;
    private readonly EarlierModel? earlier;
    private readonly ulong seed;
    private readonly Document[] train;
    private readonly Document[] heldOut;
    private readonly int[][] languageModelTrain;
    private readonly long languageModelTokens;
    private readonly int languageModelBatch;
    private readonly int classifierBatch;
    private readonly float[]? classWeights;

    /// <summary>The training of <paramref name="direction"/>, from random weights where there is nothing to start at.</summary>
    /// <param name="engine">What trains.</param>
    /// <param name="data">What is trained on.</param>
    /// <param name="settings">How.</param>
    /// <param name="direction">In which direction the model reads.</param>
    /// <param name="pretrained">A language model to start at.</param>
    /// <param name="earlier">
    /// A trained classifier to start at instead. Its sizes hold, and the language model is then only fine-tuned where the
    /// settings say so.
    /// </param>
    /// <exception cref="TrainingSettingsException">The settings are not acceptable.</exception>
    /// <exception cref="ArgumentException">There is a model to start at, but the method starts from scratch.</exception>
    /// <exception cref="InvalidDataException">The model to start at does not read in that direction.</exception>
    public DirectionTraining(ITrainingEngine engine, TrainingData data, TrainingSettings settings, Direction direction, PretrainedModel? pretrained, EarlierModel? earlier = null)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(settings);
        this.engine = engine;
        this.data = data;
        this.settings = settings.Validated();
        this.direction = direction;
        this.pretrained = pretrained;
        this.earlier = earlier;
        if (settings.Method == Method.Lstm && (pretrained is not null || earlier is not null))
        {
            throw new ArgumentException("With the method \"lstm\" training starts from random weights, but a model to start at was given.", nameof(settings));
        }

        if (direction == Direction.Backward && pretrained is { Backward: null })
        {
            throw new InvalidDataException("The pretrained model has no backward weights: add backward.safetensors to it, name another model, or set \"directions\" to \"forward\".");
        }

        ClassifierConfig = ConfigOf();
        seed = direction.SeedOf(settings.Seed);
        Func<int[], int[]> read = ReadOnce(direction);
        languageModelTrain = [.. data.LanguageModelTexts.Select(read)];
        train = [.. data.Train.Select(document => document with { Tokens = read(document.Tokens) })];
        heldOut = [.. data.HeldOut.Select(document => document with { Tokens = read(document.Tokens) })];
        languageModelTokens = languageModelTrain.Sum(document => (long)document.Length);
        languageModelBatch = LanguageModelBatchFor(languageModelTokens);
        classifierBatch = ClassifierBatchFor(train.Length);
        classWeights = ClassWeights.Of(settings.Classifier, data.Labels, train);
        TrainingSettings planned = earlier is null ? settings : settings with { LanguageModel = settings.LanguageModel with { FineTune = settings.LanguageModel.FineTune ?? false } };
        Plan = StagePlan.Of(planned, ClassifierConfig.Encoder.Layers, pretrained is not null || earlier is not null, train.Length, languageModelTokens);
    }

    /// <summary>The stages.</summary>
    public StagePlan Plan { get; }

    /// <summary>What <see cref="TrainingSettings.SliceMinutes"/> are measured with.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Architecture of the classifier that the last checkpoint holds.</summary>
    public ClassifierConfig ClassifierConfig { get; }

    /// <summary>
    /// SHA-256 over everything that the trained weights depend on: equal trainings have the same, whatever folder, process,
    /// number of threads or size of slices they are done with.
    /// </summary>
    public string Fingerprint => TrainingFingerprint.OfTraining(engine, data, settings, direction, Plan.Stages, StartDigest);

    /// <summary>
    /// The same over what the weights after the language-model stages depend on, null where there is no such stage.
    /// Trainings that differ in the classifier alone have it in common, and one may go on at <see cref="LanguageModelEnd"/>
    /// with the checkpoint of another.
    /// </summary>
    public string? LanguageModelFingerprint => LanguageModelEnd.Stage == 0 ? null : TrainingFingerprint.OfLanguageModel(
        engine, settings, Plan.Stages.Take(LanguageModelEnd.Stage), languageModelBatch, ClassifierConfig.Encoder, languageModelTrain, heldOut, seed, $"{direction} {StartDigest}");

    /// <summary>Where the classifier's stages begin.</summary>
    public TrainingPosition LanguageModelEnd => new(Plan.Stages.Count(stage => stage.Kind == StageKind.LanguageModel), 0, 0);

    /// <summary>The checkpoint before the first step.</summary>
    public Checkpoint Start() => new(
        default,
        Plan.Stages.Count == 0,
        settings.Method == Method.Lstm ? WeightInitialization.Classifier(ClassifierConfig, seed)
            : earlier?.WeightsFor(data.Vocabulary, direction) ?? pretrained?.WeightsFor(data.Vocabulary, direction) ?? WeightInitialization.LanguageModel(ClassifierConfig.Encoder, seed));

    /// <summary>
    /// Makes the network of a checkpoint's epoch. The checkpoint's weights are copied and can be let go of: of them,
    /// what is returned refers to those of the best epoch alone, where early stopping asks for it, and with the method
    /// <c>features</c> to the encoder's.
    /// </summary>
    /// <param name="from">Where to go on.</param>
    /// <exception cref="InvalidOperationException">Training has finished already.</exception>
    public TrainingEpoch Open(Checkpoint from)
    {
        ArgumentNullException.ThrowIfNull(from);
        if (from.Finished)
        {
            throw new InvalidOperationException("Training has finished: there is no further epoch.");
        }

        TrainingPosition position = from.Position;
        Stage stage = Plan.Stages[position.Stage];
        var plan = new EpochPlan(settings, Plan.Stages, position, seed, StepsOf(position.Stage)) { Clock = Clock };
        return new TrainingEpoch(NetworkOf(position, position is { Epoch: 0, Step: 0 } ? Enter(stage, from.State) : from.State), plan, from.EpochLoss, from.EpochCorrect, from.Best, from.EpochCurve);
    }

    /// <summary>Trains from a checkpoint to the end of its epoch, or of a slice of it where settings ask for slices.</summary>
    /// <param name="from">Where to go on.</param>
    /// <param name="progress">Told after every step.</param>
    /// <param name="cancellationToken">Checked before every step.</param>
    /// <exception cref="InvalidOperationException">Training has finished already.</exception>
    /// <exception cref="TrainingDivergedException">The loss is no longer finite.</exception>
    public Checkpoint Train(Checkpoint from, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        using TrainingEpoch epoch = Open(from);
        return epoch.Run(progress, cancellationToken);
    }

    /// <summary>
    /// A learning-rate range test of a phase's last stage, on a copy of the weights with which training
    /// starts (a classifier's head is a new one, unless it starts at an earlier model): nothing that is trained is kept.
    /// </summary>
    /// <param name="phase">Which network.</param>
    /// <param name="test">How far and how fine.</param>
    /// <param name="progress">Told after every step.</param>
    /// <param name="cancellationToken">Checked before every step.</param>
    /// <exception cref="InvalidOperationException">The plan has no stage of that phase.</exception>
    public LearningRateRange FindLearningRate(StageKind phase, LearningRateRangeTest test, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(test);
        int stage = Plan.Stages.ToList().FindLastIndex(planned => planned.Kind == phase);
        if (stage < 0)
        {
            throw new InvalidOperationException("The settings ask for no language-model fine-tuning: there is no learning rate to find.");
        }

        if (phase == StageKind.Classifier && settings.Method == Method.Features)
        {
            throw new InvalidOperationException("With the method \"features\" the classifier is fitted: there is no learning rate to find.");
        }

        var position = new TrainingPosition(stage, 0, 0);
        using IEpochNetwork network = NetworkOf(position, Enter(Plan.Stages[stage], Start().State));
        return test.Validated().Run(network, new EpochPlan(settings, Plan.Stages, position, seed, StepsOf(stage)), progress, cancellationToken);
    }

    private string StartDigest => $"{data.Vocabulary.Digest} {earlier?.Digest ?? pretrained?.Digest ?? "random"}";

    private ClassifierConfig ConfigOf()
    {
        int words = data.Vocabulary.Count;
        if (settings.Method == Method.Lstm)
        {
            return PlainLstm.Config(words, data.Labels.Count, settings.Classifier);
        }

        AwdLstmConfig encoder = (earlier?.EncoderOf(direction) ?? pretrained?.Config ?? settings.ConfigFor(words)) with { VocabularySize = words };
        ClassifierConfig config = settings.Method == Method.Features
            ? FrozenFeatures.Config(encoder, data.Labels.Count)
            : new ClassifierConfig(encoder, earlier?.HeadHiddenSizeOf(direction) ?? settings.Classifier.HeadHiddenSize, data.Labels.Count);
        return config with { MaxLength = settings.Classifier.MaxLength, ChunkLength = settings.Classifier.ChunkLength ?? config.ChunkLength };
    }

    // Moments belong to a stage: other groups are trained in the next, and the schedule begins anew.
    private StateDict Enter(Stage stage, StateDict state)
    {
        StateDict weights = state.WeightsOnly();
        if (stage.Kind == StageKind.LanguageModel || weights.Contains(AwdLstmNames.HeadWeights(ClassifierConfig.Head)[0]))
        {
            return weights;
        }

        StateDict classifier = AwdLstmNames.EncoderForClassifier(weights);
        StateDict fresh = WeightInitialization.Head(ClassifierConfig, seed);
        foreach ((string name, Tensor tensor) in settings.Method == Method.Ulmfit && earlier is not null ? earlier.HeadFor(data.Labels, direction, fresh) : fresh)
        {
            classifier.Add(name, tensor);
        }

        return classifier;
    }

    private int[] StepsOf(int stage)
    {
        int epochs = Plan.Stages[stage].Epochs;
        return Plan.Stages[stage].Kind == StageKind.LanguageModel
            ? [.. Enumerable.Range(0, epochs).Select(epoch => LanguageModelStream.StepsOf(languageModelTokens, languageModelBatch, settings.LanguageModel.Bptt, KeyOf(stage, epoch)))]
            : settings.Method == Method.Features ? [FeatureEpoch.StepsOf(train.Length)]
            : [.. Enumerable.Repeat(ClassifierBatches.StepsOf(train.Length, classifierBatch), epochs)];
    }

    private RandomKey KeyOf(int stage, int epoch) => new(seed, stage, epoch, 0);

    private IEpochNetwork NetworkOf(TrainingPosition position, StateDict state) =>
        Plan.Stages[position.Stage].Kind == StageKind.LanguageModel ? LanguageModelOf(position, state)
        : settings.Method == Method.Features ? FeaturesOf(position, state)
        : ClassifierOf(position, state);

    private LanguageModelEpoch LanguageModelOf(TrainingPosition position, StateDict state)
    {
        LanguageModelSettings lm = settings.LanguageModel;
        var stream = LanguageModelStream.Training(languageModelTrain, languageModelBatch, lm.Bptt, lm.LaneResetProbability, KeyOf(position.Stage, position.Epoch));
        var options = new LanguageModelOptions(ClassifierConfig.Encoder, DropoutRates.LanguageModel.Scaled((float)lm.DropMultiplier), languageModelBatch, BackpropagationThroughTime.MaximumLength(lm.Bptt))
        {
            ActivationRegularization = (float)lm.ActivationRegularization,
            TemporalActivationRegularization = (float)lm.TemporalActivationRegularization,
        };
        ILanguageModelNetwork network = engine.CreateLanguageModel(options, state);
        if (position.Step == 0)
        {
            network.ResetState(evaluation: false);
        }

        return new LanguageModelEpoch(network, stream, lm.Bptt, heldOut);
    }

    private ClassifierEpoch ClassifierOf(TrainingPosition position, StateDict state)
    {
        ClassifierSettings classifier = settings.Classifier;
        var batches = new ClassifierBatches(train, classifierBatch, KeyOf(position.Stage, position.Epoch));
        DropoutRates dropouts = settings.Method == Method.Lstm ? DropoutRates.None : DropoutRates.Classifier.Scaled((float)classifier.DropMultiplier);
        var options = new ClassifierOptions(ClassifierConfig, dropouts)
        {
            ClassWeights = classWeights,
            LabelSmoothing = (float)classifier.LabelSmoothing,
        };
        return new ClassifierEpoch(engine.CreateClassifier(options, state), batches, heldOut, data.Labels);
    }

    private FeatureEpoch FeaturesOf(TrainingPosition position, StateDict state) => new(
        engine.CreateFeatures(ClassifierConfig, state), state, position.Step, train, heldOut, data.Labels, settings.Features,
        FrozenFeatures.Regression(settings, classWeights), ClassifierConfig.PooledSize);

    // The labelled documents are also texts of the language model: each is turned round once.
    private static Func<int[], int[]> ReadOnce(Direction direction)
    {
        var turned = new Dictionary<int[], int[]>(ReferenceEqualityComparer.Instance);
        return tokens => turned.TryGetValue(tokens, out int[]? known) ? known : turned[tokens] = direction.Read(tokens);
    }

    private int LanguageModelBatchFor(long tokens)
    {
        const int WindowsPerLane = 16, Fewest = 8, Most = 64;
        long wanted = settings.LanguageModel.Batch ?? Math.Clamp(tokens / (WindowsPerLane * settings.LanguageModel.Bptt), Fewest, Most);

        // Each lane needs a token to read and one to predict.
        return (int)Math.Clamp(wanted, 1, Math.Max(1, (tokens - 1) / 2));
    }

    private int ClassifierBatchFor(int rows)
    {
        const int FewestSteps = 32, Fewest = 8;
        return Math.Min(settings.Classifier.Batch, Math.Max(Fewest, rows / FewestSteps));
    }
}
