using Ulmfit.Cpu;
using Ulmfit.Data;
using Ulmfit.Engine;
using Ulmfit.Model;
using Ulmfit.Training;

namespace Ulmfit.Tests.Training;

/// <summary>Small real trainings on the CPU engine: each line of the recipe that the trainer is responsible for.</summary>
public sealed class DirectionTrainingTests
{
    private static readonly TrainingSettings Settings = TrainingSettings.Default with
    {
        MinimumCount = 1,
        Discriminative = true,
        LanguageModel = new LanguageModelSettings { FineTune = true, Epochs = 2, Bptt = 9, Batch = 4 },
        Classifier = new ClassifierSettings { Epochs = 2, Batch = 8, LearningRate = 0.01 },
    };

    private static readonly TrainingData Data = TrainingData.Prepare(Rows(0, 40), Rows(40, 10), ["an unlabelled text about apples", "another one about rain"], Settings, null);

    [Fact]
    public void Train_WholePlan_WalksEveryEpochOfEveryStageInOrder()
    {
        (Checkpoint last, List<EpochMetrics> epochs) = Run(Settings, Direction.Forward);

        Assert.True(last.Finished);
        Assert.Equal(
            ["lm 1/2", "lm 2/2", "head 1/1", "last-2 1/1", "last-3 1/1", "last-4 1/1", "all 1/2", "all 2/2"],
            epochs.Select(epoch => $"{epoch.Stage} {epoch.Epoch}/{epoch.Epochs}"));
        Assert.All(epochs, epoch => Assert.True(double.IsFinite(epoch.TrainLoss) && double.IsFinite(epoch.HeldOutLoss!.Value)));
        Assert.All(epochs.Where(epoch => epoch.Kind == StageKind.LanguageModel), epoch => Assert.Equal(Math.Exp(epoch.HeldOutLoss!.Value), epoch.Perplexity!.Value, 1e-9));
    }

    [Fact]
    public void Train_EachStage_MovesTheWeightsOfItsGroupsAndNoOthers()
    {
        using var engine = new CpuTrainingEngine(2);
        var training = new DirectionTraining(engine, Data, Settings, Direction.Forward, null);
        Checkpoint checkpoint = training.Start();
        while (!checkpoint.Finished)
        {
            Stage stage = training.Plan.Stages[checkpoint.Position.Stage];
            Checkpoint next = training.Train(checkpoint, null, TestContext.Current.CancellationToken);
            if (stage.Kind == StageKind.Classifier && checkpoint.State.Contains(AwdLstmNames.Linear(0)))
            {
                IReadOnlyList<IReadOnlyList<string>> groups = ParameterGroups.OfClassifier(training.ClassifierConfig);
                for (int group = 0; group < groups.Count; group++)
                {
                    Assert.All(groups[group], name => Assert.Equal(stage.TrainedGroups[group], !checkpoint.State[name].Data.AsSpan().SequenceEqual(next.State[name].Data)));
                }
            }

            checkpoint = next;
        }
    }

