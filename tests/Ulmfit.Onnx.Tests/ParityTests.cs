using Microsoft.ML.OnnxRuntime;
using Ulmfit.Model;

namespace Ulmfit.Onnx.Tests;

public sealed class ParityTests
{
    private const double Tolerance = 1e-5;

    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    /// <summary>Layers, embedding, hidden, hidden width of the head, classes, MaxLength: odd sizes and the extremes.</summary>
    public static TheoryData<int, int, int, int, int, int> Shapes => new()
    {
        { 1, 7, 11, 5, 2, 1440 },
        { 2, 8, 16, 50, 3, 1440 },
        { 3, 13, 29, 17, 77, 1440 },
        { 3, 33, 65, 50, 5, 10 },
        { 2, 1, 1, 1, 2, 1 },
        { 4, 16, 24, 6, 20, 33 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Predict_ForwardOnly_EqualsTheReference(int layers, int embedding, int hidden, int headHidden, int classes, int maxLength)
    {
        ClassifierConfig config = TestModel.Config(61, embedding, hidden, layers, headHidden, classes, maxLength);
        AssertEqualsReference(TestModel.Direction(config, 11), null);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Predict_BackwardOnly_EqualsTheReference(int layers, int embedding, int hidden, int headHidden, int classes, int maxLength)
    {
        ClassifierConfig config = TestModel.Config(61, embedding, hidden, layers, headHidden, classes, maxLength);
        AssertEqualsReference(null, TestModel.Direction(config, 12));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Predict_BothDirections_EqualsTheReference(int layers, int embedding, int hidden, int headHidden, int classes, int maxLength)
    {
        ClassifierConfig config = TestModel.Config(61, embedding, hidden, layers, headHidden, classes, maxLength);
        AssertEqualsReference(TestModel.Direction(config, 13), TestModel.Direction(config, 14));
    }

    [Theory]
    [InlineData(1, 12, 20, 2)]
    [InlineData(1, 7, 7, 2)]
    [InlineData(1, 20, 9, 3)]
    [InlineData(2, 13, 33, 6)]
    public void Predict_LastStateOfBothDirections_EqualsTheReference(int layers, int embedding, int hidden, int classes)
    {
        ClassifierConfig config = TestModel.LastStateConfig(61, embedding, hidden, layers, classes);
        DirectionWeights forward = TestModel.Direction(config, 31), backward = TestModel.Direction(config, 32);
        AssertEqualsReference(forward, null);
        AssertEqualsReference(null, backward);
        AssertEqualsReference(forward, backward);
    }

    [Fact]
    public void Predict_DirectionsOfDifferentShape_EqualsTheReference() =>
        AssertEqualsReference(
            TestModel.Direction(TestModel.Config(61, 12, 20, 3, 9, 4, 30), 15),
            TestModel.Direction(TestModel.Config(61, 10, 17, 2, 6, 4, 25), 16));

    [Fact]
    public void Graph_PaddedBatch_EqualsTheReferenceOfEachDocument()
    {
        ClassifierConfig config = TestModel.Config(maxLength: 10);
        DirectionWeights forward = TestModel.Direction(config, 17), backward = TestModel.Direction(config, 18);
        using var session = new InferenceSession(TestModel.Write(forward, backward));
        int[][] documents = Documents(config.Encoder.VocabularySize);
        int time = documents.Max(document => document.Length) + 3;
        long[] tokens = new long[time * documents.Length];
        var random = new Random(1);
        for (int t = 0; t < time; t++)
        {
            for (int d = 0; d < documents.Length; d++)
            {
                // What stands in the padding must not matter, so it is anything.
                tokens[(t * documents.Length) + d] = t < documents[d].Length ? documents[d][t] : random.Next(config.Encoder.VocabularySize);
            }
        }

        using OrtValue tokenValue = OrtValue.CreateTensorValueFromMemory(tokens, [time, documents.Length]);
        using OrtValue lengthValue = OrtValue.CreateTensorValueFromMemory([.. documents.Select(document => (long)document.Length)], [documents.Length]);
        using var run = new RunOptions();
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(run, ["tokens", "lengths"], [tokenValue, lengthValue], ["probabilities"]);

        float[][] rows = [.. outputs[0].GetTensorDataAsSpan<float>().ToArray().Chunk(config.Classes)];
        AssertEqual(documents, rows, forward, backward);
    }

    [Fact]
    public void Predict_EveryWeightMatters()
    {
        // Otherwise a weight that never reaches the graph would go unnoticed, were it also missing in the reference.
        ClassifierConfig config = TestModel.Config();
        DirectionWeights direction = TestModel.Direction(config, 19);
        int[] document = TestModel.Document(new Random(3), 400, config.Encoder.VocabularySize);
        using OnnxTextClassifier original = TestModel.Load(direction, null);
        float[] expected = original.PredictTokens([document], TestToken)[0];
        foreach (string name in direction.Weights.Names.ToArray())
        {
            var weights = new StateDict();
            foreach ((string other, Tensor tensor) in direction.Weights)
            {
                weights[other] = tensor.Copy();
            }

            float[] data = weights[name].Data;
            for (int i = 0; i < data.Length; i++)
            {
                data[i] = (data[i] * 1.5f) + 0.1f;
            }

            using OnnxTextClassifier changed = TestModel.Load(direction with { Weights = weights }, null);
            Assert.False(expected.SequenceEqual(changed.PredictTokens([document], TestToken)[0]), $"'{name}' does not reach the output.");
        }
    }

    private static void AssertEqualsReference(DirectionWeights? forward, DirectionWeights? backward)
    {
        using OnnxTextClassifier classifier = TestModel.Load(forward, backward);
        int[][] documents = Documents((forward ?? backward)!.Config.Encoder.VocabularySize);
        AssertEqual(documents, classifier.PredictTokens(documents, TestToken), forward, backward);
    }

    private static void AssertEqual(int[][] documents, float[][] probabilities, DirectionWeights? forward, DirectionWeights? backward)
    {
        Assert.Equal(documents.Length, probabilities.Length);
        for (int d = 0; d < documents.Length; d++)
        {
            double[] expected = ReferenceClassifier.Predict(forward, backward, documents[d]);
            Assert.Equal(expected.Length, probabilities[d].Length);
            double difference = expected.Zip(probabilities[d], (e, p) => Math.Abs(e - p)).Max();
            Assert.True(difference < Tolerance, $"Document {d} of {documents[d].Length} tokens differs by {difference}.");
        }
    }

    private static int[][] Documents(int vocabulary)
    {
        var random = new Random(2);
        return [.. new[] { 1, 2, 3, 9, 10, 11, 32, 33, 34, 71, 1, 150 }.Select(length => TestModel.Document(random, length, vocabulary))];
    }
}
