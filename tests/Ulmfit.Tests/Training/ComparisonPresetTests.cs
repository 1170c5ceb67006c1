using System.Globalization;
using Ulmfit.Features;
using Ulmfit.Model;
using Ulmfit.Training;

namespace Ulmfit.Tests.Training;

/// <summary>Each preset trains what its name says: its whole plan is written out here.</summary>
public sealed class ComparisonPresetTests
{
    private const int Rows = 5_000;
    private const long Tokens = 60_000;

    private const string LanguageModel = "SlantedTriangular: lm-embedding 1 ...# 0.004/2.6; lm 5 #### 0.004/2.6";
    private const string Method = "SlantedTriangular: head 1 ....# 0.02/2.6; last-2 1 ...## 0.01/2.6; last-3 1 ..### 0.01/2.6; last-4 1 .#### 0.01/2.6; all 6 ##### 0.01/2.6";
    private const string OneRate = "head 1 ....# 0.002; last-2 1 ...## 0.001; last-3 1 ..### 0.001; last-4 1 .#### 0.001; all 6 ##### 0.001";

    private const string Fitted = "SlantedTriangular: features 1 ....# 0";

    private static readonly AwdLstmConfig Small = new(100, 256, 768, 3);

    private static readonly TrainingSettings Common = InCommon(TrainingSettings.Default with { Pretrained = "wiki" });

    public static TheoryData<string, string, string, string> Plans => new()
    {
        { "ulmfit", "wiki", LanguageModel, Method },
        { "scratch", "none", "", "SlantedTriangular: all 10 ##### 0.005" },
        { "no-pretraining", "none", "SlantedTriangular: lm 14 #### 0.005", Method.Replace("/2.6", "/1.25", StringComparison.Ordinal) },
        { "no-lm-finetuning", "wiki", "", Method },
        { "full", "wiki", LanguageModel, "Constant: all 10 ##### 0.001" },
        { "full-discr", "wiki", LanguageModel, "Constant: all 10 ##### 0.01/2.6" },
        { "last", "wiki", LanguageModel, "Constant: head 10 ....# 0.001" },
        { "chain-thaw", "wiki", LanguageModel, "Constant: head 1 ....# 0.001·0.1; only-1 1 #.... 0.001·0.1; only-2 1 .#... 0.001·0.1; only-3 1 ..#.. 0.001·0.1; only-4 1 ...#. 0.001·0.1; all 5 ##### 0.001·0.1" },
        { "freez", "wiki", LanguageModel, "Constant: " + OneRate },
        { "freez-discr", "wiki", LanguageModel, Method.Replace("SlantedTriangular", "Constant", StringComparison.Ordinal) },
        { "freez-stlr", "wiki", LanguageModel, "SlantedTriangular: " + OneRate },
        { "freez-cos", "wiki", LanguageModel, "Cosine: " + OneRate },
        { "freez-discr-stlr", "wiki", LanguageModel, Method },
        { "lm-none", "wiki", "", Method },
        { "lm-full", "wiki", "Constant: lm-embedding 1 ...# 0.004; lm 5 #### 0.004", Method },
        { "lm-full-discr", "wiki", LanguageModel.Replace("SlantedTriangular", "Constant", StringComparison.Ordinal), Method },
        { "lm-full-discr-stlr", "wiki", LanguageModel, Method },
        { "forward", "wiki", LanguageModel, Method },
        { "backward", "wiki", LanguageModel, Method },
        { "both", "wiki", LanguageModel, Method },
        { "features", "wiki", LanguageModel, Fitted },
        { "features-pca", "wiki", LanguageModel, Fitted },
        { "features-lda", "wiki", LanguageModel, Fitted },
        { "lstm", "none", "", "Constant: classifier 10 ### 0.001" },
    };

    [Theory]
    [MemberData(nameof(Plans))]
    public void Apply_EveryPreset_TrainsWhatItsNameSays(string name, string pretrained, string languageModel, string classifier)
    {
        TrainingSettings settings = Preset(name).Apply(Common, Rows).Validated();

        Assert.Equal(pretrained, settings.Pretrained);
        Assert.Equal(languageModel, PhaseOf(settings, StageKind.LanguageModel));
        Assert.Equal(classifier, PhaseOf(settings, StageKind.Classifier));
    }

    [Fact]
    public void Plans_OfTheTestAbove_AreThoseOfAllPresets() =>
        Assert.Equal(ComparisonPreset.All.Select(preset => preset.Name).Order(), Plans.Select(row => row.Data.Item1).Order());

