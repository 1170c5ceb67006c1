using System.Text.Json;
using Ulmfit.Model;
using Ulmfit.Onnx.Schema;

namespace Ulmfit.Onnx.Tests;

public sealed class OnnxClassifierWriterTests
{
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Write_AnyDirections_GivesAWellFormedGraph(bool forward, bool backward)
    {
        ModelProto model = Parse(TestModel.Write(forward ? TestModel.Direction(TestModel.Config(), 1) : null, backward ? TestModel.Direction(TestModel.Config(), 2) : null));

        Assert.Equal(8, model.IrVersion);
        Assert.Equal([("", 15L)], model.OpsetImport.Select(set => (set.Domain, set.Version)));
        GraphProto graph = model.Graph;
        Assert.NotEmpty(graph.Name);
        Assert.Equal(["tokens", "lengths"], graph.Input.Select(input => input.Name));
        Assert.Equal(["probabilities"], graph.Output.Select(output => output.Name));
        Assert.Equal(graph.Node.Count, graph.Node.Select(node => node.Name).Distinct(StringComparer.Ordinal).Count());

        // Single assignment, every value defined before it is used, every value used, every output produced.
        HashSet<string> defined = [], used = [];
        Assert.All(graph.Input, input => Assert.True(defined.Add(input.Name)));
        Assert.All(graph.Initializer, initializer => Assert.True(defined.Add(initializer.Name)));
        foreach (NodeProto node in graph.Node)
        {
            Assert.All(node.Input, input => Assert.True(input.Length == 0 || defined.Contains(input), $"'{node.Name}' reads '{input}' too early."));
            used.UnionWith(node.Input);
            Assert.All(node.Output, output => Assert.True(output.Length == 0 || defined.Add(output), $"'{output}' is written twice."));
            Assert.All(node.Attribute, attribute => Assert.NotEqual(AttributeProto.Types.AttributeType.Undefined, attribute.Type));
        }

        Assert.All(graph.Output, output => Assert.Contains(output.Name, defined));
        Assert.Empty(graph.Initializer.Select(initializer => initializer.Name).Except(used));
        Assert.Empty(graph.Input.Select(input => input.Name).Except(used));
        Assert.All(graph.Initializer, initializer =>
        {
            int size = initializer.DataType == (int)TensorProto.Types.DataType.Int64 ? 8 : 4;
            Assert.Equal(initializer.Dims.Aggregate((long)size, (product, extent) => product * extent), initializer.RawData.Length);
        });
        Assert.Equal(forward && backward ? 6 : 3, graph.Node.Count(node => node.OpType == "LSTM"));
        Assert.Equal(backward ? 1 : 0, graph.Node.Count(node => node.OpType == "ReverseSequence"));
    }

    [Fact]
    public void Write_Signature_HasTypesAndDimensions()
    {
        GraphProto graph = Parse(TestModel.Write(TestModel.Direction(TestModel.Config(), 1), null)).Graph;
        Assert.Equal("Int64[time,batch]", Describe(graph.Input[0]));
        Assert.Equal("Int64[batch]", Describe(graph.Input[1]));
        Assert.Equal("Float[batch,4]", Describe(graph.Output[0]));

        static string Describe(ValueInfoProto value)
        {
            IEnumerable<string> dimensions = value.Type.TensorType.Shape.Dim.Select(dim => dim.ValueCase == TensorShapeProto.Types.Dimension.ValueOneofCase.DimParam ? dim.DimParam : $"{dim.DimValue}");
            return $"{(TensorProto.Types.DataType)value.Type.TensorType.ElemType}[{string.Join(',', dimensions)}]";
        }
    }

    [Fact]
    public void Write_EqualArguments_GivesEqualBytes()
    {
        var first = new Dictionary<string, string> { ["b"] = "2", ["a"] = "1", ["c"] = "3" };
        var second = new Dictionary<string, string> { ["c"] = "3", ["b"] = "2", ["a"] = "1" };
        Assert.Equal(Write(first), Write(second));

        static byte[] Write(Dictionary<string, string> properties)
        {
            using var file = new MemoryStream();
            OnnxClassifierWriter.Write(file, TestModel.Direction(TestModel.Config(), 1), TestModel.Direction(TestModel.Config(), 2), new OnnxModelMetadata(TestModel.Labels(4), "tests", properties));
            return file.ToArray();
        }
    }

    [Fact]
    public void Write_Metadata_HoldsLabelsAndProperties()
    {
        using var file = new MemoryStream();
        string[] labels = ["ja \"quoted\"", "nein, ü", "日本", "d"];
        OnnxClassifierWriter.Write(file, TestModel.Direction(TestModel.Config(), 1), TestModel.Direction(TestModel.Config(), 2), new OnnxModelMetadata(labels, "the producer", new Dictionary<string, string> { ["z"] = "last", ["run"] = "tickets-1" }));
        ModelProto model = Parse(file.ToArray());
        Dictionary<string, string> properties = model.MetadataProps.ToDictionary(entry => entry.Key, entry => entry.Value);
        Assert.Equal("the producer", model.ProducerName);
        Assert.Equal(["run", "ulmfit.directions", "ulmfit.labels", "ulmfit.vocabulary_size", "z"], model.MetadataProps.Select(entry => entry.Key));
        Assert.Equal("tickets-1", properties["run"]);
        Assert.Equal("forward,backward", properties["ulmfit.directions"]);
        Assert.Equal("60", properties["ulmfit.vocabulary_size"]);
        Assert.Equal(labels, JsonSerializer.Deserialize<string[]>(properties["ulmfit.labels"]));
        OnnxTextClassifier.Load(file.ToArray(), TestModel.Vocabulary(60), labels).Dispose();
    }

