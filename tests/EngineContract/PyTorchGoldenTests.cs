using System.Globalization;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.EngineContract;

/// <summary>Gradients and ten training steps against the same in PyTorch (<c>Goldens/make_goldens.py</c>).</summary>
public sealed class PyTorchGoldenTests
{
    private const int Vocabulary = 37, Embedding = 12, Hidden = 20, Layers = 3, Steps = 10;

    private static readonly AwdLstmConfig Encoder = new(Vocabulary, Embedding, Hidden, Layers);

    private static LanguageModelOptions LanguageModelOptions { get; } = new(Encoder, DropoutRates.None, Batch: 3, MaxTime: 7);

    private static ClassifierOptions ClassifierOptions { get; } =
        new(new ClassifierConfig(Encoder, HeadHiddenSize: 10, Classes: 4) { ChunkLength = 4, MaxLength = 9 }, DropoutRates.None) { ClassWeights = [1f, 0.5f, 2f, 1.25f], LabelSmoothing = 0.1f };

    [Theory]
    [InlineData("lm-clipped", new int[0])]
    [InlineData("lm-frozen", new[] { 0, 1 })]
    public void LanguageModel_LossAndGradientsOnGoldenWeights_EqualPyTorch(string file, int[] frozen)
    {
        StateDict golden = Golden(file);
        using var engine = TestEngine.Create();
        using ILanguageModelNetwork network = engine.CreateLanguageModel(LanguageModelOptions, Weights(golden, "before."));
        AssertGradients(golden, network.TrainStep(Window(golden, 0), GradientStep(Layers + 1, frozen)), norm: 2, network.Save());
    }

    [Theory]
    [InlineData("classifier-clipped", new int[0])]
    [InlineData("classifier-frozen", new[] { 0, 1, 2 })]
    public void Classifier_LossAndGradientsOnGoldenWeights_EqualPyTorch(string file, int[] frozen)
    {
        StateDict golden = Golden(file);
        using var engine = TestEngine.Create();
        using IClassifierNetwork network = engine.CreateClassifier(ClassifierOptions, Weights(golden, "before."));
        AssertGradients(golden, network.TrainStep(Batch(golden, 0), GradientStep(Layers + 2, frozen)), norm: 1, network.Save());
    }

    [Theory]
    [InlineData("lstm-binary", 2)]
    [InlineData("lstm-classes", 4)]
    public void PlainLstm_LossAndGradientsOnGoldenWeights_EqualPyTorch(string file, int classes)
    {
        StateDict golden = Golden(file);
        using var engine = TestEngine.Create();
        using IClassifierNetwork network = engine.CreateClassifier(PlainLstm(classes), Weights(golden, "before."));
        AssertGradients(golden, network.TrainStep(Batch(golden, 0), GradientStep(3, [])), norm: 1, network.Save());
    }

    [Theory]
    [InlineData("lm-clipped", 0.3f, new int[0])]
    [InlineData("lm-frozen", 0f, new[] { 0, 1 })]
    public void LanguageModel_TenSteps_EqualPyTorch(string file, float clip, int[] frozen)
    {
        StateDict golden = Golden(file);
        using var engine = TestEngine.Create();
        using ILanguageModelNetwork network = engine.CreateLanguageModel(LanguageModelOptions, Weights(golden, "before."));
        for (int i = 0; i < Steps; i++)
        {
            LanguageModelBatch window = Window(golden, i);
            StepResult result = network.TrainStep(window, Step(i, Layers + 1, clip, frozen));
            ReadOnlySpan<float> expected = golden["losses"].Data.AsSpan(i * 3, 3);
            Assert.Equal(expected[0], result.Loss, 1e-4);
            Assert.Equal(expected[1], result.Regularization, 1e-4);
            Assert.Equal(expected[2], result.GradientNorm, 1e-4 * expected[2]);
            Assert.Equal(window.Input.Length, result.Count);
        }

        Closeness.AssertStates(Weights(golden, "after."), network.Save().WeightsOnly());
    }

