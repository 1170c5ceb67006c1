using Ulmfit.Model;
using Ulmfit.Text;

namespace Ulmfit.Training;

/// <summary>A language model that training starts from.</summary>
/// <param name="Config">Its architecture; its vocabulary size is that of <paramref name="Vocabulary"/>.</param>
/// <param name="Vocabulary">Its vocabulary.</param>
/// <param name="Forward">Its forward weights.</param>
/// <param name="Backward">Its backward weights, if there are any.</param>
/// <param name="Digest">What identifies it in a model's lineage.</param>
public sealed record PretrainedModel(AwdLstmConfig Config, Vocabulary Vocabulary, StateDict Forward, StateDict? Backward, string Digest)
{
    /// <summary>The model made of weights in fastai's names; the architecture is read off their shapes.</summary>
    /// <exception cref="InvalidDataException">A tensor is missing, or its shape does not fit the others or the vocabulary.</exception>
    public static PretrainedModel Of(Vocabulary vocabulary, StateDict forward, StateDict? backward)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        ArgumentNullException.ThrowIfNull(forward);
        AwdLstmConfig config = ConfigOf(forward, vocabulary.Count);
        Check(forward, config);
        string digest = vocabulary.Digest + WeightsDigest.Of(forward);
        if (backward is not null)
        {
            Check(backward, config);
            digest += WeightsDigest.Of(backward);
        }

        return new PretrainedModel(config, vocabulary, forward, backward, WeightsDigest.OfText(digest));
    }

    /// <summary>The weights of one direction.</summary>
    /// <exception cref="InvalidOperationException">The model has no backward weights.</exception>
    public StateDict WeightsOf(Direction direction) => direction == Direction.Forward
        ? Forward
        : Backward ?? throw new InvalidOperationException("The pretrained model has no backward weights: add backward.safetensors to it or set \"directions\" to \"forward\".");

    /// <summary>
    /// The weights of one direction for another vocabulary: known words keep their row, new ones get the mean row and
    /// the mean bias (Howard &amp; Ruder 2018, 3.2; fastai's <c>match_embeds</c>).
    /// </summary>
    public StateDict WeightsFor(Vocabulary vocabulary, Direction direction)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        var transfer = new VocabularyTransfer(Vocabulary, vocabulary);
        string embedding = AwdLstmNames.Embedding(AwdLstmNames.LanguageModelEncoder);
        var weights = new StateDict();
        foreach ((string name, Tensor tensor) in WeightsOf(direction))
        {
            weights[name] = name == embedding ? new Tensor([vocabulary.Count, Config.EmbeddingSize], transfer.TransferRows(tensor.Data, Config.EmbeddingSize))
                : name == AwdLstmNames.DecoderBias ? new Tensor([vocabulary.Count], transfer.TransferRows(tensor.Data, 1))
                : tensor;
        }

        return weights;
    }

    private static AwdLstmConfig ConfigOf(StateDict weights, int vocabulary)
    {
        const string Encoder = AwdLstmNames.LanguageModelEncoder;
        int layers = 0;
        while (weights.Contains(AwdLstmNames.HiddenWeight(Encoder, layers)))
        {
            layers++;
        }

        if (layers == 0 || !weights.TryGet(AwdLstmNames.Embedding(Encoder), out Tensor? embedding) || embedding.Shape.Count != 2)
        {
            throw new InvalidDataException($"The weights are not those of an AWD-LSTM language model in fastai's names: '{AwdLstmNames.Embedding(Encoder)}' or '{AwdLstmNames.HiddenWeight(Encoder, 0)}' is missing.");
        }

        Tensor hidden = weights[AwdLstmNames.HiddenWeight(Encoder, 0)];
        return new AwdLstmConfig(vocabulary, embedding.Shape[1], hidden.Shape[^1], layers);
    }

    private static void Check(StateDict weights, AwdLstmConfig config)
    {
        const string Encoder = AwdLstmNames.LanguageModelEncoder;
        weights.Require(AwdLstmNames.Embedding(Encoder), config.VocabularySize, config.EmbeddingSize);
        weights.Require(AwdLstmNames.DecoderBias, config.VocabularySize);
        for (int layer = 0; layer < config.Layers; layer++)
        {
            int output = config.OutputSizeOf(layer), gates = 4 * output;
            weights.Require(AwdLstmNames.InputWeight(Encoder, layer), gates, config.InputSizeOf(layer));
            weights.Require(AwdLstmNames.HiddenWeight(Encoder, layer), gates, output);
            weights.Require(AwdLstmNames.InputBias(Encoder, layer), gates);
            weights.Require(AwdLstmNames.HiddenBias(Encoder, layer), gates);
        }
    }
}
