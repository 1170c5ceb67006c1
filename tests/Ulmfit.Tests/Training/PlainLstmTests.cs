using Ulmfit.Cpu;
using Ulmfit.Engine;
using Ulmfit.Model;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Ulmfit.Tests.Training;

/// <summary>The method <c>lstm</c>: each line of its recipe, on small real trainings.</summary>
public sealed class PlainLstmTests
{
    private static readonly TrainingSettings Plain = TrainingSettings.Default with { Method = Method.Lstm, MinimumCount = 1 };

    private static readonly TrainingSettings Short = Plain with { Classifier = new ClassifierSettings { Epochs = 2, Batch = 8 } };

    private static readonly TrainingData Data = SmallTraining.Data;

    [Fact]
    public void Plan_OfTheDefaults_IsTenEpochsOfOneStageInWhichAllLearnsAtOneRate()
    {
        Stage stage = Assert.Single(StagePlan.Of(Plain, 1, pretrained: false, 100, 1_000_000).Stages);

        Assert.Equal(("classifier", StageKind.Classifier, 10), (stage.Name, stage.Kind, stage.Epochs));
        Assert.Equal([true, true, true], stage.TrainedGroups);
        Assert.Equal([0.001, 0.001, 0.001], stage.LearningRates);
    }

    [Fact]
    public void Train_EveryStep_IsAdamAtAConstantRateWithoutDropoutDecayOrClipping()
    {
        using var cpu = new CpuTrainingEngine(2);
        var engine = new RecordingEngine(cpu);
        var training = new DirectionTraining(engine, Data, Short, Direction.Forward, null);
        (Checkpoint last, List<EpochMetrics> epochs) = SmallTraining.Run(training);

        Assert.True(last.Finished);
        Assert.Equal(["classifier 1/2", "classifier 2/2"], epochs.Select(epoch => $"{epoch.Stage} {epoch.Epoch}/{epoch.Epochs}"));
        Assert.Empty(engine.LanguageModels);
        ClassifierConfig expected = ClassifierConfig.LastState(new AwdLstmConfig(Data.Vocabulary.Count, 100, 200, 1) { ProjectsToEmbedding = false }, 2) with { ChunkLength = 10_000 };
        Assert.Equal(expected, training.ClassifierConfig);
        Assert.All(engine.Classifiers, options => Assert.Equal(new ClassifierOptions(expected, DropoutRates.None), options));
        Assert.Equal(Enumerable.Range(1, engine.Steps.Count), engine.Steps.Select(step => step.Number));
        Assert.All(engine.Steps, step =>
        {
            Assert.Equal((0.9f, 0.999f, 1e-8f), (step.Beta1, step.Beta2, step.Epsilon));
            Assert.Equal((0f, 0f), (step.WeightDecay, step.ClipNorm));
            Assert.Equal(Enumerable.Repeat(new GroupStep(true, 0.001f), 3), step.Groups);
        });
    }

    [Fact]
    public void Train_OtherSettings_ReachTheEngine()
    {
        TrainingSettings settings = Short with
        {
            Classifier = Short.Classifier with { Epochs = 1, LearningRate = 0.02, WeightDecay = 0.03, ClipNorm = 0.8, ChunkLength = 5, Schedule = ScheduleKind.Cosine, LabelSmoothing = 0.1 },
        };
        using var cpu = new CpuTrainingEngine(2);
        var engine = new RecordingEngine(cpu);
        SmallTraining.Run(new DirectionTraining(engine, Data, settings, Direction.Forward, null));

        Assert.Equal((0.03f, 0.8f), (engine.Steps[0].WeightDecay, engine.Steps[0].ClipNorm));
        var schedule = new CosineSchedule(engine.Steps.Count);
        Assert.All(engine.Steps.Index(), step => Assert.Equal((float)(0.02 * schedule.At(step.Index).RateFactor), step.Item.Groups[0].LearningRate, 1e-8f));
        ClassifierOptions options = Assert.Single(engine.Classifiers);
        Assert.Equal((5, 0.1f), (options.Config.ChunkLength, options.LabelSmoothing));
    }

