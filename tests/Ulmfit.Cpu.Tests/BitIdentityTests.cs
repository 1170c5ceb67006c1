using Ulmfit.Cpu.Kernels;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Cpu.Tests;

/// <summary>The invariant: the same calls give the same bits, whatever computes them.</summary>
public sealed class BitIdentityTests
{
    private const int Steps = 20;

    /// <summary>Sizes above a vector and a panel, none of them a multiple of either.</summary>
    private static readonly ClassifierConfig odd =
        new(new AwdLstmConfig(VocabularySize: 203, EmbeddingSize: 24, HiddenSize: 43, Layers: 2), HeadHiddenSize: 11, Classes: 5) { ChunkLength = 6, MaxLength = 20 };

    /// <summary>One thread and no vectors: what all others are held against.</summary>
    private static readonly Lazy<(StateDict State, StepResult[] Results, LossSum Loss)> scalarLanguageModel = new(() => OnScalars(TrainLanguageModel));
    private static readonly Lazy<(StateDict State, StepResult[] Results, float[] Probabilities)> scalarClassifier = new(() => OnScalars(TrainClassifier));
    private static readonly Lazy<(StateDict State, StepResult[] Results, float[] Probabilities)[]> scalarPlainLstms = new(() => OnScalars(TrainPlainLstms));

    public static TheoryData<string, int> Machines()
    {
        var data = new TheoryData<string, int>();
        foreach (KernelSet kernels in KernelSet.Supported())
        {
            foreach (int threads in new[] { 1, 2, 3, 4, 7 })
            {
                data.Add(kernels.Name, threads);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Machines))]
    public void LanguageModel_OnAnyThreadsAndInstructions_TrainsToTheSameBits(string instructions, int threads)
    {
        using var engine = new CpuTrainingEngine(threads, Named(instructions));
        (StateDict expected, StepResult[] expectedResults, LossSum expectedLoss) = scalarLanguageModel.Value;
        (StateDict actual, StepResult[] actualResults, LossSum actualLoss) = TrainLanguageModel(engine);
        Samples.AssertSameBits(expected, actual);
        Assert.Equal(expectedResults, actualResults);
        Assert.Equal(expectedLoss, actualLoss);
    }

    [Theory]
    [MemberData(nameof(Machines))]
    public void Classifier_OnAnyThreadsAndInstructions_TrainsToTheSameBits(string instructions, int threads)
    {
        using var engine = new CpuTrainingEngine(threads, Named(instructions));
        (StateDict expected, StepResult[] expectedResults, float[] expectedProbabilities) = scalarClassifier.Value;
        (StateDict actual, StepResult[] actualResults, float[] actualProbabilities) = TrainClassifier(engine);
        Samples.AssertSameBits(expected, actual);
        Assert.Equal(expectedResults, actualResults);
        Assert.Equal(expectedProbabilities, actualProbabilities);
    }

    [Theory]
    [MemberData(nameof(Machines))]
    public void PlainLstm_OnAnyThreadsAndInstructions_TrainsToTheSameBits(string instructions, int threads)
    {
        using var engine = new CpuTrainingEngine(threads, Named(instructions));
        (StateDict State, StepResult[] Results, float[] Probabilities)[] expected = scalarPlainLstms.Value, actual = TrainPlainLstms(engine);
        for (int i = 0; i < expected.Length; i++)
        {
            Samples.AssertSameBits(expected[i].State, actual[i].State);
            Assert.Equal(expected[i].Results, actual[i].Results);
            Assert.Equal(expected[i].Probabilities, actual[i].Probabilities);
        }
    }

    [Fact]
    public void Classifier_WhateverActivationsAreKept_TrainsToTheSameBits()
    {
        using var all = new CpuTrainingEngine(2, KernelSet.Best) { ActivationBudget = long.MaxValue };
        using var two = new CpuTrainingEngine(2, KernelSet.Best) { ActivationBudget = 150_000 };
        using var none = new CpuTrainingEngine(2, KernelSet.Best) { ActivationBudget = 0 };
        foreach (Func<CpuTrainingEngine, StateDict> train in (Func<CpuTrainingEngine, StateDict>[])[engine => TrainClassifier(engine).State, engine => TrainPlainLstms(engine)[1].State])
        {
            StateDict expected = train(all);
            Samples.AssertSameBits(expected, train(two));
            Samples.AssertSameBits(expected, train(none));
        }
    }

    [Theory]
    [MemberData(nameof(Machines))]
    public void Pool_OnAnyThreadsAndInstructionsAndInAnyBatch_GivesTheSameBits(string instructions, int threads)
    {
        StateDict weights = Samples.ClassifierWeights(odd);
        int[][] documents = [.. Samples.Documents(odd, 70, 40, 3).Documents.Reverse()];
        int width = odd.PooledSize;
        using var scalar = new CpuTrainingEngine(1, Named("scalar"));
        using IFeatureNetwork expected = scalar.CreateFeatures(odd, weights);
        var alone = new float[documents.Length * width];
        for (int i = 0; i < documents.Length; i++)
        {
            expected.Pool([documents[i]], alone.AsSpan(i * width, width));
        }

        using var engine = new CpuTrainingEngine(threads, Named(instructions));
        using IFeatureNetwork network = engine.CreateFeatures(odd, weights);
        var together = new float[documents.Length * width];
        network.Pool(documents, together);
        Assert.Equal(alone, together);
    }

    [Theory]
    [MemberData(nameof(KernelTwinTests.Vectors), MemberType = typeof(KernelTwinTests))]
    public void Predict_ADocumentAloneOrInAnyBatch_GivesTheSameBits(string instructions)
    {
        foreach (ClassifierOptions options in (ClassifierOptions[])[Samples.ClassifierOptions, Samples.LastStateOptions(2), Samples.LastStateOptions(5)])
        {
            AssertBatchInvariant(options, instructions);
        }
    }