    [Fact]
    public void Apply_EveryPreset_HasAsManyClassifierEpochsAsGradualUnfreezing() =>
        Assert.All(Trained, preset => Assert.Equal(10, PlanOf(preset.Apply(Common, Rows)).EpochsOf(StageKind.Classifier)));

    [Fact]
    public void Apply_EverySettingThatNoPresetIsAbout_StaysAsItIs()
    {
        TrainingSettings common = Common with
        {
            Seed = 9, Directions = Directions.Backward, MinimumCount = 5, Discriminative = false, Schedule = ScheduleKind.OneCycle, Strategy = Strategy.Partial, FreezeTo = 2,
            LanguageModel = Common.LanguageModel with { Epochs = 3, FrozenEpochs = 0, DropMultiplier = 0.7 },
            Classifier = Common.Classifier with { Batch = 16, WeightDecay = 0.1, LearningRate = 0.02 },
        };

        Assert.All(Trained.Where(preset => preset.Name != "lstm"), preset =>
        {
            TrainingSettings settings = preset.Apply(common, Rows).Validated();
            Assert.Equal((9UL, 5, 0.7, 3, 16, 0.1), (settings.Seed, settings.MinimumCount, settings.LanguageModel.DropMultiplier, settings.LanguageModel.Epochs, settings.Classifier.Batch, settings.Classifier.WeightDecay));
            Assert.Equal(preset.Name switch { "forward" => Directions.Forward, "both" => Directions.Both, _ => Directions.Backward }, settings.Directions);
        });
        Assert.Equal("Constant: all 10 ##### 0.002", PhaseOf(Preset("full").Apply(common, Rows), StageKind.Classifier));
        Assert.Equal("Constant: all 10 ##### 0.02/2.6", PhaseOf(Preset("full-discr").Apply(common, Rows), StageKind.Classifier));
    }

    [Theory]
    [InlineData("ulmfit", 0.005)]
    [InlineData("no-pretraining", 0.005)]
    [InlineData("full-discr", 0.005)]
    [InlineData("full", 0.0005)]
    public void Apply_FewRows_LowersEveryRateAsThatOfTheMethod(string name, double highest)
    {
        const int few = 500;
        StagePlan plan = StagePlan.Of(Preset(name).Apply(Common, few), layers: 3, pretrained: true, few, Tokens);

        Assert.Equal(highest, plan.Stages[^1].LearningRates[^1], 1e-12);
    }

    // The rows named twice, so that both tables of the paper can be made, are trained once.
    [Theory]
    [InlineData("ulmfit", "freez-discr-stlr")]
    [InlineData("ulmfit", "lm-full-discr-stlr")]
    [InlineData("no-lm-finetuning", "lm-none")]
    public void Apply_RowsThatArePartOfTwoTables_AreTheSame(string one, string other) => Assert.Equal(Preset(one).Apply(Common, Rows), Preset(other).Apply(Common, Rows));

    [Fact]
    public void Apply_WithoutAPretrainedModel_LearnsTheLanguageModelAtOneRate()
    {
        TrainingSettings common = InCommon(TrainingSettings.Default with { Pretrained = TrainingSettings.NoPretrained }, null);

        Assert.Equal("SlantedTriangular: lm 14 #### 0.005", PhaseOf(Preset("ulmfit").Apply(common, Rows), StageKind.LanguageModel));
        Assert.Equal(Preset("ulmfit").Apply(common, Rows), Preset("no-pretraining").Apply(common, Rows));
    }

    [Fact]
    public void InCommon_PretrainedModel_GivesItsSizeToTheRowsFromRandomWeights()
    {
        Assert.Equal(ModelSize.Small, Preset("scratch").Apply(Common, Rows).Size);
        Assert.Equal(ModelSize.Base, InCommon(TrainingSettings.Default with { Size = ModelSize.Base }, new AwdLstmConfig(100, 400, 1150, 3)).Size);
    }

    [Fact]
    public void InCommon_EpochsThatAreGiven_AreThoseOfTheLastStageOfGradualUnfreezing() =>
        Assert.Equal(7, InCommon(TrainingSettings.Default with { Classifier = new ClassifierSettings { Epochs = 3 } }).Classifier.TotalEpochs);

