using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.EngineContract;

/// <summary>Networks, batches and steps from a seed.</summary>
internal static class Samples
{
    /// <summary>Sizes that are no multiples of anything.</summary>
    public static AwdLstmConfig Encoder { get; } = new(VocabularySize: 61, EmbeddingSize: 19, HiddenSize: 37, Layers: 3);

    public static ClassifierConfig Classifier { get; } = new(Encoder, HeadHiddenSize: 11, Classes: 5) { ChunkLength = 6, MaxLength = 15 };

    /// <summary>Plain LSTMs, with one logit for two classes; documents are longer than a chunk.</summary>
    public static ClassifierOptions LastStateOptions(int classes, int layers = 1) =>
        new(ClassifierConfig.LastState(Encoder with { Layers = layers, ProjectsToEmbedding = false }, classes) with { ChunkLength = 13 }, Dropouts with { Output = 0f, Head = 0f })
        {
            ClassWeights = [.. Enumerable.Range(0, classes).Select(c => 1f / (c + 1))], LabelSmoothing = 0.1f,
        };

    public static DropoutRates Dropouts { get; } = new(Output: 0.2f, Hidden: 0.25f, Input: 0.3f, Embedding: 0.1f, Weight: 0.4f, Head: 0.15f);

    public static LanguageModelOptions LanguageModelOptions(int batch, int maxTime) => new(Encoder, Dropouts, batch, maxTime);

    public static ClassifierOptions ClassifierOptions => new(Classifier, Dropouts) { ClassWeights = [1f, 0.5f, 2f, 1.5f, 0.75f], LabelSmoothing = 0.1f };

    public static StateDict LanguageModel(AwdLstmConfig config, int seed = 1)
    {
        var random = new Random(seed);
        StateDict state = EncoderWeights(config, AwdLstmNames.LanguageModelEncoder, random);
        state[AwdLstmNames.DecoderBias] = Uniform(random, 0.2f, config.VocabularySize);
        return state;
    }

    public static StateDict ClassifierWeights(ClassifierConfig config, int seed = 1)
    {
        var random = new Random(seed);
        StateDict state = EncoderWeights(config.Encoder, AwdLstmNames.ClassifierEncoder, random);
        if (config.Head == HeadKind.LastState)
        {
            state[AwdLstmNames.OutputWeight] = Uniform(random, 0.4f, config.Logits, config.PooledSize);
            state[AwdLstmNames.OutputBias] = Uniform(random, 0.4f, config.Logits);
            return state;
        }

        foreach ((int block, int features, int outputs) in new[] { (0, config.PooledSize, config.HeadHiddenSize), (1, config.HeadHiddenSize, config.Classes) })
        {
            state[AwdLstmNames.BatchNormWeight(block)] = Uniform(random, 0.5f, 1f, features);
            state[AwdLstmNames.BatchNormBias(block)] = Uniform(random, 0.3f, features);
            state[AwdLstmNames.RunningMean(block)] = Uniform(random, 0.1f, features);
            state[AwdLstmNames.RunningVariance(block)] = Uniform(random, 0.2f, 0.6f, features);
            state[AwdLstmNames.Linear(block)] = Uniform(random, 0.4f, outputs, features);
        }

        return state;
    }

    public static LanguageModelBatch Window(AwdLstmConfig config, int time, int batch, int seed)
    {
        var random = new Random(seed);
        int[] tokens = [.. Enumerable.Range(0, time * batch).Select(_ => random.Next(config.VocabularySize))];
        int[] targets = [.. Enumerable.Range(0, time * batch).Select(_ => random.Next(config.VocabularySize))];
        bool[] reset = [.. Enumerable.Range(0, batch).Select(_ => random.Next(4) == 0)];
        return new LanguageModelBatch(time, batch, tokens, targets, reset);
    }

    public static ClassifierBatch Documents(ClassifierConfig config, int count, int longest, int seed)
    {
        var random = new Random(seed);
        int[][] documents = [.. Enumerable.Range(0, count)
            .Select(_ => Enumerable.Range(0, random.Next(1, longest + 1)).Select(_ => random.Next(config.Encoder.VocabularySize)).ToArray())
            .OrderByDescending(d => d.Length)];
        return new ClassifierBatch(documents, Enumerable.Range(0, count).Select(_ => random.Next(config.Classes)).ToArray());
    }

    public static OptimizerStep Step(int number, int groups, float clip = 0.3f, params int[] frozen) =>
        new(new RandomKey(42, 1, 2, number), number, [.. Enumerable.Range(0, groups).Select(g => new GroupStep(!frozen.Contains(g), 0.003f * (g + 1)))]) { ClipNorm = clip, WeightDecay = 0.02f };

    public static void AssertSameBits(StateDict expected, StateDict actual)
    {
        Assert.Equal(expected.Names, actual.Names);
        foreach ((string name, Tensor tensor) in expected)
        {
            Assert.Equal(tensor.Shape, actual[name].Shape);
            ReadOnlySpan<byte> a = System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(tensor.Data), b = System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(actual[name].Data);
            Assert.True(a.SequenceEqual(b), $"{name} differs.");
        }
    }

    private static StateDict EncoderWeights(AwdLstmConfig config, string prefix, Random random)
    {
        var state = new StateDict { { AwdLstmNames.Embedding(prefix), Uniform(random, 0.4f, config.VocabularySize, config.EmbeddingSize) } };
        for (int i = 0; i < config.Layers; i++)
        {
            int input = config.InputSizeOf(i), output = config.OutputSizeOf(i);
            float range = 1.5f / MathF.Sqrt(output);
            state[AwdLstmNames.InputWeight(prefix, i)] = Uniform(random, range, 4 * output, input);
            state[AwdLstmNames.HiddenWeight(prefix, i)] = Uniform(random, range, 4 * output, output);
            state[AwdLstmNames.InputBias(prefix, i)] = Uniform(random, range, 4 * output);
            state[AwdLstmNames.HiddenBias(prefix, i)] = Uniform(random, range, 4 * output);
        }

        return state;
    }

    private static Tensor Uniform(Random random, float range, params int[] shape) => Uniform(random, range, 0f, shape);

    private static Tensor Uniform(Random random, float range, float centre, params int[] shape)
    {
        Tensor tensor = Tensor.Zeros(shape);
        for (int i = 0; i < tensor.Data.Length; i++)
        {
            tensor.Data[i] = centre + (range * ((2f * random.NextSingle()) - 1f));
        }

        return tensor;
    }
}