    [Theory]
    [InlineData("classifier-clipped", 0.5f, new int[0])]
    [InlineData("classifier-frozen", 0f, new[] { 0, 1, 2 })]
    public void Classifier_TenSteps_EqualPyTorch(string file, float clip, int[] frozen)
    {
        StateDict golden = Golden(file);
        using var engine = TestEngine.Create();
        using IClassifierNetwork network = engine.CreateClassifier(ClassifierOptions, Weights(golden, "before."));
        for (int i = 0; i < Steps; i++)
        {
            StepResult result = network.TrainStep(Batch(golden, i), Step(i, Layers + 2, clip, frozen));
            ReadOnlySpan<float> expected = golden["losses"].Data.AsSpan(i * 3, 3);
            Assert.Equal(expected[0], result.Loss, 1e-4);
            Assert.Equal(expected[1], result.GradientNorm, 1e-4 * expected[1]);
            Assert.Equal((int)expected[2], result.Correct);
        }

        Closeness.AssertStates(Weights(golden, "after."), network.Save().WeightsOnly());
        IReadOnlyList<int[]> last = Documents(golden, Steps - 1);
        var probabilities = new float[last.Count * ClassifierOptions.Config.Classes];
        network.Predict(last, probabilities);
        Closeness.AssertNumbers(golden["probabilities"].Data, probabilities);
    }

    [Theory]
    [InlineData("lstm-binary", 2)]
    [InlineData("lstm-classes", 4)]
    public void PlainLstm_TenSteps_EqualPyTorch(string file, int classes)
    {
        StateDict golden = Golden(file);
        using var engine = TestEngine.Create();
        using IClassifierNetwork network = engine.CreateClassifier(PlainLstm(classes), Weights(golden, "before."));
        for (int i = 0; i < Steps; i++)
        {
            var step = new OptimizerStep(default, i + 1, [.. Enumerable.Repeat(new GroupStep(true, 0.01f), 3)]) { Beta1 = 0.9f, Beta2 = 0.999f, Epsilon = 1e-8f, WeightDecay = 0f };
            StepResult result = network.TrainStep(Batch(golden, i), step);
            float[] expected = golden["losses"].Data[(i * 3)..((i * 3) + 3)];
            Assert.Equal(expected[0], result.Loss, 1e-4);
            Assert.Equal(expected[1], result.GradientNorm, 1e-4 * expected[1]);
            Assert.Equal((int)expected[2], result.Correct);
        }

        Closeness.AssertStates(Weights(golden, "after."), network.Save().WeightsOnly());
        IReadOnlyList<int[]> last = Documents(golden, Steps - 1);
        var probabilities = new float[last.Count * classes];
        network.Predict(last, probabilities);
        Closeness.AssertNumbers(golden["probabilities"].Data, probabilities);
    }

    private static ClassifierOptions PlainLstm(int classes) =>
        new(ClassifierConfig.LastState(Encoder with { Layers = 1, ProjectsToEmbedding = false }, classes) with { ChunkLength = 1000 }, DropoutRates.None);

    /// <summary>With β1 = 0 and a learning rate of zero Adam's first moment after one step is the gradient.</summary>
    private static OptimizerStep GradientStep(int groups, int[] frozen) =>
        new(default, 1, [.. Enumerable.Range(0, groups).Select(g => new GroupStep(!frozen.Contains(g), 0f))]) { Beta1 = 0f };

    private static void AssertGradients(StateDict golden, StepResult result, int norm, StateDict saved)
    {
        Assert.Equal(golden["losses"].Data[0], result.Loss, 1e-5);
        Assert.Equal(golden["losses"].Data[norm], result.GradientNorm, 1e-5 * golden["losses"].Data[norm]);
        StateDict gradients = Weights(golden, "gradient.");
        Assert.Equal(gradients.Names, Weights(saved, TrainingStateNames.FirstMoment("")).Names);
        foreach ((string name, Tensor gradient) in gradients)
        {
            // One pass and no optimiser: only the rounding of the pass itself, some 10⁻⁶ in both of them.
            Closeness.AssertTensors(name, gradient.Data, saved[TrainingStateNames.FirstMoment(name)].Data, 2e-5);
        }
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

    private static StateDict Weights(StateDict golden, string prefix)
    {
        var weights = new StateDict();
        foreach ((string name, Tensor tensor) in golden)
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal))
            {
                weights[name[prefix.Length..]] = tensor;
            }
        }

        return weights;
    }

    private static LanguageModelBatch Window(StateDict golden, int step)
    {
        Tensor input = golden[$"input.{step}"];
        return new LanguageModelBatch(input.Shape[0], input.Shape[1], Ints(input), Ints(golden[$"target.{step}"]), golden[$"reset.{step}"].Data.Select(x => x != 0f).ToArray());
    }

    private static ClassifierBatch Batch(StateDict golden, int step) => new(Documents(golden, step), Ints(golden[$"labels.{step}"]));

    private static int[] Ints(Tensor tensor) => [.. tensor.Data.Select(x => (int)x)];

    private static IReadOnlyList<int[]> Documents(StateDict golden, int step)
    {
        string prefix = string.Create(CultureInfo.InvariantCulture, $"document.{step}.");
        return [.. golden.Names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Select(name => Ints(golden[name]))];
    }
}
