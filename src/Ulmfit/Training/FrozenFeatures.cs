using Ulmfit.Features;
using Ulmfit.Model;

namespace Ulmfit.Training;

/// <summary>
/// Frozen features, the plainest transfer of a language model: its encoder is used as it is (pretrained, fine-tuned on the
/// task's text, or both) and a linear classifier is fitted to the pooled states of the training documents, optionally
/// after PCA or LDA. There is one stage of one epoch, and nothing in it depends on the seed.
/// </summary>
public static class FrozenFeatures
{
    private const string StageName = "features";

    /// <summary>Its one stage after the language model's. Of the groups the head alone is fitted; nothing has a learning rate.</summary>
    /// <param name="groups">Number of parameter groups.</param>
    internal static Stage Stage(int groups) => new(StageName, StageKind.Classifier, 1, GradualUnfreezing.TopGroups(groups, 1), new double[groups]);

    /// <summary>Its architecture.</summary>
    /// <param name="encoder">The language model's.</param>
    /// <param name="classes">Number of classes.</param>
    internal static ClassifierConfig Config(AwdLstmConfig encoder, int classes) => ClassifierConfig.Features(encoder, classes);

    /// <summary>How its classifier is fitted.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="classWeights">Weights of the classes; null for equal ones.</param>
    internal static LogisticRegressionOptions Regression(TrainingSettings settings, IReadOnlyList<float>? classWeights) =>
        new(settings.Features.L2) { ClassWeights = classWeights, LabelSmoothing = settings.Classifier.LabelSmoothing };

    /// <summary>Refuses what other methods are told and this one has no use for.</summary>
    internal static void Check(TrainingSettings settings, Action<bool, string, string> check)
    {
        const string With = "with the method \"features\": ", Fitted = "must be left out " + With + "its classifier is fitted, not trained step by step";
        ClassifierSettings given = settings.Classifier, defaults = TrainingSettings.Default.Classifier;
        check(settings.Strategy == Strategy.Gradual, "strategy", $"must be left out {With}no layer is unfrozen");
        check(given.Epochs is null, "classifier.epochs", Fitted);
        check(given.TotalEpochs is null, "classifier.totalEpochs", Fitted);
        check(given.EarlyStopping is null, "classifier.earlyStopping", Fitted);
        check(given.LearningRate is null, "classifier.learningRate", Fitted);
        check(given.Schedule is null, "classifier.schedule", Fitted);
        check(given.Discriminative is null or false, "classifier.discriminative", Fitted);
        check(given.DiscriminativeFactor is null, "classifier.discriminativeFactor", Fitted);
        check(given.Batch == defaults.Batch, "classifier.batch", Fitted);
        check(given.DropMultiplier == defaults.DropMultiplier, "classifier.dropMultiplier", Fitted);
        check(given.WeightDecay is null, "classifier.weightDecay", $"must be left out {With}its penalty is \"features.l2\"");
        check(given.ClipNorm is null, "classifier.clipNorm", Fitted);
        check(given.HeadHiddenSize == defaults.HeadHiddenSize, "classifier.headHiddenSize", $"must be left out {With}its classifier has no hidden layer");
    }
}
