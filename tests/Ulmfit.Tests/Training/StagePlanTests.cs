using Ulmfit.Model;
using Ulmfit.Training;

namespace Ulmfit.Tests.Training;

public sealed class StagePlanTests
{
    private const int Rows = 5_000;
    private const long Tokens = 60_000;

    // AllenNLP PR #4443: gradual unfreezing once trained three groups instead of two in the second epoch.
    [Fact]
    public void Gradual_FiveGroups_UnfreezesOneMoreGroupEachEpochFromTheTop()
    {
        StagePlan plan = StagePlan.Of(TrainingSettings.Default, layers: 3, pretrained: true, Rows, Tokens);
        Stage[] stages = [.. plan.Stages.Where(stage => stage.Kind == StageKind.Classifier)];

        Assert.Equal(["head", "last-2", "last-3", "last-4", "all"], stages.Select(stage => stage.Name));
        Assert.Equal(["....#", "...##", "..###", ".####", "#####"], stages.Select(Picture));
        Assert.Equal([1, 1, 1, 1, 6], stages.Select(stage => stage.Epochs));
    }

    [Theory]
    [InlineData(Strategy.Full, "#####")]
    [InlineData(Strategy.Last, "....#")]
    [InlineData(Strategy.ChainThaw, "....# #.... .#... ..#.. ...#. #####")]
    public void OtherStrategies_TrainTheirGroups(Strategy strategy, string expected)
    {
        StagePlan plan = StagePlan.Of(TrainingSettings.Default with { Strategy = strategy }, layers: 3, pretrained: true, Rows, Tokens);

        Assert.Equal(expected, string.Join(' ', plan.Stages.Where(stage => stage.Kind == StageKind.Classifier).Select(Picture)));
    }

    // Whatever is said of discriminative rates.
    [Theory]
    [InlineData(null)]
    [InlineData(false)]
    [InlineData(true)]
    public void ChainThaw_EveryStage_HasATenthOfTheHeadsRateBelowIt(bool? discriminative)
    {
        TrainingSettings settings = TrainingSettings.Default with { Strategy = Strategy.ChainThaw, Discriminative = discriminative };
        IEnumerable<Stage> stages = StagePlan.Of(settings, layers: 3, pretrained: true, Rows, Tokens).Stages.Where(stage => stage.Kind == StageKind.Classifier);

        Assert.All(stages, stage => Assert.Equal([0.001, 0.001, 0.001, 0.001, 0.01], stage.LearningRates));
    }

    [Theory]
    [InlineData(Strategy.Gradual, 10, "1 1 1 1 6")]
    [InlineData(Strategy.ChainThaw, 10, "1 1 1 1 1 5")]
    [InlineData(Strategy.Full, 10, "10")]
    [InlineData(Strategy.Last, 10, "10")]
    [InlineData(Strategy.Gradual, 3, "1 1 1 1 1")]
    public void TotalEpochs_EveryStrategy_LeavesTheLastStageWhatTheOthersDoNotTake(Strategy strategy, int total, string expected)
    {
        TrainingSettings settings = TrainingSettings.Default with { Strategy = strategy, Classifier = new ClassifierSettings { TotalEpochs = total } };
        StagePlan plan = StagePlan.Of(settings.Validated(), layers: 3, pretrained: true, Rows, Tokens);

        Assert.Equal(expected, string.Join(' ', plan.Stages.Where(stage => stage.Kind == StageKind.Classifier).Select(stage => stage.Epochs)));
        Assert.Equal(expected.Split(' ').Sum(int.Parse), plan.EpochsOf(StageKind.Classifier));
    }

    [Fact]
    public void TotalEpochs_BesideEpochs_IsRefused()
    {
        TrainingSettings settings = TrainingSettings.Default with { Classifier = new ClassifierSettings { TotalEpochs = 10, Epochs = 6 } };

        Assert.Equal("classifier.totalEpochs", Assert.Single(Assert.Throws<TrainingSettingsException>(settings.Validated).Errors).Path);
    }