    [Theory]
    [InlineData("features", FeatureReduction.None)]
    [InlineData("features-pca", FeatureReduction.Pca)]
    [InlineData("features-lda", FeatureReduction.Lda)]
    public void Features_EachReduction_IsThatOfItsNameAndSharesTheLanguageModel(string name, FeatureReduction reduction)
    {
        TrainingSettings settings = Preset(name).Apply(Common with { Classifier = Common.Classifier with { MaxLength = 500, LearningRate = 0.02, ClassWeights = ClassWeighting.Balanced } }, Rows).Validated();

        Assert.Equal((Ulmfit.Training.Method.Features, reduction, 500, ClassWeighting.Balanced), (settings.Method, settings.Features.Reduction, settings.Classifier.MaxLength, settings.Classifier.ClassWeights));
        Assert.Equal(Preset("ulmfit").Apply(Common, Rows).LanguageModel, settings.LanguageModel);
        Assert.Equal(Preset("ulmfit").Apply(Common, Rows).Features, Preset("ulmfit").Apply(settings, Rows).Features);
    }

    [Fact]
    public void Lstm_SettingsOfDataAndLoss_StayAndTheRestIsItsOwn()
    {
        TrainingSettings common = Common with
        {
            Seed = 9, Directions = Directions.Backward, MinimumCount = 5,
            Classifier = Common.Classifier with { Batch = 16, LabelSmoothing = 0.1, ClassWeights = ClassWeighting.Balanced, LearningRate = 0.02, HeadHiddenSize = 9 },
        };
        TrainingSettings settings = Preset("lstm").Apply(common, Rows).Validated();

        Assert.Equal((9UL, Directions.Backward, 5, 16, 0.1, ClassWeighting.Balanced), (settings.Seed, settings.Directions, settings.MinimumCount, settings.Classifier.Batch, settings.Classifier.LabelSmoothing, settings.Classifier.ClassWeights));
        Assert.Equal("Constant: classifier 10 ### 0.001", PhaseOf(settings, StageKind.Classifier));
        Assert.Equal(Ulmfit.Training.Method.Ulmfit, Preset("ulmfit").Apply(settings, Rows).Method);
    }

    [Fact]
    public void Usual_EveryName_IsAPreset() => Assert.All(ComparisonPreset.Usual, name => Assert.NotNull(Preset(name)));

    private static IEnumerable<ComparisonPreset> Trained => ComparisonPreset.All.Where(preset => !preset.Name.StartsWith("features", StringComparison.Ordinal));

    private static ComparisonPreset Preset(string name) => Assert.Single(ComparisonPreset.All, preset => preset.Name == name);

    private static TrainingSettings InCommon(TrainingSettings settings) => InCommon(settings, Small);

    private static TrainingSettings InCommon(TrainingSettings settings, AwdLstmConfig? pretrained) => ComparisonPreset.InCommon(settings, pretrained, Rows, Tokens);

    private static StagePlan PlanOf(TrainingSettings settings) => StagePlan.Of(settings, layers: settings.Method == Ulmfit.Training.Method.Lstm ? 1 : 3, settings.Pretrained != TrainingSettings.NoPretrained, Rows, Tokens);

    private static string PhaseOf(TrainingSettings settings, StageKind phase)
    {
        Stage[] stages = [.. PlanOf(settings).Stages.Where(stage => stage.Kind == phase)];
        string schedule = settings.ScheduleOf(phase, 100).GetType().Name.Replace("Schedule", "", StringComparison.Ordinal);
        return stages.Length == 0 ? "" : $"{schedule}: " + string.Join("; ", stages.Select(stage =>
            $"{stage.Name} {stage.Epochs} {string.Concat(stage.TrainedGroups.Select(trained => trained ? '#' : '.'))} {RatesOf(stage.LearningRates)}"));
    }

    private static string RatesOf(IReadOnlyList<double> rates)
    {
        double top = rates[^1];
        int groups = rates.Count;
        bool Are(Func<int, double> expected) => rates.Select((rate, group) => Math.Abs(rate - expected(group)) < 1e-12).All(near => near);
        string text = top.ToString("0.####", CultureInfo.InvariantCulture);
        return Are(_ => top) ? text
            : Are(group => top / Math.Pow(2.6, groups - 1 - group)) ? text + "/2.6"
            : Are(group => top / Math.Pow(1.25, groups - 1 - group)) ? text + "/1.25"
            : Are(group => group == groups - 1 ? top : top / 10) ? text + "·0.1"
            : string.Join(',', rates);
    }
}
