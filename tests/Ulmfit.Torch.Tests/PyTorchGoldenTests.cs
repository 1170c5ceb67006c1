using System.Globalization;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Torch.Tests;

/// <summary>Ten training steps against the same ten in PyTorch (<c>Goldens/make_goldens.py</c> of the CPU engine's tests).</summary>
public sealed class PyTorchGoldenTests
{
    private const int Steps = 10;

    private static readonly AwdLstmConfig Encoder = new(VocabularySize: 37, EmbeddingSize: 12, HiddenSize: 20, Layers: 3);

    [Theory]
    [InlineData("lm-clipped", 0.3f, new int[0])]
    [InlineData("lm-frozen", 0f, new[] { 0, 1 })]
    public void LanguageModel_TenSteps_EqualPyTorch(string file, float clip, int[] frozen)
    {
        StateDict golden = Golden(file);
        using var engine = new TorchTrainingEngine(2, Devices.Chosen);
        var options = new LanguageModelOptions(Encoder, DropoutRates.None, Batch: 3, MaxTime: 7);
        using ILanguageModelNetwork network = engine.CreateLanguageModel(options, Under(golden, "before."));
        for (int i = 0; i < Steps; i++)
        {
            Tensor input = golden[$"input.{i}"];
            var batch = new LanguageModelBatch(input.Shape[0], input.Shape[1], Ints(input), Ints(golden[$"target.{i}"]), golden[$"reset.{i}"].Data.Select(x => x != 0f).ToArray());
            StepResult result = network.TrainStep(batch, Step(i, Encoder.Layers + 1, clip, frozen));
            float[] expected = golden["losses"].Data[(i * 3)..((i * 3) + 3)];
            Assert.Equal(expected[0], result.Loss, 1e-4);
            Assert.Equal(expected[1], result.Regularization, 1e-4);
            Assert.Equal(expected[2], result.GradientNorm, 1e-4 * expected[2]);
        }

        Weights.AssertClose(Under(golden, "after."), network.Save().WeightsOnly());
    }

    [Theory]
    [InlineData("classifier-clipped", 0.5f, new int[0])]
    [InlineData("classifier-frozen", 0f, new[] { 0, 1, 2 })]
    public void Classifier_TenSteps_EqualPyTorch(string file, float clip, int[] frozen)
    {
        StateDict golden = Golden(file);
        using var engine = new TorchTrainingEngine(2, Devices.Chosen);
        var config = new ClassifierConfig(Encoder, HeadHiddenSize: 10, Classes: 4) { ChunkLength = 4, MaxLength = 9 };
        var options = new ClassifierOptions(config, DropoutRates.None) { ClassWeights = [1f, 0.5f, 2f, 1.25f], LabelSmoothing = 0.1f };
        using IClassifierNetwork network = engine.CreateClassifier(options, Under(golden, "before."));
        for (int i = 0; i < Steps; i++)
        {
            StepResult result = network.TrainStep(new ClassifierBatch(Documents(golden, i), Ints(golden[$"labels.{i}"])), Step(i, Encoder.Layers + 2, clip, frozen));
            float[] expected = golden["losses"].Data[(i * 3)..((i * 3) + 3)];
            Assert.Equal(expected[0], result.Loss, 1e-4);
            Assert.Equal(expected[1], result.GradientNorm, 1e-4 * expected[1]);
            Assert.Equal((int)expected[2], result.Correct);
        }

        Weights.AssertClose(Under(golden, "after."), network.Save().WeightsOnly());
        IReadOnlyList<int[]> last = Documents(golden, Steps - 1);
        var probabilities = new float[last.Count * config.Classes];
        network.Predict(last, probabilities);
        Assert.All(Enumerable.Range(0, probabilities.Length), i => Assert.Equal(golden["probabilities"].Data[i], probabilities[i], 1e-4f));
    }

    [Theory]
    [InlineData("lstm-binary", 2)]
    [InlineData("lstm-classes", 4)]
    public void PlainLstm_TenSteps_EqualPyTorch(string file, int classes)
    {
        StateDict golden = Golden(file);
        using var engine = new TorchTrainingEngine(2, Devices.Chosen);
        ClassifierConfig config = ClassifierConfig.LastState(Encoder with { Layers = 1, ProjectsToEmbedding = false }, classes) with { ChunkLength = 1000 };
        using IClassifierNetwork network = engine.CreateClassifier(new ClassifierOptions(config, DropoutRates.None), Under(golden, "before."));
        for (int i = 0; i < Steps; i++)
        {
            var step = new OptimizerStep(default, i + 1, [.. Enumerable.Repeat(new GroupStep(true, 0.01f), 3)]) { Beta1 = 0.9f, Beta2 = 0.999f, Epsilon = 1e-8f, WeightDecay = 0f };
            StepResult result = network.TrainStep(new ClassifierBatch(Documents(golden, i), Ints(golden[$"labels.{i}"])), step);
            float[] expected = golden["losses"].Data[(i * 3)..((i * 3) + 3)];
            Assert.Equal(expected[0], result.Loss, 1e-4);
            Assert.Equal(expected[1], result.GradientNorm, 1e-4 * expected[1]);
            Assert.Equal((int)expected[2], result.Correct);
        }

        Weights.AssertClose(Under(golden, "after."), network.Save().WeightsOnly());
        IReadOnlyList<int[]> last = Documents(golden, Steps - 1);
        var probabilities = new float[last.Count * classes];
        network.Predict(last, probabilities);
        Assert.All(Enumerable.Range(0, probabilities.Length), i => Assert.Equal(golden["probabilities"].Data[i], probabilities[i], 1e-4f));
    }

    private static OptimizerStep Step(int i, int groups, float clip, int[] frozen) =>
        new(default, i + 1, [.. Enumerable.Range(0, groups).Select(g => new GroupStep(!frozen.Contains(g), (float)(0.01 / Math.Pow(2.6, groups - 1 - g))))])
        {
            Beta1 = 0.8f,
            Beta2 = 0.99f,
            Epsilon = 1e-5f,
            WeightDecay = 0.05f,
            ClipNorm = clip,
        };

    private static StateDict Golden(string file)
    {
        using FileStream stream = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "Goldens", file + ".safetensors"));
        return Safetensors.Read(stream).Tensors;
    }

    private static StateDict Under(StateDict golden, string prefix)
    {
        var weights = new StateDict();
        foreach ((string name, Tensor tensor) in golden.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)))
        {
            weights[name[prefix.Length..]] = tensor;
        }

        return weights;
    }

    private static int[] Ints(Tensor tensor) => [.. tensor.Data.Select(x => (int)x)];

    private static IReadOnlyList<int[]> Documents(StateDict golden, int step)
    {
        string prefix = string.Create(CultureInfo.InvariantCulture, $"document.{step}.");
        return [.. golden.Names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Select(name => Ints(golden[name]))];
    }
}