    // Gradients stop at a chunk's border, the state does not: what is predicted must not depend on where chunks end.
    [Fact]
    public void Predict_WithOtherChunks_GivesTheSameBits()
    {
        using var engine = new CpuTrainingEngine(3);
        IReadOnlyList<int[]> documents = Samples.Documents(Samples.Classifier, 20, 200, 3).Documents;
        foreach (ClassifierOptions options in (ClassifierOptions[])[Samples.ClassifierOptions, Samples.LastStateOptions(2)])
        {
            ClassifierConfig config = options.Config;
            float[][] predicted = [.. new[] { 1, 7, 72, 10_000 }.Select(chunk =>
            {
                using IClassifierNetwork network = engine.CreateClassifier(options with { Config = config with { ChunkLength = chunk } }, Samples.ClassifierWeights(config));
                var probabilities = new float[documents.Count * config.Classes];
                network.Predict(documents, probabilities);
                return probabilities;
            })];
            Assert.All(predicted, probabilities => Assert.Equal(predicted[0], probabilities));
        }
    }

    private static void AssertBatchInvariant(ClassifierOptions options, string instructions)
    {
        using var engine = new CpuTrainingEngine(3, Named(instructions));
        using IClassifierNetwork network = engine.CreateClassifier(options, Samples.ClassifierWeights(options.Config));
        int[][] documents = [.. Samples.Documents(options.Config, 150, 40, 3).Documents];
        int classes = options.Config.Classes;
        var alone = new float[documents.Length * classes];
        for (int i = 0; i < documents.Length; i++)
        {
            network.Predict([documents[i]], alone.AsSpan(i * classes, classes));
        }

        var random = new Random(5);
        foreach (int size in new[] { 2, 7, 64, 65, 150 })
        {
            int[] chosen = [.. Enumerable.Range(0, documents.Length)];
            random.Shuffle(chosen);
            chosen = chosen[..size];
            var together = new float[size * classes];
            network.Predict([.. chosen.Select(i => documents[i])], together);
            for (int i = 0; i < size; i++)
            {
                Assert.Equal(alone.AsSpan(chosen[i] * classes, classes), together.AsSpan(i * classes, classes));
            }
        }
    }

    private static KernelSet Named(string name) => KernelSet.Supported().Single(k => k.Name == name);

    internal static (StateDict State, StepResult[] Results, LossSum Loss) TrainLanguageModel(CpuTrainingEngine engine)
    {
        AwdLstmConfig config = odd.Encoder;
        using ILanguageModelNetwork network = engine.CreateLanguageModel(new LanguageModelOptions(config, Samples.Dropouts, 17, 9), Samples.LanguageModel(config));
        var results = new StepResult[Steps];
        for (int i = 0; i < results.Length; i++)
        {
            int[] frozen = i == 2 ? [0, 1, 2] : i == 3 ? [3, 0] : [];
            results[i] = network.TrainStep(Samples.Window(config, i == 1 ? 1 : 9 - (i % 5), 17, i), Samples.Step(i + 1, config.Layers + 1, 0.3f, [.. frozen.Where(g => g <= config.Layers)]));
        }

        network.Evaluate(Samples.Window(config, 20, 3, 77));
        return (network.Save(), results, network.Evaluate(Samples.Window(config, 5, 3, 78)));
    }

    internal static (StateDict State, StepResult[] Results, float[] Probabilities) TrainClassifier(CpuTrainingEngine engine)
    {
        return Train(engine, new ClassifierOptions(odd, Samples.Dropouts) { ClassWeights = [1f, 0.5f, 2f, 1.5f, 0.75f], LabelSmoothing = 0.1f });
    }

    /// <summary>One with a single logit and one with several.</summary>
    internal static (StateDict State, StepResult[] Results, float[] Probabilities)[] TrainPlainLstms(CpuTrainingEngine engine)
    {
        ClassifierConfig Config(int layers, int classes) => ClassifierConfig.LastState(odd.Encoder with { Layers = layers, ProjectsToEmbedding = false }, classes);
        return
        [
            Train(engine, new ClassifierOptions(Config(1, 2) with { ChunkLength = 100 }, DropoutRates.None)),
            Train(engine, Samples.LastStateOptions(5, layers: 2) with { Config = Config(2, 5) with { ChunkLength = 9 } }),
        ];
    }

    private static (StateDict State, StepResult[] Results, float[] Probabilities) Train(CpuTrainingEngine engine, ClassifierOptions options)
    {
        ClassifierConfig config = options.Config;
        int groups = config.Encoder.Layers + 2;
        using IClassifierNetwork network = engine.CreateClassifier(options, Samples.ClassifierWeights(config));
        var results = new StepResult[Steps];
        for (int i = 0; i < results.Length; i++)
        {
            int[] frozen = i == 0 ? [0, 1, 2] : i == 1 ? [0, 1] : i == 2 ? [0, 2, 3] : [];
            int count = i == 4 ? 1 : 9 + (i % 7);
            results[i] = network.TrainStep(Samples.Documents(config, count, 33, i), Samples.Step(i + 1, groups, 0.3f, [.. frozen.Where(g => g < groups)]));
        }

        IReadOnlyList<int[]> documents = Samples.Documents(config, 9, 30, 99).Documents;
        var probabilities = new float[documents.Count * config.Classes];
        network.Predict(documents, probabilities);
        return (network.Save(), results, probabilities);
    }

    private static T OnScalars<T>(Func<CpuTrainingEngine, T> train)
    {
        using var engine = new CpuTrainingEngine(1, KernelSet.Scalar);
        return train(engine);
    }
}