    // fastai's freeze_to(n) on five groups.
    [Theory]
    [InlineData(0, "all #####")]
    [InlineData(1, "last-4 .####")]
    [InlineData(3, "last-2 ...##")]
    [InlineData(4, "head ....#")]
    [InlineData(-1, "head ....#")]
    [InlineData(-2, "last-2 ...##")]
    [InlineData(-5, "all #####")]
    public void Partial_FreezeTo_TrainsThatGroupAndThoseAboveIt(int freezeTo, string expected)
    {
        TrainingSettings settings = TrainingSettings.Default with { Strategy = Strategy.Partial, FreezeTo = freezeTo };
        Stage stage = Assert.Single(StagePlan.Of(settings, layers: 3, pretrained: true, Rows, Tokens).Stages, stage => stage.Kind == StageKind.Classifier);

        Assert.Equal(expected, $"{stage.Name} {Picture(stage)}");
        Assert.Equal(6, stage.Epochs);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(-6)]
    public void Partial_GroupThatDoesNotExist_IsRefused(int freezeTo)
    {
        TrainingSettings settings = TrainingSettings.Default with { Strategy = Strategy.Partial, FreezeTo = freezeTo };

        var exception = Assert.Throws<TrainingSettingsException>(() => StagePlan.Of(settings, layers: 3, pretrained: true, Rows, Tokens));

        Assert.Equal("freezeTo", Assert.Single(exception.Errors).Path);
    }

    [Theory]
    [InlineData(true, 60, 25)]
    [InlineData(true, 480, 25)]
    [InlineData(true, 1_000, 12)]
    [InlineData(true, 1_999, 6)]
    [InlineData(true, 2_000, 6)]
    [InlineData(false, 480, 40)]
    [InlineData(false, 2_000, 6)]
    public void Classifier_OnFewRows_TrainsAllGroupsLonger(bool pretrained, int rows, int epochs)
    {
        StagePlan plan = StagePlan.Of(TrainingSettings.Default, layers: 3, pretrained, rows, Tokens);

        Assert.Equal(epochs, plan.Stages[^1].Epochs);
    }

    [Theory]
    [InlineData(true, 5_000, null, 0.01)]
    [InlineData(true, 2_000, null, 0.01)]
    [InlineData(true, 500, null, 0.005)]
    [InlineData(true, 80, null, 0.002)]
    [InlineData(true, 80, 0.01, 0.01)]
    [InlineData(false, 80, null, 0.005)]
    public void Classifier_OnFewRows_LearnsAtALowerRateUnlessSettingsSayOtherwise(bool pretrained, int rows, double? given, double expected)
    {
        StagePlan plan = StagePlan.Of(TrainingSettings.Default with { Classifier = new ClassifierSettings { LearningRate = given } }, layers: 3, pretrained, rows, Tokens);

        Assert.Equal(expected, plan.Stages[^1].LearningRates[^1], 1e-12);
    }

    [Theory]
    [InlineData(1_999, null, null, 1.25)]
    [InlineData(2_000, null, null, 2.6)]
    [InlineData(1_999, 2.6, null, 2.6)]
    [InlineData(1_999, null, 3.0, 3.0)]
    public void Classifier_OnFewRows_LetsRatesFallLessUnlessSettingsSayOtherwise(int rows, double? both, double? own, double expected)
    {
        TrainingSettings settings = TrainingSettings.Default with { DiscriminativeFactor = both, Classifier = new ClassifierSettings { DiscriminativeFactor = own } };
        StagePlan plan = StagePlan.Of(settings, layers: 3, pretrained: true, rows, Tokens);
        double FactorOf(Stage stage) => stage.LearningRates[^1] / stage.LearningRates[^2];

        Assert.Equal(expected, FactorOf(plan.Stages[^1]), 1e-12);
        Assert.Equal(both ?? 2.6, FactorOf(plan.Stages.Last(stage => stage.Kind == StageKind.LanguageModel)), 1e-12);
    }

    [Theory]
    [InlineData(true, 2.6)]
    [InlineData(false, 1.25)]
    public void Classifier_WhereNothingWasPretrained_LetsRatesFallLess(bool pretrained, double expected)
    {
        StagePlan plan = StagePlan.Of(TrainingSettings.Default with { Discriminative = true }, layers: 3, pretrained, Rows, Tokens);

        Assert.Equal(expected, plan.Stages[^1].LearningRates[^1] / plan.Stages[^1].LearningRates[^2], 1e-12);
        Assert.Equal(2.6, plan.Stages.Last(stage => stage.Kind == StageKind.LanguageModel).LearningRates[^1] / plan.Stages.Last(stage => stage.Kind == StageKind.LanguageModel).LearningRates[^2], 1e-12);
    }

    [Theory]
    [InlineData(true, 2_999, 0)]
    [InlineData(true, 3_000, 15)]
    [InlineData(true, 29_999, 15)]
    [InlineData(true, 30_000, 6)]
    [InlineData(false, 30_000, 14)]
    [InlineData(false, 29_999, 0)]
    public void LanguageModel_OnLittleText_IsTrainedLongerOrNotAtAll(bool pretrained, long tokens, int epochs)
    {
        StagePlan plan = StagePlan.Of(TrainingSettings.Default, layers: 3, pretrained, Rows, tokens);

        Assert.Equal(epochs, plan.EpochsOf(StageKind.LanguageModel));
    }

