using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Training;

/// <summary>
/// The plain LSTM classifier from scratch, the usual one before transfer learning and what ULMFiT is compared with: embedding,
/// one LSTM layer, its state after the last token, a linear layer. Adam at a constant rate on all weights from the first
/// epoch on; no language model, no dropout, no BatchNorm, no unfreezing, no clipping, no weight decay. Gradients go back
/// through whole documents, unless settings cut them into chunks (as they do of themselves where one has more than 10,000 tokens).
/// </summary>
public static class PlainLstm
{
    /// <summary>Width of the embedding.</summary>
    public const int EmbeddingSize = 100;

    /// <summary>Width of the LSTM layer.</summary>
    public const int HiddenSize = 200;

    /// <summary>Epochs, unless settings say otherwise.</summary>
    public const int Epochs = 10;

    /// <summary>Learning rate, unless settings say otherwise.</summary>
    public const double LearningRate = 1e-3;

    /// <summary>Adam's β1 (Kingma &amp; Ba 2015).</summary>
    public const float Beta1 = 0.9f;

    /// <summary>Adam's β2.</summary>
    public const float Beta2 = 0.999f;

    /// <summary>Adam's ε.</summary>
    public const float Epsilon = 1e-8f;

    private const string StageName = "classifier";

    /// <summary>Its architecture.</summary>
    /// <param name="vocabularySize">Tokens of the vocabulary.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="settings">Classifier settings.</param>
    internal static ClassifierConfig Config(int vocabularySize, int classes, ClassifierSettings settings) =>
        ClassifierConfig.LastState(new AwdLstmConfig(vocabularySize, EmbeddingSize, HiddenSize, Layers: 1) { ProjectsToEmbedding = false }, classes) with
        {
            ChunkLength = settings.ChunkLength ?? ClassifierSettings.LongestChunk,
        };

    /// <summary>Its one stage, in which all groups are trained.</summary>
    /// <param name="groups">Number of parameter groups.</param>
    /// <param name="settings">Classifier settings.</param>
    internal static Stage Stage(int groups, ClassifierSettings settings) => new(
        StageName, StageKind.Classifier, settings.TotalEpochs ?? settings.Epochs ?? Epochs, GradualUnfreezing.TopGroups(groups, groups), DiscriminativeLearningRates.Of(settings.LearningRate ?? LearningRate, groups, 1));

    /// <summary>An optimiser step with its moments' decay.</summary>
    internal static OptimizerStep Adam(OptimizerStep step) => step with { Beta1 = Beta1, Beta2 = Beta2, Epsilon = Epsilon };

    /// <summary>Refuses what other methods are told and this one has no use for.</summary>
    internal static void Check(TrainingSettings settings, Action<bool, string, string> check)
    {
        const string With = "with the method \"lstm\": ";
        TrainingSettings defaults = TrainingSettings.Default;
        ClassifierSettings classifier = settings.Classifier;
        check(settings.Pretrained == TrainingSettings.NoPretrained, "pretrained", $"must be \"none\" {With}it is trained from random weights");
        check(settings.From is null, "from", $"must be left out {With}it is trained from random weights");
        check(settings.Size == defaults.Size, "size", $"must be left out {With}its sizes are its own, embedding {EmbeddingSize} and hidden {HiddenSize}");
        check(settings.Strategy is Strategy.Gradual or Strategy.Full, "strategy", $"must be left out {With}all of it is trained from the first epoch on");
        check(settings.Discriminative != true, "discriminative", $"must be left out {With}all of it learns at one rate");
        check(settings.DiscriminativeFactor is null, "discriminativeFactor", $"must be left out {With}all of it learns at one rate");
        check(IsLeftOut(settings.LanguageModel), "languageModel", $"must be left out {With}it has no language model");
        check(classifier.Discriminative != true, "classifier.discriminative", $"must be left out {With}all of it learns at one rate");
        check(classifier.DiscriminativeFactor is null, "classifier.discriminativeFactor", $"must be left out {With}all of it learns at one rate");
        check(classifier.DropMultiplier == 0 || classifier.DropMultiplier == defaults.Classifier.DropMultiplier, "classifier.dropMultiplier", $"must be left out {With}it has no dropout");
        check(classifier.HeadHiddenSize == defaults.Classifier.HeadHiddenSize, "classifier.headHiddenSize", $"must be left out {With}its head has no hidden layer");
        check(classifier.MaxLength == defaults.Classifier.MaxLength, "classifier.maxLength", $"must be left out {With}it pools nothing but takes the last state");
    }

    // To say that there is none of it is as good as to say nothing.
    private static bool IsLeftOut(LanguageModelSettings settings) =>
        settings.FineTune != true && settings.Discriminative != true && settings with { FineTune = null, Discriminative = null } == new LanguageModelSettings();
}
