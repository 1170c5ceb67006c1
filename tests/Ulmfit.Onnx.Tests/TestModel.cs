using Ulmfit.Model;
using Ulmfit.Text;

namespace Ulmfit.Onnx.Tests;

/// <summary>Classifiers of random weights, large enough that the classes' probabilities differ from document to document.</summary>
internal static class TestModel
{
    public static ClassifierConfig Config(int vocabulary = 60, int embedding = 12, int hidden = 20, int layers = 3, int headHidden = 9, int classes = 4, int maxLength = 1440) =>
        new(new AwdLstmConfig(vocabulary, embedding, hidden, layers), headHidden, classes) { MaxLength = maxLength };

    /// <summary>A plain LSTM classifier, whose layers are all <paramref name="hidden"/> wide.</summary>
    public static ClassifierConfig LastStateConfig(int vocabulary = 60, int embedding = 12, int hidden = 20, int layers = 1, int classes = 2) =>
        ClassifierConfig.LastState(new AwdLstmConfig(vocabulary, embedding, hidden, layers) { ProjectsToEmbedding = false }, classes);

    /// <summary>A classifier of features, with a projection.</summary>
    public static ClassifierConfig FeaturesConfig(int vocabulary = 60, int embedding = 12, int hidden = 20, int layers = 3, int classes = 4, int maxLength = 1440) =>
        ClassifierConfig.Features(new AwdLstmConfig(vocabulary, embedding, hidden, layers), classes) with { MaxLength = maxLength };

    public static DirectionWeights Direction(ClassifierConfig config, int seed)
    {
        var random = new Random(seed);
        AwdLstmConfig encoder = config.Encoder;
        const string Prefix = AwdLstmNames.ClassifierEncoder;
        var weights = new StateDict { [AwdLstmNames.Embedding(Prefix)] = Uniform(random, -1f, 1f, encoder.VocabularySize, encoder.EmbeddingSize) };
        for (int layer = 0; layer < encoder.Layers; layer++)
        {
            int input = encoder.InputSizeOf(layer), output = encoder.OutputSizeOf(layer);
            float bound = 2f / MathF.Sqrt(output);
            weights[AwdLstmNames.InputWeight(Prefix, layer)] = Uniform(random, -bound, bound, 4 * output, input);
            weights[AwdLstmNames.HiddenWeight(Prefix, layer)] = Uniform(random, -bound, bound, 4 * output, output);
            weights[AwdLstmNames.InputBias(Prefix, layer)] = Uniform(random, -bound, bound, 4 * output);
            weights[AwdLstmNames.HiddenBias(Prefix, layer)] = Uniform(random, -bound, bound, 4 * output);
        }

        if (config.Head == HeadKind.LastState)
        {
            weights[AwdLstmNames.OutputWeight] = Uniform(random, -1f, 1f, config.Logits, config.PooledSize);
            weights[AwdLstmNames.OutputBias] = Uniform(random, -1f, 1f, config.Logits);
            return new DirectionWeights(config, weights);
        }

        if (config.Head == HeadKind.Features)
        {
            const int Components = 5;
            float spread = 1f / MathF.Sqrt(config.PooledSize);
            weights[FeatureNames.Mean] = Uniform(random, -0.2f, 0.2f, config.PooledSize);
            weights[FeatureNames.Deviation] = Uniform(random, 0.2f, 1.2f, config.PooledSize);
            weights[FeatureNames.Projection] = Uniform(random, -spread, spread, Components, config.PooledSize);
            weights[FeatureNames.Weight] = Uniform(random, -1f, 1f, config.Classes, Components);
            weights[FeatureNames.Bias] = Uniform(random, -1f, 1f, config.Classes);
            return new DirectionWeights(config, weights);
        }

        (int Inputs, int Outputs)[] blocks = [(config.PooledSize, config.HeadHiddenSize), (config.HeadHiddenSize, config.Classes)];
        for (int block = 0; block < blocks.Length; block++)
        {
            (int inputs, int outputs) = blocks[block];
            weights[AwdLstmNames.BatchNormWeight(block)] = Uniform(random, 0.5f, 1.5f, inputs);
            weights[AwdLstmNames.BatchNormBias(block)] = Uniform(random, -0.3f, 0.3f, inputs);
            weights[AwdLstmNames.RunningMean(block)] = Uniform(random, -0.2f, 0.2f, inputs);
            weights[AwdLstmNames.RunningVariance(block)] = Uniform(random, 0.2f, 1.2f, inputs);
            float bound = 1f / MathF.Sqrt(inputs);
            weights[AwdLstmNames.Linear(block)] = Uniform(random, -bound, bound, outputs, inputs);
        }

        return new DirectionWeights(config, weights);
    }

    public static string[] Labels(int classes) => [.. Enumerable.Range(0, classes).Select(i => $"label {i}")];

    public static byte[] Write(DirectionWeights? forward, DirectionWeights? backward, double temperature) => Write(forward, backward, OnnxPrecision.Float32, temperature);

    public static byte[] Write(DirectionWeights? forward, DirectionWeights? backward, OnnxPrecision precision = OnnxPrecision.Float32, double temperature = 1)
    {
        using var file = new MemoryStream();
        string[] labels = Labels((forward ?? backward)!.Config.Classes);
        var metadata = new OnnxModelMetadata(labels, "tests", new Dictionary<string, string>()) { Temperature = temperature };
        if (precision == OnnxPrecision.Int8)
        {
            OnnxClassifierWriter.WriteInt8(file, forward, backward, metadata);
        }
        else
        {
            OnnxClassifierWriter.Write(file, forward, backward, metadata);
        }

        return file.ToArray();
    }

    public static OnnxTextClassifier Load(
        DirectionWeights? forward,
        DirectionWeights? backward,
        OnnxClassifierOptions? options = null,
        OnnxPrecision precision = OnnxPrecision.Float32,
        ClassificationWorkers? workers = null)
    {
        ClassifierConfig config = (forward ?? backward)!.Config;
        return OnnxTextClassifier.Load(Write(forward, backward, precision), Vocabulary(config.Encoder.VocabularySize), Labels(config.Classes), options, workers);
    }

    /// <summary>A small classifier of both directions.</summary>
    public static OnnxTextClassifier LoadSmall(OnnxClassifierOptions? options = null) => Load(Direction(Config(), 1), Direction(Config(), 2), options);

    /// <summary>The special tokens, then the words w0, w1, … up to <paramref name="size"/> tokens.</summary>
    public static Vocabulary Vocabulary(int size) =>
        Text.Vocabulary.FromTokens([.. SpecialTokens.All, .. Enumerable.Range(0, size - SpecialTokens.Count).Select(i => $"w{i}")]);

    public static int[] Document(Random random, int length, int vocabulary)
    {
        int[] document = new int[length];
        foreach (ref int token in document.AsSpan())
        {
            token = random.Next(vocabulary);
        }

        return document;
    }

    private static Tensor Uniform(Random random, float low, float high, params int[] shape)
    {
        var tensor = Tensor.Zeros(shape);
        foreach (ref float value in tensor.Data.AsSpan())
        {
            value = low + ((high - low) * random.NextSingle());
        }

        return tensor;
    }
}
