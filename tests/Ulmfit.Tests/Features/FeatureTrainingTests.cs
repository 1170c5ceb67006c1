using Ulmfit.Cpu;
using Ulmfit.Engine;
using Ulmfit.Features;
using Ulmfit.Model;
using Ulmfit.Tests.Training;
using Ulmfit.Training;

namespace Ulmfit.Tests.Features;

/// <summary>The method <c>features</c> as a training like every other: stages, checkpoints, held-out scores.</summary>
public sealed class FeatureTrainingTests
{
    private static readonly TrainingSettings Settings = SmallTraining.Settings with { Method = Method.Features, Discriminative = null, Classifier = new ClassifierSettings() };

    private static readonly string Recurrent = AwdLstmNames.HiddenWeight(AwdLstmNames.ClassifierEncoder, 1);

    [Fact]
    public void Train_WholePlan_FitsAfterTheLanguageModelInOneEpoch()
    {
        (Checkpoint last, List<EpochMetrics> epochs) = SmallTraining.Run(Settings, Direction.Forward);

        Assert.True(last.Finished);
        Assert.Equal(["lm 1/2", "lm 2/2", "features 1/1"], epochs.Select(epoch => $"{epoch.Stage} {epoch.Epoch}/{epoch.Epochs}"));
        EpochMetrics fitted = epochs[^1];
        Assert.Equal((StageKind.Classifier, 0.0, 2), (fitted.Kind, fitted.LearningRate, fitted.Steps));
        Assert.InRange(fitted.TrainLoss, 0, 0.6);
        Assert.True(double.IsFinite(fitted.HeldOutLoss!.Value) && fitted.TrainAccuracy > 0.9 && fitted.Accuracy is not null && fitted.MacroF1 is not null);
        Assert.Equal([2], fitted.Curve!.Select(point => point.Step));
    }

    [Fact]
    public void Train_NoFineTuning_LeavesTheEncoderAsItStarted()
    {
        using var engine = new CpuTrainingEngine(2);
        var training = new DirectionTraining(engine, SmallTraining.Data, Settings with { LanguageModel = new LanguageModelSettings { FineTune = false } }, Direction.Forward, null);
        StateDict start = training.Start().State;
        (Checkpoint last, _) = SmallTraining.Run(training);

        foreach ((string name, Tensor tensor) in AwdLstmNames.EncoderForClassifier(start))
        {
            Assert.Equal(tensor.Data, last.State[name].Data);
        }

        string[] fitted = [.. last.State.Names.Where(name => !name.StartsWith(AwdLstmNames.ClassifierEncoder, StringComparison.Ordinal))];
        Assert.Equal(((string[])[FeatureNames.Bias, FeatureNames.Deviation, FeatureNames.Mean, FeatureNames.Weight]).Order(StringComparer.Ordinal), fitted);
    }

    [Theory]
    [InlineData(FeatureReduction.None, Direction.Forward)]
    [InlineData(FeatureReduction.Pca, Direction.Backward)]
    [InlineData(FeatureReduction.Lda, Direction.Forward)]
    public void Train_CutAfterEveryStepAndThroughFiles_GivesTheSameBits(FeatureReduction reduction, Direction direction)
    {
        TrainingSettings settings = Settings with { Features = new FeatureSettings { Reduction = reduction }, LanguageModel = Settings.LanguageModel with { Epochs = 1 } };

        (Checkpoint whole, List<EpochMetrics> wholeEpochs) = SmallTraining.Run(settings, direction);
        (Checkpoint cut, List<EpochMetrics> cutEpochs) = SmallTraining.Run(settings with { SliceSteps = 1 }, direction, throughFiles: true);

        Assert.Equal(WeightsDigest.Of(whole.State), WeightsDigest.Of(cut.State));
        Assert.Equal((wholeEpochs[^1].TrainLoss, wholeEpochs[^1].HeldOutLoss, wholeEpochs[^1].TrainAccuracy), (cutEpochs[^1].TrainLoss, cutEpochs[^1].HeldOutLoss, cutEpochs[^1].TrainAccuracy));
        Assert.Equal(whole.State.Names, whole.State.WeightsOnly().Names);
    }

    [Fact]
    public void Train_OtherHeldOutRows_FitsToTheSameBits()
    {
        TrainingSettings settings = Settings with { LanguageModel = new LanguageModelSettings { FineTune = false }, Features = new FeatureSettings { Reduction = FeatureReduction.Pca } };
        string DigestWith(int first, int count)
        {
            using var engine = new CpuTrainingEngine(2);
            var data = TrainingData.Prepare(SmallTraining.Rows(0, 40), SmallTraining.Rows(first, count), [], settings, null);
            return WeightsDigest.Of(SmallTraining.Run(new DirectionTraining(engine, data, settings, Direction.Forward, null)).Last.State);
        }

        Assert.Equal(DigestWith(40, 10), DigestWith(60, 20));
    }