    // The rows of the paper's ablation choose discrimination and schedule of each phase by itself.
    [Theory]
    [InlineData(null, null, null, 2.6, 2.6)]
    [InlineData(null, false, null, 1, 2.6)]
    [InlineData(null, null, false, 2.6, 1)]
    [InlineData(false, null, null, 1, 1)]
    [InlineData(false, true, null, 2.6, 1)]
    [InlineData(false, null, true, 1, 2.6)]
    public void Discriminative_OfOnePhase_OverridesThatOfBoth(bool? both, bool? languageModel, bool? classifier, double languageModelFactor, double classifierFactor)
    {
        StagePlan plan = StagePlan.Of(OfPhases(both, languageModel, classifier), layers: 3, pretrained: true, Rows, Tokens);

        Assert.All(plan.Stages, stage => Assert.Equal(
            stage.Kind == StageKind.LanguageModel ? languageModelFactor : classifierFactor, stage.LearningRates[^1] / stage.LearningRates[^2], 1e-12));
    }

    [Fact]
    public void DiscriminativeFactor_OfEachPhase_IsItsOwn()
    {
        TrainingSettings settings = TrainingSettings.Default with
        {
            DiscriminativeFactor = 9, LanguageModel = new LanguageModelSettings { DiscriminativeFactor = 2 }, Classifier = new ClassifierSettings { DiscriminativeFactor = 3 },
        };
        StagePlan plan = StagePlan.Of(settings, layers: 3, pretrained: true, Rows, Tokens);

        Assert.All(plan.Stages, stage => Assert.Equal(stage.Kind == StageKind.LanguageModel ? 2 : 3, stage.LearningRates[^1] / stage.LearningRates[^2], 1e-12));
    }

    [Theory]
    [InlineData(null, null, "SlantedTriangularSchedule", "SlantedTriangularSchedule")]
    [InlineData(ScheduleKind.Constant, null, "ConstantSchedule", "SlantedTriangularSchedule")]
    [InlineData(null, ScheduleKind.Cosine, "SlantedTriangularSchedule", "CosineSchedule")]
    [InlineData(ScheduleKind.OneCycle, ScheduleKind.Constant, "OneCycleSchedule", "ConstantSchedule")]
    public void Schedule_OfOnePhase_OverridesThatOfBoth(ScheduleKind? languageModel, ScheduleKind? classifier, string languageModelSchedule, string classifierSchedule)
    {
        TrainingSettings settings = TrainingSettings.Default with
        {
            LanguageModel = new LanguageModelSettings { Schedule = languageModel }, Classifier = new ClassifierSettings { Schedule = classifier },
        };

        Assert.Equal(languageModelSchedule, settings.ScheduleOf(StageKind.LanguageModel, 10).GetType().Name);
        Assert.Equal(classifierSchedule, settings.ScheduleOf(StageKind.Classifier, 10).GetType().Name);
    }

    [Fact]
    public void LanguageModel_Pretrained_AdaptsTheEmbeddingFirstAndThenAll()
    {
        Stage[] stages = [.. StagePlan.Of(TrainingSettings.Default, layers: 3, pretrained: true, Rows, Tokens).Stages.Where(stage => stage.Kind == StageKind.LanguageModel)];

        Assert.Equal(["...#", "####"], stages.Select(Picture));
        Assert.Equal(0.004 / 2.6, stages[1].LearningRates[^2], 1e-12);
    }

    [Theory]
    [InlineData(0, 6, "#### 6")]
    [InlineData(1, 6, "...# 1, #### 5")]
    [InlineData(2, 6, "...# 2, #### 4")]
    [InlineData(9, 2, "...# 1, #### 1")]
    [InlineData(1, 1, "#### 1")]
    public void LanguageModel_FrozenEpochs_ComeFirstAndLeaveOneForAllGroups(int frozen, int epochs, string expected)
    {
        TrainingSettings settings = TrainingSettings.Default with { LanguageModel = new LanguageModelSettings { FrozenEpochs = frozen, Epochs = epochs } };
        IEnumerable<Stage> stages = StagePlan.Of(settings, layers: 3, pretrained: true, Rows, Tokens).Stages.Where(stage => stage.Kind == StageKind.LanguageModel);

        Assert.Equal(expected, string.Join(", ", stages.Select(stage => $"{Picture(stage)} {stage.Epochs}")));
    }

