using Ulmfit.Cpu;
using Ulmfit.Engine;
using Ulmfit.Features;
using Ulmfit.Model;

namespace Ulmfit.Onnx.Tests;

/// <summary>What is served against what was trained: the ONNX classifier and the training engine's own predictions.</summary>
public sealed class EngineParityTests
{
    private const double Tolerance = 1e-4;

    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, 7, 11, 2, 1440)]
    [InlineData(3, 32, 65, 6, 1440)]
    [InlineData(2, 24, 40, 77, 100)]
    [InlineData(3, 13, 29, 4, 10)]
    public void Predict_BothDirections_EqualsTheEnginesOwn(int layers, int embedding, int hidden, int classes, int maxLength)
    {
        AssertSame(TestModel.Config(61, embedding, hidden, layers, 50, classes, maxLength));
    }

    [Theory]
    [InlineData(1, 100, 200, 2)]
    [InlineData(1, 24, 40, 6)]
    [InlineData(2, 13, 29, 2)]
    public void Predict_LastStateOfBothDirections_EqualsTheEnginesOwn(int layers, int embedding, int hidden, int classes) =>
        AssertSame(TestModel.LastStateConfig(61, embedding, hidden, layers, classes) with { ChunkLength = 1000 });

    [Theory]
    [InlineData(1, 7, 11, 2, 1440)]
    [InlineData(3, 32, 65, 6, 1440)]
    [InlineData(2, 24, 40, 77, 100)]
    [InlineData(3, 13, 29, 4, 10)]
    public void Predict_FeaturesOfBothDirections_EqualsWhatWasFittedOnTheEnginesOwn(int layers, int embedding, int hidden, int classes, int maxLength) =>
        AssertSame(TestModel.FeaturesConfig(61, embedding, hidden, layers, classes, maxLength) with { ChunkLength = 50 }, 1e-5);

    private static void AssertSame(ClassifierConfig config, double tolerance = Tolerance)
    {
        DirectionWeights forward = TestModel.Direction(config, 21), backward = TestModel.Direction(config, 22);
        var random = new Random(6);
        int[][] documents = [.. new[] { 1, 2, 10, 11, 71, 72, 73, 100, 144, 145, 300 }.Select(length => TestModel.Document(random, length, 61))];

        using var engine = new CpuTrainingEngine(2);
        float[] forwardRows = EnginePredict(engine, forward, documents);
        float[] backwardRows = EnginePredict(engine, backward, [.. documents.Select(document => document.Reverse().ToArray())]);

        AssertClose(forwardRows, TestModel.Load(forward, null), documents, tolerance);
        AssertClose(backwardRows, TestModel.Load(null, backward), documents, tolerance);
        AssertClose([.. forwardRows.Zip(backwardRows, (f, b) => (f + b) / 2)], TestModel.Load(forward, backward), documents, tolerance);
    }

    private static float[] EnginePredict(CpuTrainingEngine engine, DirectionWeights direction, int[][] documents)
    {
        float[] probabilities = new float[documents.Length * direction.Config.Classes];
        if (direction.Config.Head == HeadKind.Features)
        {
            using IFeatureNetwork encoder = engine.CreateFeatures(direction.Config, direction.Weights);
            float[] features = new float[documents.Length * direction.Config.PooledSize];
            encoder.Pool(documents, features);
            FeatureClassifier.Of(direction.Weights).Predict(features, probabilities);
            return probabilities;
        }

        using IClassifierNetwork network = engine.CreateClassifier(new ClassifierOptions(direction.Config, DropoutRates.None), direction.Weights);
        network.Predict(documents, probabilities);
        return probabilities;
    }

    private static void AssertClose(float[] expected, OnnxTextClassifier classifier, int[][] documents, double tolerance)
    {
        using (classifier)
        {
            float[] actual = [.. classifier.PredictTokens(documents, TestToken).SelectMany(row => row)];
            Assert.Equal(expected.Length, actual.Length);
            double difference = expected.Zip(actual, (e, a) => Math.Abs((double)e - a)).Max();
            Assert.True(difference < tolerance, $"The greatest difference is {difference}.");
        }
    }
}
