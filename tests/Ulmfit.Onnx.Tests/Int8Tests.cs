using Microsoft.ML.OnnxRuntime;
using Ulmfit.Model;
using Ulmfit.Onnx.Export;
using Ulmfit.Onnx.Schema;

namespace Ulmfit.Onnx.Tests;

public sealed class Int8Tests
{
    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    public static TheoryData<HeadKind, int, int, int> Models => new()
    {
        { HeadKind.ConcatPooling, 1, 7, 11 },
        { HeadKind.ConcatPooling, 3, 32, 65 },
        { HeadKind.Features, 3, 24, 40 },
        { HeadKind.LastState, 2, 24, 40 },
    };

    [Theory]
    [MemberData(nameof(Models))]
    public void Predict_Int8_IsCloseToFloat32(HeadKind head, int layers, int embedding, int hidden)
    {
        ClassifierConfig config = ConfigOf(head, layers, embedding, hidden);
        DirectionWeights forward = TestModel.Direction(config, 1), backward = TestModel.Direction(config, 2);
        using OnnxTextClassifier float32 = TestModel.Load(forward, backward), int8 = TestModel.Load(forward, backward, precision: OnnxPrecision.Int8);
        int[][] documents = Documents();
        Assert.Equal((OnnxPrecision.Float32, OnnxPrecision.Int8), (float32.Precision, int8.Precision));

        double difference = Difference(float32.PredictTokens(documents, TestToken), int8.PredictTokens(documents, TestToken));

        // Steps of 1/127 of the greatest weight and of 1/127 of the greatest state, through layers whose gains are those of random weights.
        Assert.InRange(difference, 1e-6, 0.06);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Graph_PaddedBatch_EqualsWhatIsServed(HeadKind head, int layers, int embedding, int hidden)
    {
        // The file is complete in itself: whoever runs its own graph gets the same.
        ClassifierConfig config = ConfigOf(head, layers, embedding, hidden);
        DirectionWeights forward = TestModel.Direction(config, 3), backward = TestModel.Direction(config, 4);
        byte[] file = TestModel.Write(forward, backward, OnnxPrecision.Int8);
        using OnnxTextClassifier served = TestModel.Load(forward, backward, precision: OnnxPrecision.Int8);
        int[][] documents = Documents();
        int time = documents.Max(document => document.Length) + 3;
        long[] tokens = new long[time * documents.Length];
        for (int t = 0; t < time; t++)
        {
            for (int d = 0; d < documents.Length; d++)
            {
                tokens[(t * documents.Length) + d] = t < documents[d].Length ? documents[d][t] : (t + d) % 60;
            }
        }

        using var session = new InferenceSession(file);
        using OrtValue tokenValue = OrtValue.CreateTensorValueFromMemory(tokens, [time, documents.Length]);
        using OrtValue lengthValue = OrtValue.CreateTensorValueFromMemory([.. documents.Select(document => (long)document.Length)], [documents.Length]);
        using var run = new RunOptions();
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(run, ["tokens", "lengths"], [tokenValue, lengthValue], ["probabilities"]);

        float[][] rows = [.. outputs[0].GetTensorDataAsSpan<float>().ToArray().Chunk(config.Classes)];
        Assert.InRange(Difference(served.PredictTokens(documents, TestToken), rows), 0, 1e-6);
    }

    [Fact]
    public void WriteInt8_EqualArguments_GivesEqualBytes() =>
        Assert.Equal(TestModel.Write(TestModel.Direction(TestModel.Config(), 1), null, OnnxPrecision.Int8), TestModel.Write(TestModel.Direction(TestModel.Config(), 1), null, OnnxPrecision.Int8));

    [Fact]
    public void WriteInt8_LargeModel_IsAboutAQuarterOfFloat32()
    {
        DirectionWeights direction = TestModel.Direction(TestModel.Config(2000, 100, 300), 1);
        double share = (double)TestModel.Write(direction, null, OnnxPrecision.Int8).Length / TestModel.Write(direction, null).Length;
        Assert.InRange(share, 0.25, 0.28);
    }

    [Fact]
    public void WriteInt8_AnyModel_IsAWellFormedGraphOfBothDomains()
    {
        ModelProto model = ModelProto.Parser.ParseFrom(TestModel.Write(TestModel.Direction(TestModel.Config(), 1), TestModel.Direction(TestModel.Config(), 2), OnnxPrecision.Int8));

        Assert.Equal([("", 15L), ("com.microsoft", 1L)], model.OpsetImport.Select(set => (set.Domain, set.Version)));
        Assert.Equal(["tokens", "lengths"], model.Graph.Input.Select(input => input.Name));
        Assert.Equal(["probabilities"], model.Graph.Output.Select(output => output.Name));
        Assert.Equal(6, model.Graph.Node.Count(node => node.OpType == "DynamicQuantizeLSTM" && node.Domain == "com.microsoft"));
        Assert.DoesNotContain(model.Graph.Node, node => node.OpType == "LSTM");
        HashSet<string> used = [.. model.Graph.Node.SelectMany(node => node.Input)];
        Assert.Empty(model.Graph.Initializer.Select(initializer => initializer.Name).Except(used));
    }

    [Fact]
    public void Read_Int8_SaysWhereTheWeightsAre()
    {
        byte[] model = TestModel.Write(TestModel.Direction(TestModel.Config(), 1), null, OnnxPrecision.Int8);
        Assert.Contains("float32 file", Assert.Throws<InvalidDataException>(() => OnnxClassifierReader.Read(model)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Predict_Int8_EveryWeightMatters()
    {
        ClassifierConfig config = TestModel.Config();
        DirectionWeights direction = TestModel.Direction(config, 19);
        int[] document = TestModel.Document(new Random(3), 100, config.Encoder.VocabularySize);
        using OnnxTextClassifier original = TestModel.Load(direction, null, precision: OnnxPrecision.Int8);
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

            using OnnxTextClassifier changed = TestModel.Load(direction with { Weights = weights }, null, precision: OnnxPrecision.Int8);
            Assert.False(expected.SequenceEqual(changed.PredictTokens([document], TestToken)[0]), $"'{name}' does not reach the output.");
        }
    }

    [Fact]
    public void QuantizeRows_AnyRow_ErrsByHalfAStepAtMost()
    {
        var random = new Random(1);
        float[] weights = [.. Enumerable.Range(0, 600).Select(i => (random.NextSingle() - 0.5f) * MathF.Pow(10, (i / 100) - 3))];
        sbyte[] values = new sbyte[600];
        float[] scales = new float[6];
        Int8Weights.QuantizeRows(weights, 6, values, scales);
        for (int i = 0; i < 600; i++)
        {
            Assert.InRange(MathF.Abs(weights[i] - (values[i] * scales[i / 100])), 0, scales[i / 100] * 0.5001f);
        }

        Assert.All(Enumerable.Range(0, 6), row => Assert.Equal(127, values.Skip(100 * row).Take(100).Max(value => Math.Abs((int)value))));
    }

    [Fact]
    public void QuantizeRows_RowOfZeros_StaysZero()
    {
        sbyte[] values = [1, 1];
        float[] scales = [0];
        Int8Weights.QuantizeRows([0, 0], 1, values, scales);
        Assert.Equal([0, 0], values);
        Assert.Equal(1, scales[0]);
    }

    [Fact]
    public void QuantizeTable_FewFarValues_AreClippedForTheOthersSake()
    {
        var random = new Random(2);
        float[] table = [.. Enumerable.Range(0, 400_000).Select(_ => random.NextSingle() - 0.5f)];
        table[7] = -2;
        sbyte[] values = new sbyte[table.Length];
        float scale = Int8Weights.QuantizeTable(table, values);
        Assert.InRange(scale * 127, 0.49f, 1);
        Assert.Equal(-128, values[7]);
    }

    private static ClassifierConfig ConfigOf(HeadKind head, int layers, int embedding, int hidden) => head switch
    {
        HeadKind.Features => TestModel.FeaturesConfig(60, embedding, hidden, layers, maxLength: 40),
        HeadKind.LastState => TestModel.LastStateConfig(60, embedding, hidden, layers, 3),
        _ => TestModel.Config(60, embedding, hidden, layers, maxLength: 40),
    };

    private static int[][] Documents()
    {
        var random = new Random(2);
        return [.. new[] { 1, 2, 3, 9, 33, 71, 1, 150 }.Select(length => TestModel.Document(random, length, 60))];
    }

    private static double Difference(float[][] a, float[][] b) => a.Zip(b, (x, y) => x.Zip(y, (p, q) => Math.Abs((double)p - q)).Max()).Max();
}
