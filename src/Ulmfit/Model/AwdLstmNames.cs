namespace Ulmfit.Model;

/// <summary>
/// fastai's names and PyTorch's shapes of every weight. Gates lie in PyTorch's order i, f, g, o, each <c>output</c>
/// rows. A language model is <c>0.*</c> and <c>1.decoder.*</c>; a classifier <c>0.module.*</c> and
/// <c>1.layers.*</c>, or <c>1.linear.*</c> with <see cref="HeadKind.LastState"/>.
/// </summary>
public static class AwdLstmNames
{
    /// <summary>Prefix of the encoder in a language model.</summary>
    public const string LanguageModelEncoder = "0.";

    /// <summary>Prefix of the encoder in a classifier.</summary>
    public const string ClassifierEncoder = "0.module.";

    /// <summary>Bias of the tied decoder: <c>[vocabulary]</c>.</summary>
    public const string DecoderBias = "1.decoder.bias";

    /// <summary>Embedding, and by tying the decoder's weight: <c>[vocabulary, embedding]</c>.</summary>
    public static string Embedding(string encoder) => encoder + "encoder.weight";

    /// <summary>Input weights of a layer: <c>[4·output, input]</c>.</summary>
    public static string InputWeight(string encoder, int layer) => $"{encoder}rnns.{layer}.module.weight_ih_l0";

    /// <summary>Hidden-to-hidden weights of a layer before weight drop: <c>[4·output, output]</c>.</summary>
    public static string HiddenWeight(string encoder, int layer) => $"{encoder}rnns.{layer}.weight_hh_l0_raw";

    /// <summary>Input bias of a layer: <c>[4·output]</c>.</summary>
    public static string InputBias(string encoder, int layer) => $"{encoder}rnns.{layer}.module.bias_ih_l0";

    /// <summary>Hidden bias of a layer: <c>[4·output]</c>.</summary>
    public static string HiddenBias(string encoder, int layer) => $"{encoder}rnns.{layer}.module.bias_hh_l0";

    /// <summary>Scale of BatchNorm in head block 0 or 1: <c>[features]</c>.</summary>
    public static string BatchNormWeight(int block) => $"1.layers.{block}.0.weight";

    /// <summary>Shift of BatchNorm in head block 0 or 1: <c>[features]</c>.</summary>
    public static string BatchNormBias(int block) => $"1.layers.{block}.0.bias";

    /// <summary>Running mean of BatchNorm in head block 0 or 1: <c>[features]</c>.</summary>
    public static string RunningMean(int block) => $"1.layers.{block}.0.running_mean";

    /// <summary>Running (unbiased) variance of BatchNorm in head block 0 or 1: <c>[features]</c>.</summary>
    public static string RunningVariance(int block) => $"1.layers.{block}.0.running_var";

    /// <summary>Linear layer of head block 0, <c>[hidden, 3·embedding]</c>, or 1, <c>[classes, hidden]</c>; it has no bias.</summary>
    public static string Linear(int block) => $"1.layers.{block}.2.weight";

    /// <summary>Linear layer of a head of <see cref="HeadKind.LastState"/>: <c>[logits, output]</c>.</summary>
    public const string OutputWeight = "1.linear.weight";

    /// <summary>Bias of that layer: <c>[logits]</c>.</summary>
    public const string OutputBias = "1.linear.bias";

    /// <summary>The trained weights of a head, without running statistics.</summary>
    public static IReadOnlyList<string> HeadWeights(HeadKind head) => head == HeadKind.LastState ? [OutputWeight, OutputBias]
        : head == HeadKind.Features ? [FeatureNames.Weight, FeatureNames.Bias]
        : [.. Enumerable.Range(0, 2).SelectMany(block => new[] { BatchNormWeight(block), BatchNormBias(block), Linear(block) })];

    /// <summary>Whether decoupled weight decay applies: not to biases nor to BatchNorm (fastai's <c>wd_bn_bias=False</c>).</summary>
    public static bool HasWeightDecay(string weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        return !weight.Contains("bias", StringComparison.Ordinal) && !weight.EndsWith(".0.weight", StringComparison.Ordinal);
    }

    /// <summary>The encoder of a language model under the names that it has in a classifier, shared and not copied.</summary>
    public static StateDict EncoderForClassifier(StateDict languageModel)
    {
        ArgumentNullException.ThrowIfNull(languageModel);
        var encoder = new StateDict();
        foreach ((string name, Tensor tensor) in languageModel)
        {
            if (name.StartsWith(LanguageModelEncoder, StringComparison.Ordinal))
            {
                encoder[ClassifierEncoder + name[LanguageModelEncoder.Length..]] = tensor;
            }
        }

        return encoder;
    }
}