    [Fact]
    public void Write_TrainingStateBesideTheWeights_ChangesNothing()
    {
        DirectionWeights direction = TestModel.Direction(TestModel.Config(), 1);
        byte[] expected = TestModel.Write(direction, null);
        direction.Weights[TrainingStateNames.FirstMoment(AwdLstmNames.Linear(0))] = Tensor.Zeros(3);
        Assert.Equal(expected, TestModel.Write(direction, null));
    }

    [Fact]
    public void Write_NoDirection_IsRefused() =>
        Assert.Throws<ArgumentException>(() => Write(null, null));

    [Fact]
    public void Write_MissingWeight_NamesIt()
    {
        DirectionWeights direction = TestModel.Direction(TestModel.Config(), 1);
        string name = AwdLstmNames.RunningMean(1);
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => Write(direction with { Weights = direction.Weights.Where(other => other != name) }, null));
        Assert.Contains(name, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_WeightOfAnotherShape_NamesIt()
    {
        DirectionWeights direction = TestModel.Direction(TestModel.Config(), 1);
        direction.Weights[AwdLstmNames.HiddenBias("0.module.", 1)] = Tensor.Zeros(8);
        Assert.Contains("0.module.rnns.1.module.bias_hh_l0", Assert.Throws<InvalidDataException>(() => Write(direction, null)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Write_WeightThatIsNotFinite_NamesItAndItsDirection(float value)
    {
        DirectionWeights direction = TestModel.Direction(TestModel.Config(), 1);
        direction.Weights[AwdLstmNames.Linear(0)].Data[7] = value;
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => Write(null, direction));
        Assert.Contains("1.layers.0.2.weight", e.Message, StringComparison.Ordinal);
        Assert.Contains("backward", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_DirectionsThatDoNotFitTogether_AreRefused()
    {
        DirectionWeights forward = TestModel.Direction(TestModel.Config(), 1);
        Assert.Throws<ArgumentException>(() => Write(forward, TestModel.Direction(TestModel.Config(classes: 5), 2)));
        Assert.Throws<ArgumentException>(() => Write(forward, TestModel.Direction(TestModel.Config(vocabulary: 61), 2)));
    }

    [Fact]
    public void Write_LabelsThatDoNotFit_AreRefused()
    {
        DirectionWeights forward = TestModel.Direction(TestModel.Config(), 1);
        Assert.Contains("4 classes", Assert.Throws<ArgumentException>(() => Write(forward, null, ["a", "b", "c"])).Message, StringComparison.Ordinal);
        Assert.Contains("'b' occurs", Assert.Throws<ArgumentException>(() => Write(forward, null, ["a", "b", "c", "b"])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(11)]
    [InlineData(double.NaN)]
    public void Write_TemperatureThatIsNone_IsRefused(double temperature) =>
        Assert.Throws<ArgumentException>(() => TestModel.Write(TestModel.Direction(TestModel.Config(), 1), null, temperature));

    // A model without a temperature is the file that it was before there were any.
    [Fact]
    public void Write_Temperature_IsInTheMetadataUnlessItIsNone()
    {
        string none = System.Text.Encoding.Latin1.GetString(TestModel.Write(TestModel.Direction(TestModel.Config(), 1), null));
        string some = System.Text.Encoding.Latin1.GetString(TestModel.Write(TestModel.Direction(TestModel.Config(), 1), null, 0.75));
        Assert.DoesNotContain(OnnxMetadataKeys.Temperature, none, StringComparison.Ordinal);
        Assert.Contains(OnnxMetadataKeys.Temperature + "\u0012\u00040.75", some, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_ReservedProperty_IsRefused()
    {
        var metadata = new OnnxModelMetadata(TestModel.Labels(4), "tests", new Dictionary<string, string> { [OnnxMetadataKeys.Labels] = "[]" });
        Assert.Throws<ArgumentException>(() => OnnxClassifierWriter.Write(Stream.Null, TestModel.Direction(TestModel.Config(), 1), null, metadata));
    }

    [Fact]
    public void Write_LargerThanProtobufAllows_SaysSoBeforeReadingAWeight()
    {
        var config = new ClassifierConfig(new AwdLstmConfig(2_000_000, 400, 1152, 3), 50, 4);
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => Write(new DirectionWeights(config, []), null));
        Assert.Contains("3.28 GB", e.Message, StringComparison.Ordinal);
    }

    private static void Write(DirectionWeights? forward, DirectionWeights? backward, string[]? labels = null) =>
        OnnxClassifierWriter.Write(Stream.Null, forward, backward, new OnnxModelMetadata(labels ?? TestModel.Labels(4), "tests", new Dictionary<string, string>()));

    private static ModelProto Parse(byte[] model) => ModelProto.Parser.ParseFrom(model);
}
