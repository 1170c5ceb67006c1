using System.Runtime.CompilerServices;
using Ulmfit.Cpu;
using Ulmfit.Data;
using Ulmfit.Engine;
using Ulmfit.Model;
using Ulmfit.Training;

namespace Ulmfit.Tests.Training;

/// <summary>Small real trainings on the CPU engine: each line of the recipe that the trainer is responsible for.</summary>
public sealed class DirectionTrainingTests
{
    private static readonly TrainingSettings Settings = SmallTraining.Settings;

    private static readonly TrainingData Data = SmallTraining.Data;

    [Fact]
    public void Train_WholePlan_WalksEveryEpochOfEveryStageInOrder()
    {
        (Checkpoint last, List<EpochMetrics> epochs) = SmallTraining.Run(Settings, Direction.Forward);

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
        var engine = new RecordingEngine(cpu);
        List<OptimizerStep> recorded = engine.Steps;
        var training = new DirectionTraining(engine, Data, Settings, Direction.Forward, null);
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

    // Merity et al. 2017, 5: the rate of a window is scaled by its length over the base length.
    [Fact]
    public void Train_EveryWindow_ScalesTheLearningRateByItsLength()
    {
        RecordingEngine engine = Recorded(Settings with { Schedule = ScheduleKind.OneCycle, LanguageModel = Settings.LanguageModel with { DiscriminativeFactor = 4 } });
        (OptimizerStep Step, int Time)[] all = [.. engine.Steps.Zip(engine.Windows)];
        var schedule = new OneCycleSchedule(all.Length);

        Assert.True(all.Select(step => step.Time).Distinct().Count() > 3);
        for (int i = 0; i < all.Length; i++)
        {
            double top = 0.005 * schedule.At(i).RateFactor * all[i].Time / 9;
            double[] expected = [top / 64, top / 16, top / 4, top];
            Assert.All(all[i].Step.Groups.Zip(expected), pair => Assert.Equal(pair.Second, pair.First.LearningRate, pair.Second * 1e-5));
            Assert.Equal((float)schedule.At(i).Momentum!.Value, all[i].Step.Beta1);
        }
    }

    [Fact]
    public void Train_Settings_ReachTheEngine()
    {
        TrainingSettings settings = Settings with
        {
            LanguageModel = Settings.LanguageModel with { DropMultiplier = 0.5, ActivationRegularization = 3, TemporalActivationRegularization = 4, WeightDecay = 0.02, ClipNorm = 0.7 },
            Classifier = Settings.Classifier with
            {
                Epochs = 1, DropMultiplier = 0.25, LabelSmoothing = 0.1, ChunkLength = 5, MaxLength = 11, HeadHiddenSize = 13, WeightDecay = 0.03, ClipNorm = 0.8,
                LabelWeights = new Dictionary<string, double> { ["weather"] = 2.5 },
            },
            Strategy = Strategy.Last,
        };
        RecordingEngine engine = Recorded(settings, wholePlan: true);
        LanguageModelOptions languageModel = engine.LanguageModels[0];
        ClassifierOptions classifier = Assert.Single(engine.Classifiers);

        Assert.Equal((3f, 4f), (languageModel.ActivationRegularization, languageModel.TemporalActivationRegularization));
        Assert.Equal(DropoutRates.LanguageModel.Scaled(0.5f), languageModel.Dropouts);
        Assert.Equal((0.02f, 0.7f), (engine.Steps[0].WeightDecay, engine.Steps[0].ClipNorm));
        Assert.Equal(DropoutRates.Classifier.Scaled(0.25f), classifier.Dropouts);
        Assert.Equal(0.1f, classifier.LabelSmoothing);
        Assert.Equal([1f, 2.5f], classifier.ClassWeights!);
        Assert.Equal((5, 11, 13), (classifier.Config.ChunkLength, classifier.Config.MaxLength, classifier.Config.HeadHiddenSize));
        Assert.Equal((0.03f, 0.8f), (engine.Steps[^1].WeightDecay, engine.Steps[^1].ClipNorm));
    }

    [Fact]
    public void Train_UnlabeledText_JoinsTheLanguageModelAlone()
    {
        RecordingEngine engine = Recorded(Settings, wholePlan: true);
        int word = Data.Vocabulary.IdOf("unlabelled");

        Assert.NotEqual(Ulmfit.Text.SpecialTokens.UnknownId, word);
        Assert.Contains(word, engine.LanguageModelTokens);
        Assert.DoesNotContain(word, engine.ClassifierTokens);
        Assert.Contains(Data.Vocabulary.IdOf("apples"), engine.ClassifierTokens);
    }

    [Fact]
    public void Open_CheckpointThatIsLetGoOf_IsCollected()
    {
        using var engine = new CpuTrainingEngine(1);
        var training = new DirectionTraining(engine, Data, Settings, Direction.Forward, null);
        (TrainingEpoch epoch, WeakReference weights) = OpenAndForget(training);
        using (epoch)
        {
            GC.Collect();

            Assert.False(weights.IsAlive);
            Assert.Equal(1, epoch.Run(null, TestContext.Current.CancellationToken).Position.Epoch);
            Assert.Throws<InvalidOperationException>(() => epoch.Run(null, TestContext.Current.CancellationToken));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Train_InSlicesThroughFiles_GivesTheSameBitsAsInOneGo(int sliceSteps)
    {
        (Checkpoint whole, _) = SmallTraining.Run(Settings, Direction.Forward);
        (Checkpoint sliced, List<EpochMetrics> epochs) = SmallTraining.Run(Settings with { SliceSteps = sliceSteps }, Direction.Forward, throughFiles: true);

        Assert.Equal(WeightsDigest.Of(whole.State), WeightsDigest.Of(sliced.State));
        Assert.Equal(8, epochs.Count);
    }

    [Fact]
    public void Train_AnotherSeedOrDirection_GivesOtherWeights()
    {
        string forward = WeightsDigest.Of(SmallTraining.Run(Settings, Direction.Forward).Last.State);

        Assert.NotEqual(forward, WeightsDigest.Of(SmallTraining.Run(Settings, Direction.Backward).Last.State));
        Assert.NotEqual(forward, WeightsDigest.Of(SmallTraining.Run(Settings with { Seed = 7 }, Direction.Forward).Last.State));
    }

    [Fact]
    public void Train_SeparableClasses_AreLearnt()
    {
        TrainingSettings longer = Settings with { Classifier = Settings.Classifier with { Epochs = 12, LearningRate = 0.02 } };

        Assert.True(SmallTraining.Run(longer, Direction.Forward).Epochs[^1].Accuracy >= 0.8);
    }

    [Fact]
    public void Start_FromAPretrainedModel_KeepsTheRowsOfKnownWordsAndGivesNewOnesTheMean()
    {
        using var engine = new CpuTrainingEngine(2);
        AwdLstmConfig config = new(Data.Vocabulary.Count, 8, 12, 2);
        PretrainedModel pretrained = PretrainedModel.Of(Data.Vocabulary, WeightInitialization.LanguageModel(config, 3), null);
        LabeledRow[] rows = [.. SmallTraining.Rows(0, 20), new LabeledRow("zebra crossing apples zebra crossing", "fruit", 1)];
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
        Exception? exception = Record.Exception(() => SmallTraining.Run(wild, Direction.Forward));

        Assert.True(exception is null or TrainingDivergedException, exception?.ToString());
    }

    [Fact]
    public void Train_LossThatIsNoNumber_NamesTheSettingsOfItsPhase()
    {
        using var cpu = new CpuTrainingEngine(2);
        var training = new DirectionTraining(cpu, Data, Settings, Direction.Forward, null);
        Checkpoint start = training.Start();
        start.State[AwdLstmNames.DecoderBias].Data.AsSpan().Fill(float.NaN);

        TrainingDivergedException exception = Assert.Throws<TrainingDivergedException>(() => training.Train(start, null, TestContext.Current.CancellationToken));

        Assert.Contains("\"languageModel.learningRate\"", exception.Message, StringComparison.Ordinal);
    }

    /// <summary>Trains the first stage, or the whole plan.</summary>
    private static RecordingEngine Recorded(TrainingSettings settings, bool wholePlan = false)
    {
        using var cpu = new CpuTrainingEngine(2);
        var engine = new RecordingEngine(cpu);
        var training = new DirectionTraining(engine, Data, settings, Direction.Forward, null);
        Checkpoint checkpoint = training.Start();
        while (!checkpoint.Finished && (wholePlan || checkpoint.Position.Stage == 0))
        {
            checkpoint = training.Train(checkpoint, null, TestContext.Current.CancellationToken);
        }

        return engine;
    }

    // Not inlined: a reference in the caller's frame would keep the weights.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (TrainingEpoch Epoch, WeakReference Weights) OpenAndForget(DirectionTraining training)
    {
        Checkpoint start = training.Start();
        return (training.Open(start), new WeakReference(start.State[AwdLstmNames.Embedding(AwdLstmNames.LanguageModelEncoder)].Data));
    }
}