    [Fact]
    public void Train_HeldOutScore_IsThatOfTheFittedClassifierOnPooledStates()
    {
        using var engine = new CpuTrainingEngine(2);
        var training = new DirectionTraining(engine, SmallTraining.Data, Settings, Direction.Backward, null);
        (Checkpoint last, List<EpochMetrics> epochs) = SmallTraining.Run(training);

        using IFeatureNetwork network = engine.CreateFeatures(training.ClassifierConfig, last.State);
        double loss = 0;
        foreach (Document document in SmallTraining.Data.HeldOut)
        {
            float[] features = new float[training.ClassifierConfig.PooledSize], probabilities = new float[2];
            network.Pool([[.. document.Tokens.Reverse()]], features);
            FeatureClassifier.Of(last.State).Predict(features, probabilities);
            loss -= Math.Log(probabilities[document.Label]);
        }

        Assert.Equal(loss / SmallTraining.Data.HeldOut.Count, epochs[^1].HeldOutLoss!.Value, 1e-9);
    }

    [Fact]
    public void Start_AnEarlierModelOfFeatures_GivesItsEncoderAndANewHead()
    {
        (Checkpoint fitted, _) = SmallTraining.Run(Settings, Direction.Forward);
        var earlier = EarlierModel.Of(SmallTraining.Data.Vocabulary, SmallTraining.Data.Labels, fitted.State, null);
        Assert.True(earlier.IsOfFeatures);

        using var engine = new CpuTrainingEngine(2);
        TrainingSettings settings = SmallTraining.Settings with { LanguageModel = new LanguageModelSettings(), Strategy = Strategy.Last, Classifier = SmallTraining.Settings.Classifier with { Epochs = 1 } };
        var training = new DirectionTraining(engine, SmallTraining.Data, settings, Direction.Forward, null, earlier);
        (Checkpoint last, _) = SmallTraining.Run(training);

        Assert.Equal(fitted.State[Recurrent].Data, last.State[Recurrent].Data);
        Assert.False(last.State.Contains(FeatureNames.Weight));
        Assert.Equal(50, training.ClassifierConfig.HeadHiddenSize);
    }

    [Fact]
    public void FindLearningRate_OfAFittedClassifier_IsRefused()
    {
        using var engine = new CpuTrainingEngine(2);
        var training = new DirectionTraining(engine, SmallTraining.Data, Settings, Direction.Forward, null);

        Assert.Throws<InvalidOperationException>(() => training.FindLearningRate(StageKind.Classifier, new LearningRateRangeTest(), null, TestContext.Current.CancellationToken));
    }

    public static TheoryData<string, string> Refused => new()
    {
        { """{"features": {"reduction": "pca"}}""", "features" },
        { """{"method": "lstm", "features": {"l2": 1}}""", "features" },
        { """{"method": "features", "features": {"components": 3}}""", "features.components" },
        { """{"method": "features", "features": {"reduction": "pca", "components": 0}}""", "features.components" },
        { """{"method": "features", "features": {"reduction": "pca", "explainedVariance": 0}}""", "features.explainedVariance" },
        { """{"method": "features", "features": {"reduction": "pca", "shrinkage": 0.1}}""", "features.shrinkage" },
        { """{"method": "features", "features": {"reduction": "lda", "shrinkage": 2}}""", "features.shrinkage" },
        { """{"method": "features", "features": {"l2": 0}}""", "features.l2" },
        { """{"method": "features", "features": {"lambda": 1}}""", "features" },
        { """{"method": "features", "strategy": "full"}""", "strategy" },
        { """{"method": "features", "classifier": {"epochs": 3}}""", "classifier.epochs" },
        { """{"method": "features", "classifier": {"learningRate": 0.1}}""", "classifier.learningRate" },
        { """{"method": "features", "classifier": {"headHiddenSize": 10}}""", "classifier.headHiddenSize" },
        { """{"method": "features", "classifier": {"weightDecay": 0.1}}""", "classifier.weightDecay" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Settings_ThatTheMethodHasNoUseFor_AreRefusedByName(string json, string path)
    {
        TrainingSettingsException error = Assert.Throws<TrainingSettingsException>(() => TrainingSettings.Parse(json));
        Assert.Contains(error.Errors, found => found.Path.StartsWith(path, StringComparison.Ordinal));
    }

    [Fact]
    public void Settings_OfFeatures_SurviveJson()
    {
        const string Json = """{"method": "features", "features": {"reduction": "lda", "components": 4, "shrinkage": 0.2, "l2": 0.5}, "classifier": {"classWeights": "balanced", "labelSmoothing": 0.1}}""";
        var settings = TrainingSettings.Parse(Json);

        Assert.Equal(new FeatureSettings { Reduction = FeatureReduction.Lda, Components = 4, Shrinkage = 0.2, L2 = 0.5 }, settings.Features);
        Assert.Equal(settings, TrainingSettings.Parse(settings.ToJson()));
    }
}