    [Fact]
    public void LanguageModel_FromScratch_TrainsAllGroupsAtOneRate()
    {
        Stage stage = Assert.Single(StagePlan.Of(TrainingSettings.Default, layers: 3, pretrained: false, Rows, Tokens).Stages, stage => stage.Kind == StageKind.LanguageModel);

        Assert.Equal("####", Picture(stage));
        Assert.Single(stage.LearningRates.Distinct());
    }

    [Fact]
    public void NoLanguageModelFineTuning_HasNoLanguageModelStage()
    {
        TrainingSettings settings = TrainingSettings.Default with { LanguageModel = new LanguageModelSettings { FineTune = false } };

        Assert.DoesNotContain(StagePlan.Of(settings, layers: 3, pretrained: true, Rows, Tokens).Stages, stage => stage.Kind == StageKind.LanguageModel);
    }

    [Fact]
    public void FromScratch_LittleText_HasNoLanguageModelStageAndMoreEpochs()
    {
        StagePlan plan = StagePlan.Of(TrainingSettings.Default, layers: 3, pretrained: false, rows: 400, tokens: 10_000);

        Assert.DoesNotContain(plan.Stages, stage => stage.Kind == StageKind.LanguageModel);
        Assert.Equal(40, plan.Stages[^1].Epochs);
        Assert.Contains(StagePlan.Of(TrainingSettings.Default, layers: 3, pretrained: true, rows: 400, tokens: 10_000).Stages, stage => stage.Kind == StageKind.LanguageModel);
    }

    [Fact]
    public void FromScratch_Classifier_LearnsAtOneRateUnlessSettingsAskOtherwise()
    {
        Assert.Single(StagePlan.Of(TrainingSettings.Default, layers: 3, pretrained: false, Rows, Tokens).Stages[^1].LearningRates.Distinct());
        Assert.Equal(5, StagePlan.Of(TrainingSettings.Default with { Discriminative = true }, layers: 3, pretrained: false, Rows, Tokens).Stages[^1].LearningRates.Distinct().Count());
    }

    [Fact]
    public void NotDiscriminative_GivesEveryGroupTheSameRate()
    {
        StagePlan plan = StagePlan.Of(TrainingSettings.Default with { Discriminative = false }, layers: 3, pretrained: true, Rows, Tokens);

        Assert.All(plan.Stages, stage => Assert.Single(stage.LearningRates.Distinct()));
    }

    [Fact]
    public void ParameterGroups_EveryWeight_BelongsToOneGroup()
    {
        var encoder = new AwdLstmConfig(11, 4, 6, 3);
        var config = new ClassifierConfig(encoder, 5, 3);
        StateDict languageModel = WeightInitialization.LanguageModel(encoder, 1);
        string[] classifier = [.. AwdLstmNames.EncoderForClassifier(languageModel).Names, .. WeightInitialization.Head(config, 1).Names.Where(name => !name.Contains("running", StringComparison.Ordinal))];

        Assert.Equal(languageModel.Names, ParameterGroups.OfLanguageModel(encoder).SelectMany(group => group).Order(StringComparer.Ordinal));
        Assert.Equal(classifier.Order(StringComparer.Ordinal), ParameterGroups.OfClassifier(config).SelectMany(group => group).Order(StringComparer.Ordinal));
        Assert.Equal(5, ParameterGroups.OfClassifier(config).Count);
    }

    [Fact]
    public void HasWeightDecay_BiasesAndBatchNorm_HaveNone()
    {
        string[] without = ["0.rnns.0.module.bias_ih_l0", "0.rnns.0.module.bias_hh_l0", "1.decoder.bias", "1.layers.0.0.weight", "1.layers.1.0.bias"];
        string[] with = ["0.encoder.weight", "0.rnns.0.module.weight_ih_l0", "0.rnns.2.weight_hh_l0_raw", "1.layers.0.2.weight", "1.layers.1.2.weight"];

        Assert.All(without, name => Assert.False(AwdLstmNames.HasWeightDecay(name)));
        Assert.All(with, name => Assert.True(AwdLstmNames.HasWeightDecay(name)));
    }

    private static TrainingSettings OfPhases(bool? both, bool? languageModel, bool? classifier) => TrainingSettings.Default with
    {
        Discriminative = both,
        LanguageModel = new LanguageModelSettings { Discriminative = languageModel },
        Classifier = new ClassifierSettings { Discriminative = classifier },
    };

    private static string Picture(Stage stage) => string.Concat(stage.TrainedGroups.Select(trained => trained ? '#' : '.'));
}
