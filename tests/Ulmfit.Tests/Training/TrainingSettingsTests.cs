using Ulmfit.Training;

namespace Ulmfit.Tests.Training;

public sealed class TrainingSettingsTests
{
    [Fact]
    public void Parse_EmptyObject_GivesTheDefaults() => Assert.Equal(TrainingSettings.Default, TrainingSettings.Parse("{}"));

    [Theory]
    [InlineData("{}", "en-small")]
    [InlineData("""{"pretrained": "none"}""", "none")]
    [InlineData("""{"pretrained": "wiki"}""", "wiki")]
    [InlineData("""{"method": "lstm"}""", "none")]
    public void Parse_Pretrained_IsTheModelThatShipsUnlessItIsSaidOtherwise(string json, string pretrained) => Assert.Equal(pretrained, TrainingSettings.Parse(json).Pretrained);

    [Fact]
    public void Parse_ItsOwnJson_GivesTheSameSettings()
    {
        TrainingSettings settings = TrainingSettings.Default with
        {
            Seed = 7, Strategy = Strategy.ChainThaw, Schedule = ScheduleKind.OneCycle, Directions = Directions.Backward, SliceSteps = 3,
            Classifier = new ClassifierSettings { Epochs = 2, ClassWeights = ClassWeighting.Balanced },
        };

        Assert.Equal(settings, TrainingSettings.Parse(settings.ToJson()));
    }

    [Fact]
    public void Parse_MethodLstmWithWhatItHasAUseFor_GivesThoseSettingsAndThemAgain()
    {
        var settings = TrainingSettings.Parse(
            """
            {"method": "lstm", "schedule": "cosine", "discriminative": false, "languageModel": {"fineTune": false},
             "classifier": {"epochs": 3, "learningRate": 0.002, "batch": 16, "weightDecay": 0.1, "clipNorm": 1, "chunkLength": 50, "dropMultiplier": 0, "classWeights": "balanced"}}
            """);

        Assert.Equal(Method.Lstm, settings.Method);
        Assert.Equal(settings, TrainingSettings.Parse(settings.ToJson()));
        Assert.Equal(TrainingSettings.Default with { Method = Method.Lstm, Pretrained = "none" }, TrainingSettings.Parse((TrainingSettings.Default with { Method = Method.Lstm }).ToJson()));
    }

    [Theory]
    [InlineData("""{"strategy": "chain-thaw", "schedule": "stlr", "directions": "forward"}""", Strategy.ChainThaw)]
    [InlineData("""{"strategy": "last"}""", Strategy.Last)]
    public void Parse_NamesOfTheField_AreUnderstood(string json, Strategy strategy) => Assert.Equal(strategy, TrainingSettings.Parse(json).Strategy);

    [Theory]
    [InlineData("""{"learningrate": 1}""", "learningrate")]
    [InlineData("""{"sliceMinutes": 1e999}""", "sliceMinutes")]
    [InlineData("""{"languageModel": {"clipNorm": 1e999}}""", "languageModel.clipNorm")]
    [InlineData("""{"classifier": {"clipNorm": 1e999}}""", "classifier.clipNorm")]
    [InlineData("""{"classifier": {"learningRate": 7}}""", "classifier.learningRate")]
    [InlineData("""{"classifier": {"batch": 1}}""", "classifier.batch")]
    [InlineData("""{"strategy": "graduall"}""", "strategy")]
    [InlineData("""{"seed": -1}""", "seed")]
    [InlineData("""{"heldOutFraction": 0}""", "heldOutFraction")]
    [InlineData("""{"languageModel": null}""", "languageModel")]
    [InlineData("""{"strategy": "partial"}""", "freezeTo")]
    [InlineData("""{"strategy": "full", "freezeTo": -2}""", "freezeTo")]
    [InlineData("""{"languageModel": {"schedule": "stair"}}""", "languageModel.schedule")]
    [InlineData("""{"classifier": {"discriminativeFactor": 0.5}}""", "classifier.discriminativeFactor")]
    [InlineData("""{"method": "svm"}""", "method")]
    [InlineData("""{"method": "lstm", "pretrained": "wiki"}""", "pretrained")]
    [InlineData("""{"method": "lstm", "from": "champion"}""", "from")]
    [InlineData("""{"method": "lstm", "size": "base"}""", "size")]
    [InlineData("""{"method": "lstm", "strategy": "last"}""", "strategy")]
    [InlineData("""{"method": "lstm", "discriminative": true}""", "discriminative")]
    [InlineData("""{"method": "lstm", "discriminativeFactor": 3}""", "discriminativeFactor")]
    [InlineData("""{"method": "lstm", "languageModel": {"fineTune": true}}""", "languageModel")]
    [InlineData("""{"method": "lstm", "languageModel": {"epochs": 3}}""", "languageModel")]
    [InlineData("""{"method": "lstm", "classifier": {"discriminative": true}}""", "classifier.discriminative")]
    [InlineData("""{"method": "lstm", "classifier": {"discriminativeFactor": 3}}""", "classifier.discriminativeFactor")]
    [InlineData("""{"method": "lstm", "classifier": {"dropMultiplier": 1}}""", "classifier.dropMultiplier")]
    [InlineData("""{"method": "lstm", "classifier": {"headHiddenSize": 20}}""", "classifier.headHiddenSize")]
    [InlineData("""{"method": "lstm", "classifier": {"maxLength": 100}}""", "classifier.maxLength")]
    [InlineData("""{"report": {"hardestExamples": -1}}""", "report.hardestExamples")]
    [InlineData("""not json""", "")]
    [InlineData("null", "")]
    [InlineData("[]", "")]
    public void Parse_UnacceptableValue_NamesItsPath(string json, string path)
    {
        TrainingSettingsException exception = Assert.Throws<TrainingSettingsException>(() => TrainingSettings.Parse(json));

        Assert.Equal(path, Assert.Single(exception.Errors).Path);
    }

    [Fact]
    public void Validated_SeveralFaults_ListsThemAll()
    {
        TrainingSettings settings = TrainingSettings.Default with { HeldOutFraction = 2, MinimumCount = 0, Classifier = new ClassifierSettings { Epochs = 0 } };

        Assert.Equal(["heldOutFraction", "minimumCount", "classifier.epochs"], Assert.Throws<TrainingSettingsException>(settings.Validated).Errors.Select(error => error.Path));
    }
}
