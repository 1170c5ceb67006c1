using Ulmfit.Training;

namespace Ulmfit.Tests.Training;

public sealed class ClassWeightsTests
{
    private static readonly string[] Labels = ["ham", "phish", "spam"];

    // Six rows of ham, two of phish, four of spam.
    private static readonly Document[] Rows = [.. Enumerable.Range(0, 12).Select(i => new Document([2], i < 6 ? 0 : i < 8 ? 1 : 2))];

    [Fact]
    public void Of_NoWeights_IsNull() => Assert.Null(ClassWeights.Of(new ClassifierSettings(), Labels, Rows));

    // sklearn.utils.class_weight.compute_class_weight("balanced", ...): rows / (classes * rows of the class)
    [Fact]
    public void Of_Balanced_IsTheInverseShareOfTheRows() =>
        Assert.Equal([12f / 18, 12f / 6, 12f / 12], ClassWeights.Of(new ClassifierSettings { ClassWeights = ClassWeighting.Balanced }, Labels, Rows)!);

    [Fact]
    public void Of_LabelWeights_AreOneWhereNoneIsGivenAndMultiplyTheBalance()
    {
        var own = new Dictionary<string, double> { ["spam"] = 2.5 };

        Assert.Equal([1f, 1f, 2.5f], ClassWeights.Of(new ClassifierSettings { LabelWeights = own }, Labels, Rows)!);
        Assert.Equal([12f / 18, 2f, 2.5f], ClassWeights.Of(new ClassifierSettings { LabelWeights = own, ClassWeights = ClassWeighting.Balanced }, Labels, Rows)!);
    }

    // Six of ham and four of spam are left: 10 / (3 · 6) and 10 / (3 · 4).
    [Fact]
    public void Of_ClassWithoutARow_WeighsNothing() =>
        Assert.Equal([10f / 18, 0f, 10f / 12], ClassWeights.Of(new ClassifierSettings { ClassWeights = ClassWeighting.Balanced }, Labels, [.. Rows.Where(row => row.Label != 1)])!);

    [Fact]
    public void Of_WeightOfAnUnknownLabel_NamesItAndTheLabelsThereAre()
    {
        var settings = new ClassifierSettings { LabelWeights = new Dictionary<string, double> { ["spam"] = 1, ["spamm"] = 2 } };

        SettingsError error = Assert.Single(Assert.Throws<TrainingSettingsException>(() => ClassWeights.Of(settings, Labels, Rows)).Errors);

        Assert.Equal("classifier.labelWeights.spamm", error.Path);
        Assert.Contains("ham, phish, spam", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_LabelWeights_AreReadAndChecked()
    {
        TrainingSettings settings = TrainingSettings.Parse("""{"classifier": {"labelWeights": {"Spam": 2, "ham": 0.5}}}""");

        Assert.Equal(2, settings.Classifier.LabelWeights!["Spam"]);
        Assert.Equal(settings.ToJson(), TrainingSettings.Parse(settings.ToJson()).ToJson());
        var exception = Assert.Throws<TrainingSettingsException>(() => TrainingSettings.Parse("""{"classifier": {"labelWeights": {"spam": 0}}}"""));
        Assert.Equal("classifier.labelWeights.spam", Assert.Single(exception.Errors).Path);
    }
}
