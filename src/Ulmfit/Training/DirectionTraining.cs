using System.Diagnostics;
using Ulmfit.Engine;
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
    private readonly AwdLstmConfig encoder;
    private readonly ulong seed;
    private readonly Document[] train;
    private readonly Document[] heldOut;
    private readonly int[][] languageModelTrain;
    private readonly long languageModelTokens;
    private readonly int languageModelBatch;
    private readonly int classifierBatch;

    /// <summary>The training of <paramref name="direction"/>.</summary>
    /// <exception cref="TrainingSettingsException">The settings are not acceptable.</exception>
    public DirectionTraining(ITrainingEngine engine, TrainingData data, TrainingSettings settings, Direction direction, PretrainedModel? pretrained)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(settings);
        this.engine = engine;
        this.data = data;
        this.settings = settings.Validated();
        this.direction = direction;
        this.pretrained = pretrained;
        encoder = pretrained is null ? settings.ConfigFor(data.Vocabulary.Count) : pretrained.Config with { VocabularySize = data.Vocabulary.Count };

        // The two directions must not draw the same masks and orders: their errors are meant to differ.
        seed = direction == Direction.Forward ? settings.Seed : settings.Seed ^ 0x9E3779B97F4A7C15;
        train = Read(data.Train);
        heldOut = Read(data.HeldOut);
        languageModelTrain = [.. train.Select(document => document.Tokens), .. data.Unlabeled.Select(Read)];
        languageModelTokens = languageModelTrain.Sum(document => (long)document.Length);
        languageModelBatch = LanguageModelBatchFor(languageModelTokens);
        classifierBatch = ClassifierBatchFor(train.Length);
        Plan = StagePlan.Of(settings, encoder.Layers, pretrained is not null, train.Length, languageModelTokens);
        ClassifierConfig = new ClassifierConfig(encoder, settings.Classifier.HeadHiddenSize, data.Labels.Count)
        {
            ChunkLength = settings.Classifier.ChunkLength,
            MaxLength = settings.Classifier.MaxLength,
        };
    }

    /// <summary>The stages.</summary>
    public StagePlan Plan { get; }

    /// <summary>Architecture of the classifier that the last checkpoint holds.</summary>
    public ClassifierConfig ClassifierConfig { get; }

    /// <summary>The checkpoint before the first step.</summary>
    public Checkpoint Start() => new(
        default,
        Plan.Stages.Count == 0,
        pretrained is null ? WeightInitialization.LanguageModel(encoder, seed) : pretrained.WeightsFor(data.Vocabulary, direction));

    /// <summary>Trains from a checkpoint to the end of its epoch, or of a slice of it where settings ask for slices.</summary>
    /// <param name="from">Where to go on.</param>
    /// <param name="progress">Told after every step.</param>
    /// <param name="cancellationToken">Checked before every step.</param>
    /// <exception cref="InvalidOperationException">Training has finished already.</exception>
    /// <exception cref="TrainingDivergedException">The loss is no longer finite.</exception>
    public Checkpoint Train(Checkpoint from, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(from);
        if (from.Finished)
        {
            throw new InvalidOperationException("Training has finished: there is no further epoch.");
        }

        Stage stage = Plan.Stages[from.Position.Stage];
        bool entering = from.Position is { Epoch: 0, Step: 0 };
        StateDict state = entering ? Enter(stage, from) : from.State;
        return stage.Kind == StageKind.LanguageModel
            ? TrainLanguageModel(from, stage, state, progress, cancellationToken)
            : TrainClassifier(from, stage, state, progress, cancellationToken);
    }

    // Moments belong to a stage: other groups are trained in the next, and the schedule begins anew.
    private StateDict Enter(Stage stage, Checkpoint from)
    {
        StateDict weights = from.State.WeightsOnly();
        if (stage.Kind == StageKind.LanguageModel || weights.Contains(AwdLstmNames.Linear(0)))
        {
            return weights;
        }

        StateDict classifier = AwdLstmNames.EncoderForClassifier(weights);
        foreach ((string name, Tensor tensor) in WeightInitialization.Head(ClassifierConfig, seed))
        {
            classifier.Add(name, tensor);
        }

        return classifier;
    }

    private Checkpoint TrainLanguageModel(Checkpoint from, Stage stage, StateDict state, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        LanguageModelSettings lm = settings.LanguageModel;
        RandomKey KeyOf(int epoch) => new(seed, from.Position.Stage, epoch, 0);
        int[] stepsOfEpochs = [.. Enumerable.Range(0, stage.Epochs).Select(epoch => LanguageModelStream.StepsOf(languageModelTokens, languageModelBatch, lm.Bptt, KeyOf(epoch)))];
        var stream = LanguageModelStream.Training(languageModelTrain, languageModelBatch, lm.Bptt, lm.LaneResetProbability, KeyOf(from.Position.Epoch));
        var options = new LanguageModelOptions(encoder, DropoutRates.LanguageModel.Scaled((float)lm.DropMultiplier), languageModelBatch, BackpropagationThroughTime.MaximumLength(lm.Bptt))
        {
            ActivationRegularization = (float)lm.ActivationRegularization,
            TemporalActivationRegularization = (float)lm.TemporalActivationRegularization,
        };
        using ILanguageModelNetwork network = engine.CreateLanguageModel(options, state);
        if (from.Position.Step == 0)
        {
            network.ResetState(evaluation: false);
        }

        var epoch = new EpochRun(this, from, stage, stepsOfEpochs, (float)lm.WeightDecay, (float)lm.ClipNorm);
        return epoch.Run(
            network,
            (step, optimizer) =>
            {
                LanguageModelBatch window = stream[step];
                return (network.TrainStep(window, optimizer), (long)window.Time * window.Batch);
            },
            step => (double)stream.WindowLength(step) / lm.Bptt,
            () => EvaluateLanguageModel(network),
            progress,
            cancellationToken);
    }

    private Checkpoint TrainClassifier(Checkpoint from, Stage stage, StateDict state, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        ClassifierSettings classifier = settings.Classifier;
        int steps = ClassifierBatches.StepsOf(train.Length, classifierBatch);
        var batches = new ClassifierBatches(train, classifierBatch, new RandomKey(seed, from.Position.Stage, from.Position.Epoch, 0));
        var options = new ClassifierOptions(ClassifierConfig, DropoutRates.Classifier.Scaled((float)classifier.DropMultiplier))
        {
            ClassWeights = classifier.ClassWeights == ClassWeighting.Balanced ? BalancedWeights() : null,
            LabelSmoothing = (float)classifier.LabelSmoothing,
        };
        using IClassifierNetwork network = engine.CreateClassifier(options, state);
        var epoch = new EpochRun(this, from, stage, [.. Enumerable.Repeat(steps, stage.Epochs)], (float)classifier.WeightDecay, (float)classifier.ClipNorm);
        return epoch.Run(
            network,
            (step, optimizer) =>
            {
                ClassifierBatch batch = batches[step];
                return (network.TrainStep(batch, optimizer), batch.Documents.Sum(document => (long)document.Length));
            },
            _ => 1,
            () => EvaluateClassifier(network),
            progress,
            cancellationToken);
    }

    private HeldOutScore EvaluateLanguageModel(ILanguageModelNetwork network)
    {
        const int MaximumLanes = 16;
        int[][] documents = [.. heldOut.Select(document => document.Tokens)];
        int tokens = documents.Sum(document => document.Length);
        var stream = LanguageModelStream.Evaluation(documents, Math.Clamp(tokens / settings.LanguageModel.Bptt, 1, MaximumLanes), settings.LanguageModel.Bptt);
        network.ResetState(evaluation: true);
        var sum = default(LossSum);
        for (int step = 0; step < stream.Steps; step++)
        {
            sum += network.Evaluate(stream[step]);
        }

        return sum.Count == 0 ? default : new HeldOutScore(sum.Mean, Math.Exp(sum.Mean), null);
    }

    private HeldOutScore EvaluateClassifier(IClassifierNetwork network)
    {
        if (heldOut.Length == 0)
        {
            return default;
        }

        int classes = data.Labels.Count;
        var probabilities = new float[heldOut.Length * classes];
        network.Predict([.. heldOut.Select(document => document.Tokens)], probabilities);
        double loss = 0;
        int correct = 0;
        for (int row = 0; row < heldOut.Length; row++)
        {
            ReadOnlySpan<float> scores = probabilities.AsSpan(row * classes, classes);
            loss -= Math.Log(Math.Max(scores[heldOut[row].Label], float.Epsilon));
            correct += ArgMax(scores) == heldOut[row].Label ? 1 : 0;
        }

        return new HeldOutScore(loss / heldOut.Length, null, (double)correct / heldOut.Length);
    }

    private static int ArgMax(ReadOnlySpan<float> scores)
    {
        int best = 0;
        for (int i = 1; i < scores.Length; i++)
        {
            best = scores[i] > scores[best] ? i : best;
        }

        return best;
    }

    private float[] BalancedWeights()
    {
        var rows = new int[data.Labels.Count];
        foreach (Document document in train)
        {
            rows[document.Label]++;
        }

        return [.. rows.Select(count => count == 0 ? 0f : (float)((double)train.Length / (rows.Length * (double)count)))];
    }

    private Document[] Read(IReadOnlyList<Document> documents) => [.. documents.Select(document => document with { Tokens = Read(document.Tokens) })];

    private int[] Read(int[] tokens)
    {
        if (direction == Direction.Forward)
        {
            return tokens;
        }

        int[] reversed = tokens.AsSpan().ToArray();
        Array.Reverse(reversed);
        return reversed;
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

    private readonly record struct HeldOutScore(double? Loss, double? Perplexity, double? Accuracy);

    /// <summary>The steps of one epoch, or of a slice of it: what is the same for both networks.</summary>
    private sealed class EpochRun(DirectionTraining training, Checkpoint from, Stage stage, int[] stepsOfEpochs, float weightDecay, float clipNorm)
    {
        private readonly int before = stepsOfEpochs.Take(from.Position.Epoch).Sum();
        private readonly int steps = stepsOfEpochs[from.Position.Epoch];
        private readonly ISchedule schedule = training.settings.ScheduleOf(Math.Max(1, stepsOfEpochs.Sum()));

        public Checkpoint Run(
            INetwork network,
            Func<int, OptimizerStep, (StepResult Result, long Tokens)> trainStep,
            Func<int, double> rateScale,
            Func<HeldOutScore> evaluate,
            IProgress<TrainingProgress>? progress,
            CancellationToken cancellationToken)
        {
            TrainingPosition position = from.Position;
            LossSum loss = from.EpochLoss;
            long correct = from.EpochCorrect, tokens = 0;
            double rate = 0;
            var clock = Stopwatch.StartNew();
            int step = position.Step;
            while (step < steps && !SliceIsOver(step - position.Step, clock.Elapsed))
            {
                cancellationToken.ThrowIfCancellationRequested();
                OptimizerStep optimizer = StepAt(step, rateScale(step));
                rate = optimizer.Groups.Last(group => group.Trained).LearningRate;
                (StepResult result, long trained) = trainStep(step, optimizer);
                if (!double.IsFinite(result.Loss) || !double.IsFinite(result.GradientNorm))
                {
                    throw new TrainingDivergedException(stage.Name, position.Epoch + 1, step + 1);
                }

                loss += new LossSum(result.Loss * result.Count, result.Count);
                correct += result.Correct;
                tokens += trained;
                step++;
                progress?.Report(new TrainingProgress(stage.Name, position.Epoch + 1, stage.Epochs, step, steps, loss.Mean, rate, tokens / clock.Elapsed.TotalSeconds));
            }

            StateDict state = network.Save();
            if (step < steps)
            {
                return new Checkpoint(position with { Step = step }, false, state) { EpochLoss = loss, EpochCorrect = correct };
            }

            HeldOutScore score = evaluate();
            bool stageEnds = position.Epoch + 1 == stage.Epochs;
            bool finished = stageEnds && position.Stage + 1 == training.Plan.Stages.Count;
            TrainingPosition next = stageEnds ? new TrainingPosition(position.Stage + 1, 0, 0) : new TrainingPosition(position.Stage, position.Epoch + 1, 0);
            return new Checkpoint(next, finished, stageEnds ? state.WeightsOnly() : state)
            {
                LastEpoch = new EpochMetrics(
                    stage.Name, stage.Kind, position.Epoch + 1, stage.Epochs, loss.Mean, score.Loss, score.Perplexity,
                    stage.Kind == StageKind.Classifier ? (double)correct / loss.Count : null, score.Accuracy, rate, steps, clock.Elapsed.TotalSeconds),
            };
        }

        private bool SliceIsOver(int stepsDone, TimeSpan elapsed) =>
            stepsDone > 0 && (stepsDone >= training.settings.SliceSteps || elapsed.TotalMinutes >= training.settings.SliceMinutes);

        private OptimizerStep StepAt(int step, double scale)
        {
            SchedulePoint point = schedule.At(before + step);
            GroupStep[] groups = [.. stage.TrainedGroups.Zip(stage.LearningRates, (trained, rate) => new GroupStep(trained, (float)(rate * point.RateFactor * scale)))];
            var optimizer = new OptimizerStep(new RandomKey(training.seed, from.Position.Stage, from.Position.Epoch, step), before + step + 1, groups)
            {
                WeightDecay = weightDecay,
                ClipNorm = clipNorm,
            };
            return point.Momentum is double momentum ? optimizer with { Beta1 = (float)momentum } : optimizer;
        }
    }
}
