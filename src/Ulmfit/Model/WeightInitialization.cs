namespace Ulmfit.Model;

/// <summary>
/// Initial weights as fastai and PyTorch draw them: the embedding uniform in ±0.1, LSTM weights and biases uniform in
/// ±1/√hidden, linear layers uniform in ±1/√inputs, BatchNorm at the identity.
/// </summary>
public static class WeightInitialization
{
    /// <summary>A language model. The padding row is zero, the decoder's bias too.</summary>
    /// <exception cref="ArgumentException">The last layer is not as wide as the embedding, to which the decoder is tied.</exception>
    public static StateDict LanguageModel(AwdLstmConfig config, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(config);
        if (!config.ProjectsToEmbedding)
        {
            throw new ArgumentException($"A language model's last layer is as wide as its embedding, {config.EmbeddingSize}, to which its decoder is tied.", nameof(config));
        }

        StateDict state = Encoder(config, seed, AwdLstmNames.LanguageModelEncoder);
        state.Add(AwdLstmNames.DecoderBias, Tensor.Zeros(config.VocabularySize));
        return state;
    }

    /// <summary>A classifier from scratch: encoder and head.</summary>
    public static StateDict Classifier(ClassifierConfig config, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(config);
        StateDict state = Encoder(config.Encoder, seed, AwdLstmNames.ClassifierEncoder);
        foreach ((string name, Tensor tensor) in Head(config, seed))
        {
            state.Add(name, tensor);
        }

        return state;
    }

    /// <summary>The head of a classifier, without the encoder.</summary>
    public static StateDict Head(ClassifierConfig config, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(config);
        const int FirstStream = 1000;
        var state = new StateDict();
        if (config.Head == HeadKind.Features)
        {
            // It is fitted, which begins with nothing.
            return state;
        }

        if (config.Head == HeadKind.LastState)
        {
            float bound = 1f / MathF.Sqrt(config.PooledSize);
            state.Add(AwdLstmNames.OutputWeight, Uniform(seed, FirstStream, bound, config.Logits, config.PooledSize));
            state.Add(AwdLstmNames.OutputBias, Uniform(seed, FirstStream + 1, bound, config.Logits));
            return state;
        }

        (int Inputs, int Outputs)[] blocks = [(config.PooledSize, config.HeadHiddenSize), (config.HeadHiddenSize, config.Classes)];
        for (int block = 0; block < blocks.Length; block++)
        {
            (int inputs, int outputs) = blocks[block];
            state.Add(AwdLstmNames.BatchNormWeight(block), Constant(1f, inputs));
            state.Add(AwdLstmNames.BatchNormBias(block), Tensor.Zeros(inputs));
            state.Add(AwdLstmNames.RunningMean(block), Tensor.Zeros(inputs));
            state.Add(AwdLstmNames.RunningVariance(block), Constant(1f, inputs));
            state.Add(AwdLstmNames.Linear(block), Uniform(seed, FirstStream + block, 1f / MathF.Sqrt(inputs), outputs, inputs));
        }

        return state;
    }

    private static StateDict Encoder(AwdLstmConfig config, ulong seed, string prefix)
    {
        config.Validated();
        var state = new StateDict();
        Tensor embedding = Uniform(seed, 0, 0.1f, config.VocabularySize, config.EmbeddingSize);
        embedding.Data.AsSpan(Text.SpecialTokens.PaddingId * config.EmbeddingSize, config.EmbeddingSize).Clear();
        state.Add(AwdLstmNames.Embedding(prefix), embedding);
        for (int layer = 0; layer < config.Layers; layer++)
        {
            int output = config.OutputSizeOf(layer), gates = 4 * output, stream = 1 + (4 * layer);
            float bound = 1f / MathF.Sqrt(output);
            state.Add(AwdLstmNames.InputWeight(prefix, layer), Uniform(seed, stream, bound, gates, config.InputSizeOf(layer)));
            state.Add(AwdLstmNames.HiddenWeight(prefix, layer), Uniform(seed, stream + 1, bound, gates, output));
            state.Add(AwdLstmNames.InputBias(prefix, layer), Uniform(seed, stream + 2, bound, gates));
            state.Add(AwdLstmNames.HiddenBias(prefix, layer), Uniform(seed, stream + 3, bound, gates));
        }

        return state;
    }

    private static Tensor Constant(float value, int length)
    {
        Tensor tensor = Tensor.Zeros(length);
        tensor.Data.AsSpan().Fill(value);
        return tensor;
    }

    private static Tensor Uniform(ulong seed, int stream, float bound, params int[] shape)
    {
        var random = new Philox(new RandomKey(seed, 0, 0, 0), RandomPurpose.Initialisation, stream);
        Tensor tensor = Tensor.Zeros(shape);
        for (int i = 0; i < tensor.Data.Length; i++)
        {
            tensor.Data[i] = ((2f * random.Uniform(i)) - 1f) * bound;
        }

        return tensor;
    }
}
