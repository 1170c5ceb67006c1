using Google.Protobuf.Reflection;
using Ulmfit.Onnx.Schema;

namespace Ulmfit.Onnx.Tests;

/// <summary>The generated types against what the ONNX specification (onnx.proto of ONNX 1.10) says, in samples of every kind of field.</summary>
public sealed class OnnxSchemaTests
{
    private static readonly FileDescriptor File = ModelProto.Descriptor.File;

    [Theory]
    [InlineData("ModelProto", "ir_version", 1, FieldType.Int64, false)]
    [InlineData("ModelProto", "opset_import", 8, FieldType.Message, true)]
    [InlineData("ModelProto", "producer_name", 2, FieldType.String, false)]
    [InlineData("ModelProto", "graph", 7, FieldType.Message, false)]
    [InlineData("ModelProto", "metadata_props", 14, FieldType.Message, true)]
    [InlineData("GraphProto", "node", 1, FieldType.Message, true)]
    [InlineData("GraphProto", "initializer", 5, FieldType.Message, true)]
    [InlineData("GraphProto", "input", 11, FieldType.Message, true)]
    [InlineData("GraphProto", "output", 12, FieldType.Message, true)]
    [InlineData("NodeProto", "op_type", 4, FieldType.String, false)]
    [InlineData("NodeProto", "attribute", 5, FieldType.Message, true)]
    [InlineData("NodeProto", "domain", 7, FieldType.String, false)]
    [InlineData("AttributeProto", "f", 2, FieldType.Float, false)]
    [InlineData("AttributeProto", "i", 3, FieldType.Int64, false)]
    [InlineData("AttributeProto", "s", 4, FieldType.Bytes, false)]
    [InlineData("AttributeProto", "floats", 7, FieldType.Float, true)]
    [InlineData("AttributeProto", "ints", 8, FieldType.Int64, true)]
    [InlineData("AttributeProto", "type", 20, FieldType.Enum, false)]
    [InlineData("TensorProto", "dims", 1, FieldType.Int64, true)]
    [InlineData("TensorProto", "data_type", 2, FieldType.Int32, false)]
    [InlineData("TensorProto", "float_data", 4, FieldType.Float, true)]
    [InlineData("TensorProto", "raw_data", 9, FieldType.Bytes, false)]
    [InlineData("TensorProto", "double_data", 10, FieldType.Double, true)]
    [InlineData("TensorProto", "uint64_data", 11, FieldType.UInt64, true)]
    [InlineData("TensorProto", "data_location", 14, FieldType.Enum, false)]
    [InlineData("OperatorSetIdProto", "version", 2, FieldType.Int64, false)]
    public void Field_OfAMessage_IsTheSpecifications(string message, string field, int number, FieldType type, bool repeated)
    {
        FieldDescriptor descriptor = File.FindTypeByName<MessageDescriptor>(message).FindFieldByName(field);
        Assert.NotNull(descriptor);
        Assert.Equal((number, type, repeated), (descriptor.FieldNumber, descriptor.FieldType, descriptor.IsRepeated));
    }

    [Fact]
    public void Schema_HasEveryMessageAndEnum()
    {
        Assert.Equal(
            ["AttributeProto", "FunctionProto", "GraphProto", "ModelProto", "NodeProto", "OperatorSetIdProto", "SparseTensorProto", "StringStringEntryProto", "TensorAnnotation", "TensorProto", "TensorShapeProto", "TrainingInfoProto", "TypeProto", "ValueInfoProto"],
            File.MessageTypes.Select(message => message.Name).Order(StringComparer.Ordinal));
        Assert.Equal(["OperatorStatus", "Version"], File.EnumTypes.Select(value => value.Name).Order(StringComparer.Ordinal));
        Assert.Equal(["Map", "Optional", "Sequence", "SparseTensor", "Tensor"], TypeProto.Descriptor.NestedTypes.Select(message => message.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Oneof_Members_AreTheSpecifications()
    {
        Assert.Equal(["dim_param", "dim_value"], Members(TensorShapeProto.Types.Dimension.Descriptor));
        Assert.Equal(["map_type", "optional_type", "sequence_type", "sparse_tensor_type", "tensor_type"], Members(TypeProto.Descriptor));

        static IEnumerable<string> Members(MessageDescriptor message) =>
            message.Oneofs.Single(oneof => oneof.Name == "value").Fields.Select(field => field.Name).Order(StringComparer.Ordinal);
    }

    [Fact]
    public void Enum_Values_AreTheSpecifications()
    {
        Assert.Equal((1, 7, 9, 11), ((int)TensorProto.Types.DataType.Float, (int)TensorProto.Types.DataType.Int64, (int)TensorProto.Types.DataType.Bool, (int)TensorProto.Types.DataType.Double));
        Assert.Equal((1, 2, 7, 11), ((int)AttributeProto.Types.AttributeType.Float, (int)AttributeProto.Types.AttributeType.Int, (int)AttributeProto.Types.AttributeType.Ints, (int)AttributeProto.Types.AttributeType.SparseTensor));
        Assert.Equal(8, (int)Schema.Version.IrVersion);
    }

    [Fact]
    public void Field_SetToItsDefault_IsWritten()
    {
        // ONNX's own schema has presence: a reader must see axis = 0 as given.
        Assert.True(new AttributeProto { I = 0 }.HasI);
        Assert.Equal(2, new AttributeProto { I = 0 }.CalculateSize());
    }

    [Fact]
    public void GeneratedTypes_AreInternal() => Assert.DoesNotContain(typeof(OnnxClassifierWriter).Assembly.GetExportedTypes(), type => type.Namespace == typeof(ModelProto).Namespace);
}