    [Theory]
    [InlineData(Direction.Forward)]
    [InlineData(Direction.Backward)]
    public void Train_InSlicesThroughFiles_GivesTheBitsOfOneRun(Direction direction)
    {
        Checkpoint whole = SmallTraining.Run(Short, direction).Last;
        Checkpoint sliced = SmallTraining.Run(Short with { SliceSteps = 2 }, direction, throughFiles: true).Last;

        Assert.Equal(WeightsDigest.Of(whole.State), WeightsDigest.Of(sliced.State));
        Assert.Equal(
            ["0.module.encoder.weight", "0.module.rnns.0.module.bias_hh_l0", "0.module.rnns.0.module.bias_ih_l0", "0.module.rnns.0.module.weight_ih_l0", "0.module.rnns.0.weight_hh_l0_raw", "1.linear.bias", "1.linear.weight"],
            whole.State.Names);
    }

    [Fact]
    public void Train_BothDirections_ReadTheTextFromEitherEnd()
    {
        Assert.NotEqual(WeightsDigest.Of(SmallTraining.Run(Short, Direction.Forward).Last.State), WeightsDigest.Of(SmallTraining.Run(Short, Direction.Backward).Last.State));

        using var cpu = new CpuTrainingEngine(2);
        var training = new DirectionTraining(cpu, Data, Short, Direction.Backward, null);
        using IClassifierNetwork network = cpu.CreateClassifier(new ClassifierOptions(training.ClassifierConfig, DropoutRates.None), SmallTraining.Run(training).Last.State);
        var probabilities = new float[Data.HeldOut.Count * 2];
        network.Predict([.. Data.HeldOut.Select(document => document.Tokens.Reverse().ToArray())], probabilities);
        double loss = Data.HeldOut.Select((document, row) => -Math.Log(probabilities[(row * 2) + document.Label])).Average();
        Assert.Equal(SmallTraining.Run(training).Epochs[^1].HeldOutLoss!.Value, loss, 1e-6);
    }

    [Fact]
    public void Train_MoreThanTwoClasses_HasALogitForEach()
    {
        string[] labels = ["fruit", "weather", "animals"];
        TrainingData three = TrainingData.Prepare([.. SmallTraining.Rows(0, 30).Select((row, i) => row with { Label = labels[i % 3] })], [], [], Short, null);
        using var cpu = new CpuTrainingEngine(2);
        var training = new DirectionTraining(cpu, three, Short, Direction.Forward, null);

        Assert.True(SmallTraining.Run(training).Last.State[AwdLstmNames.OutputWeight].HasShape(3, 200));
        Assert.True(new DirectionTraining(cpu, Data, Short, Direction.Forward, null).Start().State[AwdLstmNames.OutputWeight].HasShape(1, 200));
    }

    [Fact]
    public void Prepare_WithUnlabeledText_LearnsNoWordsFromIt()
    {
        Vocabulary Words(Method method) => TrainingData.Prepare(SmallTraining.Rows(0, 40), [], ["zebras and more zebras"], Plain with { Method = method }, null).Vocabulary;

        Assert.Contains("zebras", Words(Method.Ulmfit).Tokens);
        Assert.DoesNotContain("zebras", Words(Method.Lstm).Tokens);
    }

    [Fact]
    public void Start_AtAnotherModel_IsRefused()
    {
        using var cpu = new CpuTrainingEngine(1);
        var config = new AwdLstmConfig(Data.Vocabulary.Count, 8, 12, 2);
        var pretrained = PretrainedModel.Of(Data.Vocabulary, WeightInitialization.LanguageModel(config, 1), null);
        Assert.Throws<ArgumentException>(() => new DirectionTraining(cpu, Data, Short, Direction.Forward, pretrained));

        StateDict trained = new DirectionTraining(cpu, Data, Short, Direction.Forward, null).Start().State;
        InvalidDataException refused = Assert.Throws<InvalidDataException>(() => EarlierModel.Of(Data.Vocabulary, Data.Labels, trained, null));
        Assert.Contains("plain LSTM classifier", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FindLearningRate_OfTheClassifier_FindsOne()
    {
        using var cpu = new CpuTrainingEngine(2);
        var training = new DirectionTraining(cpu, Data, Short, Direction.Forward, null);

        LearningRateRange range = training.FindLearningRate(StageKind.Classifier, new LearningRateRangeTest { Steps = 40 }, null, TestContext.Current.CancellationToken);

        Assert.True(range.Points.Count > 10);
        Assert.Throws<InvalidOperationException>(() => training.FindLearningRate(StageKind.LanguageModel, new LearningRateRangeTest(), null, TestContext.Current.CancellationToken));
    }
}
