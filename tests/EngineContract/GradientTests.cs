using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.EngineContract;

/// <summary>
/// Every gradient of both networks, dropout and all, against central differences of a double-precision twin. With β1 = 0
/// and a learning rate of zero Adam's first moment after one step is the gradient.
/// </summary>
public sealed class GradientTests
{
    private static readonly AwdLstmConfig Encoder = new(VocabularySize: 13, EmbeddingSize: 5, HiddenSize: 7, Layers: 3);

    private static readonly DropoutRates Dropouts = new(0.25f, 0.3f, 0.2f, 0.15f, 0.35f, 0.2f);

    [Theory]
    [InlineData(true, 6, 4)]
    [InlineData(false, 6, 4)]
    [InlineData(true, 1, 3)]
    public void LanguageModel_EveryGradient_IsThatOfTheLoss(bool dropout, int time, int lanes)
    {
        DropoutRates rates = dropout ? Dropouts : DropoutRates.None;
        var options = new LanguageModelOptions(Encoder, rates, lanes, 6) { ActivationRegularization = 2.5f, TemporalActivationRegularization = 1.5f };
        using var engine = TestEngine.Create();
        StateDict start = Samples.LanguageModel(Encoder, 3);
        using ILanguageModelNetwork network = engine.CreateLanguageModel(options, start);
        LanguageModelBatch first = Samples.Window(Encoder, 4, lanes, 8) with { ResetLanes = default }, second = Samples.Window(Encoder, time, lanes, 9) with { ResetLanes = default };
        network.TrainStep(first, GradientStep(1, Encoder.Layers + 1));
        StepResult result = network.TrainStep(second, GradientStep(2, Encoder.Layers + 1));
        StateDict gradients = network.Save();

        Dictionary<string, double[]> weights = Doubles(start);
        (double[] H, double[] C)[][] Carried()
        {
            (double[] H, double[] C)[][] state = DoubleTwin.ZeroState(Encoder, lanes);
            Twin(1, Doubles(start)).LanguageModelLoss(first, state, 0, 0);
            return state;
        }

        (double[] H, double[] C)[][] carried = Carried();
        double Loss() => Twin(2, weights).LanguageModelLoss(second, [.. carried.Select(layer => layer.ToArray())], options.ActivationRegularization, options.TemporalActivationRegularization);
        DoubleTwin Twin(int step, Dictionary<string, double[]> w) => new(Encoder, rates, Key(step), w, AwdLstmNames.LanguageModelEncoder);

        Assert.Equal(Loss(), result.Loss + result.Regularization, 1e-5);
        AssertGradients(weights, Loss, gradients, [.. ParameterGroups.OfLanguageModel(Encoder).SelectMany(g => g)], result.GradientNorm);
    }

    [Theory]
    [InlineData(true, 6, 11)]
    [InlineData(false, 6, 11)]
    [InlineData(true, 1, 9)]
    public void Classifier_EveryGradient_IsThatOfTheLossTruncatedAtChunks(bool dropout, int documents, int longest)
    {
        DropoutRates rates = dropout ? Dropouts : DropoutRates.None;
        var config = new ClassifierConfig(Encoder, HeadHiddenSize: 6, Classes: 3) { ChunkLength = 3, MaxLength = 7 };
        AssertGradients(new ClassifierOptions(config, rates) { ClassWeights = [1f, 0.4f, 1.7f], LabelSmoothing = 0.15f }, documents, longest);
    }

    [Theory]
    [InlineData(true, 2, 1, 6, 11, 4)]
    [InlineData(true, 3, 2, 6, 11, 4)]
    [InlineData(false, 2, 1, 6, 11, 20)]
    [InlineData(false, 3, 1, 1, 9, 20)]
    public void PlainLstm_EveryGradient_IsThatOfTheLossTruncatedAtChunks(bool extras, int classes, int layers, int documents, int longest, int chunk)
    {
        ClassifierConfig config = ClassifierConfig.LastState(Encoder with { Layers = layers, ProjectsToEmbedding = false }, classes) with { ChunkLength = chunk };
        ClassifierOptions options = extras
            ? new ClassifierOptions(config, Dropouts with { Output = 0f, Head = 0f }) { ClassWeights = [.. new[] { 1f, 0.4f, 1.7f }.Take(classes)], LabelSmoothing = 0.15f }
            : new ClassifierOptions(config, DropoutRates.None);
        AssertGradients(options, documents, longest);
    }

    private static void AssertGradients(ClassifierOptions options, int documents, int longest)
    {
        ClassifierConfig config = options.Config;
        int groups = config.Encoder.Layers + 2;
        using var engine = TestEngine.Create();
        StateDict start = Samples.ClassifierWeights(config, 4);
        using IClassifierNetwork network = engine.CreateClassifier(options, start);
        ClassifierBatch batch = Samples.Documents(config, documents, longest, 12);
        StepResult result = network.TrainStep(batch, GradientStep(1, groups));
        StateDict gradients = network.Save();

        Dictionary<string, double[]> weights = Doubles(start);
        var borders = new Dictionary<(int, int), (double[] H, double[] C)[]>();
        double Loss() => new DoubleTwin(config.Encoder, options.Dropouts, Key(1), weights, AwdLstmNames.ClassifierEncoder).ClassifierLoss(batch, options, borders);
        Assert.Equal(Loss(), result.Loss, 1e-5);
        Assert.Equal(longest > config.ChunkLength, borders.Count > 0);
        AssertGradients(weights, Loss, gradients, [.. ParameterGroups.OfClassifier(config).SelectMany(g => g)], result.GradientNorm);
    }

    private static RandomKey Key(int step) => new(99, 3, 1, step);

    private static OptimizerStep GradientStep(int number, int groups) =>
        new(Key(number), number, [.. Enumerable.Repeat(new GroupStep(true, 0f), groups)]) { Beta1 = 0f };

    private static Dictionary<string, double[]> Doubles(StateDict state) => state.ToDictionary(p => p.Key, p => p.Value.Data.Select(x => (double)x).ToArray());

    private static void AssertGradients(Dictionary<string, double[]> weights, Func<double> loss, StateDict state, IReadOnlyList<string> names, double norm)
    {
        const double Step = 1e-5;
        double square = 0;
        foreach (string name in names)
        {
            float[] gradient = state[TrainingStateNames.FirstMoment(name)].Data;
            double[] weight = weights[name];
            double difference = 0, size = 0;
            for (int i = 0; i < weight.Length; i++)
            {
                double w = weight[i];
                weight[i] = w + Step;
                double up = loss();
                weight[i] = w - Step;
                double down = loss();
                weight[i] = w;
                double expected = (up - down) / (2 * Step);
                Assert.True(Math.Abs(expected - gradient[i]) <= 2e-6 + (1e-4 * Math.Abs(expected)), $"{name}[{i}]: {gradient[i]:g6}, but differences say {expected:g6}.");
                difference += (expected - gradient[i]) * (expected - gradient[i]);
                size += expected * expected;
            }

            Assert.True(Math.Sqrt(difference) <= 3e-5 * Math.Max(Math.Sqrt(size), 0.05), $"{name}: ‖Δ‖ = {Math.Sqrt(difference):g3} of {Math.Sqrt(size):g3}");
            square += size;
        }

        Assert.Equal(Math.Sqrt(square), norm, 1e-5 * Math.Sqrt(square));
    }
}