    [Fact]
    public void Train_EveryStep_HasTheLearningRateOfItsGroupAndOfTheSchedule()
    {
        using var cpu = new CpuTrainingEngine(2);
        var recorded = new List<OptimizerStep>();
        var training = new DirectionTraining(new RecordingEngine(cpu, recorded), Data, Settings, Direction.Forward, null);
        Checkpoint checkpoint = training.Start();
        while (!checkpoint.Finished)
        {
            checkpoint = training.Train(checkpoint, null, TestContext.Current.CancellationToken);
        }

        int last = training.Plan.Stages.Count - 1;
        OptimizerStep[] all = [.. recorded.Where(step => step.Key.Stage == last)];
        var schedule = new SlantedTriangularSchedule(all.Length);
        Assert.Equal(Enumerable.Range(1, all.Length), all.Select(step => step.Number));
        for (int step = 0; step < all.Length; step++)
        {
            double top = 0.01 * schedule.At(step).RateFactor;
            double[] expected = [top / Math.Pow(2.6, 4), top / Math.Pow(2.6, 3), top / Math.Pow(2.6, 2), top / 2.6, top];
            Assert.All(all[step].Groups.Zip(expected), pair => Assert.Equal(pair.Second, pair.First.LearningRate, pair.Second * 1e-5));
        }

        int half = all.Length / 2;
        Assert.Equal((1, 0), (all[half].Key.Epoch, all[half].Key.Step));
        Assert.Equal(recorded.Count, recorded.Select(step => step.Key).Distinct().Count());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Train_InSlicesThroughFiles_GivesTheSameBitsAsInOneGo(int sliceSteps)
    {
        (Checkpoint whole, _) = Run(Settings, Direction.Forward);
        (Checkpoint sliced, List<EpochMetrics> epochs) = Run(Settings with { SliceSteps = sliceSteps }, Direction.Forward, throughFiles: true);

        Assert.Equal(WeightsDigest.Of(whole.State), WeightsDigest.Of(sliced.State));
        Assert.Equal(8, epochs.Count);
    }

    [Fact]
    public void Train_AnotherSeedOrDirection_GivesOtherWeights()
    {
        string forward = WeightsDigest.Of(Run(Settings, Direction.Forward).Last.State);

        Assert.NotEqual(forward, WeightsDigest.Of(Run(Settings, Direction.Backward).Last.State));
        Assert.NotEqual(forward, WeightsDigest.Of(Run(Settings with { Seed = 7 }, Direction.Forward).Last.State));
    }

    [Fact]
    public void Train_SeparableClasses_AreLearnt()
    {
        TrainingSettings longer = Settings with { Classifier = Settings.Classifier with { Epochs = 12, LearningRate = 0.02 } };

        Assert.True(Run(longer, Direction.Forward).Epochs[^1].Accuracy >= 0.8);
    }

    [Fact]
    public void Start_FromAPretrainedModel_KeepsTheRowsOfKnownWordsAndGivesNewOnesTheMean()
    {
        using var engine = new CpuTrainingEngine(2);
        AwdLstmConfig config = new(Data.Vocabulary.Count, 8, 12, 2);
        PretrainedModel pretrained = PretrainedModel.Of(Data.Vocabulary, WeightInitialization.LanguageModel(config, 3), null);
        LabeledRow[] rows = [.. Rows(0, 20), new LabeledRow("zebra crossing apples zebra crossing", "fruit", 1)];
        TrainingData data = TrainingData.Prepare(rows, [], [], Settings, pretrained.Vocabulary);
        var training = new DirectionTraining(engine, data, Settings, Direction.Forward, pretrained);
        string embedding = AwdLstmNames.Embedding(AwdLstmNames.LanguageModelEncoder);
        Tensor before = pretrained.Forward[embedding], after = training.Start().State[embedding];

        float[] Row(Tensor tensor, int row) => tensor.Data[(row * 8)..((row + 1) * 8)];
        Assert.Equal(Row(before, Data.Vocabulary.IdOf("apples")), Row(after, data.Vocabulary.IdOf("apples")));
        Assert.NotEqual(0, data.Vocabulary.IdOf("zebra"));
        Assert.Equal(Row(after, data.Vocabulary.IdOf("zebra")), Row(after, data.Vocabulary.IdOf("crossing")));
        double[] mean = [.. Enumerable.Range(0, 8).Select(column => Enumerable.Range(0, before.Shape[0]).Average(row => (double)before.Data[(row * 8) + column]))];
        Assert.All(Row(after, data.Vocabulary.IdOf("zebra")).Zip(mean), pair => Assert.Equal(pair.Second, pair.First, 1e-5));
        Assert.Equal(2, training.Plan.Stages.Count(stage => stage.Kind == StageKind.LanguageModel));
    }

    [Fact]
    public void Train_LearningRateBeyondReason_SaysThatItDivergedOrStaysFinite()
    {
        TrainingSettings wild = Settings with { LanguageModel = Settings.LanguageModel with { LearningRate = 1, ClipNorm = 0 }, Schedule = ScheduleKind.Constant };
        Exception? exception = Record.Exception(() => Run(wild, Direction.Forward));

        Assert.True(exception is null or TrainingDivergedException, exception?.ToString());
    }

    private static (Checkpoint Last, List<EpochMetrics> Epochs) Run(TrainingSettings settings, Direction direction, bool throughFiles = false)
    {
        using var engine = new CpuTrainingEngine(2);
        var training = new DirectionTraining(engine, Data, settings, direction, null);
        var epochs = new List<EpochMetrics>();
        Checkpoint checkpoint = training.Start();
        while (!checkpoint.Finished)
        {
            checkpoint = training.Train(checkpoint, null, TestContext.Current.CancellationToken);
            if (checkpoint.LastEpoch is EpochMetrics epoch)
            {
                epochs.Add(epoch);
            }

            if (throughFiles)
            {
                using var file = new MemoryStream();
                checkpoint.Write(file);
                file.Position = 0;
                checkpoint = Checkpoint.Read(file);
            }
        }

        return (checkpoint, epochs);
    }

    private static LabeledRow[] Rows(int first, int count)
    {
        string[] fruit = ["apples", "pears", "plums", "cherries", "grapes"], weather = ["rain", "snow", "wind", "sunshine", "fog"];
        string[] frames = ["I would like some {0} please", "there is {0} today", "tell me about {0}", "{0} again and again", "what about the {0} of last week ?"];
        return [.. Enumerable.Range(first, count).Select(i => new LabeledRow(
            string.Format(System.Globalization.CultureInfo.InvariantCulture, frames[i / 2 % frames.Length], i % 2 == 0 ? fruit[i / 3 % 5] : weather[i / 3 % 5]) + $" {i}",
            i % 2 == 0 ? "fruit" : "weather", i + 1))];
    }

    /// <summary>The real engine, with the settings of each step written down on the way.</summary>
    private sealed class RecordingEngine(ITrainingEngine inner, List<OptimizerStep> steps) : ITrainingEngine
    {
        public string Name => inner.Name;

        public ILanguageModelNetwork CreateLanguageModel(LanguageModelOptions options, StateDict state) => new RecordingLanguageModel(inner.CreateLanguageModel(options, state), steps);

        public IClassifierNetwork CreateClassifier(ClassifierOptions options, StateDict state) => new RecordingClassifier(inner.CreateClassifier(options, state), steps);
    }

    private sealed class RecordingLanguageModel(ILanguageModelNetwork inner, List<OptimizerStep> steps) : ILanguageModelNetwork
    {
        public StepResult TrainStep(in LanguageModelBatch batch, OptimizerStep step)
        {
            steps.Add(step);
            return inner.TrainStep(batch, step);
        }

        public void ResetState(bool evaluation) => inner.ResetState(evaluation);

        public LossSum Evaluate(in LanguageModelBatch batch) => inner.Evaluate(batch);

        public void PredictNext(ReadOnlySpan<int> tokens, Span<float> probabilities) => inner.PredictNext(tokens, probabilities);

        public StateDict Save() => inner.Save();

        public void Dispose() => inner.Dispose();
    }

    private sealed class RecordingClassifier(IClassifierNetwork inner, List<OptimizerStep> steps) : IClassifierNetwork
    {
        public StepResult TrainStep(in ClassifierBatch batch, OptimizerStep step)
        {
            steps.Add(step);
            return inner.TrainStep(batch, step);
        }

        public void Predict(IReadOnlyList<int[]> documents, Span<float> probabilities) => inner.Predict(documents, probabilities);

        public StateDict Save() => inner.Save();

        public void Dispose() => inner.Dispose();
    }
}
