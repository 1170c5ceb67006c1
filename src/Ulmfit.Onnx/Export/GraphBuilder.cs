using System.Runtime.InteropServices;
using Google.Protobuf;
using Ulmfit.Onnx.Schema;

namespace Ulmfit.Onnx.Export;

/// <summary>
/// Puts a graph together. A node's outputs are named after the node, so names are unique as long as nodes' names are,
/// and a node can only name values that are there, so the nodes lie in topological order.
/// </summary>
internal sealed class GraphBuilder(string name)
{
    private readonly HashSet<string> values = new(StringComparer.Ordinal);
    private readonly List<string> borrowed = [];

    /// <summary>The graph so far.</summary>
    public GraphProto Graph { get; } = new() { Name = name };

    /// <summary>The constants that <see cref="Weight"/> was asked for and that the graph does not hold itself.</summary>
    public IReadOnlyCollection<string> Borrowed => borrowed;

    /// <summary>Declares an input of the graph; a dimension is a name or a number.</summary>
    public void Input(string value, TensorProto.Types.DataType type, params object[] dimensions)
    {
        Define(value);
        Graph.Input.Add(ValueInfo(value, type, dimensions));
    }

    /// <summary>Declares a value as output of the graph; a dimension is a name or a number.</summary>
    public void Output(string value, TensorProto.Types.DataType type, params object[] dimensions)
    {
        Use(value);
        Graph.Output.Add(ValueInfo(value, type, dimensions));
    }

    /// <summary>Names a constant that was added, or that will be put beside the graph; see <see cref="Borrowed"/>.</summary>
    public string Weight(string value)
    {
        if (values.Add(value))
        {
            borrowed.Add(value);
        }

        return value;
    }

    /// <summary>Adds a node with one output, and returns the output's name. An empty input name leaves an optional input out.</summary>
    public string Node(string operation, string node, string[] inputs, params AttributeProto[] attributes)
    {
        NodeInto(node, operation, node, inputs, attributes);
        return node;
    }

    /// <summary>Adds a node with one output of the given name.</summary>
    public void NodeInto(string output, string operation, string node, string[] inputs, params AttributeProto[] attributes) =>
        NodeInto([output], operation, node, inputs, attributes);

    /// <summary>Adds a node with the given outputs; an empty name leaves an optional output out.</summary>
    public void NodeInto(string[] outputs, string operation, string node, string[] inputs, params AttributeProto[] attributes) =>
        NodeOf("", outputs, operation, node, inputs, attributes);

    /// <summary>Adds a node of another domain than ONNX's own.</summary>
    public void NodeOf(string domain, string[] outputs, string operation, string node, string[] inputs, params AttributeProto[] attributes)
    {
        foreach (string input in inputs.Where(input => input.Length > 0))
        {
            Use(input);
        }

        foreach (string output in outputs.Where(output => output.Length > 0))
        {
            Define(output);
        }

        var added = new NodeProto { Name = node, OpType = operation, Input = { inputs }, Output = { outputs }, Attribute = { attributes } };
        if (domain.Length > 0)
        {
            added.Domain = domain;
        }

        Graph.Node.Add(added);
    }

    /// <summary>Adds a constant tensor of floats, and returns its name.</summary>
    public string Constant(string value, ReadOnlySpan<float> data, params long[] shape) =>
        Constant(value, TensorProto.Types.DataType.Float, MemoryMarshal.AsBytes(data), shape);

    /// <summary>Adds a constant tensor of small integers, and returns its name.</summary>
    public string Constant(string value, ReadOnlySpan<sbyte> data, params long[] shape) =>
        Constant(value, TensorProto.Types.DataType.Int8, MemoryMarshal.AsBytes(data), shape);

    /// <summary>Adds a constant tensor of integers, and returns its name.</summary>
    public string Constant(string value, ReadOnlySpan<long> data, params long[] shape) =>
        Constant(value, TensorProto.Types.DataType.Int64, MemoryMarshal.AsBytes(data), shape);

    /// <summary>Adds a constant without dimensions, and returns its name.</summary>
    public string Scalar(string value, float number) => Constant(value, [number]);

    /// <summary>Adds a constant without dimensions, and returns its name.</summary>
    public string Scalar(string value, long number) => Constant(value, [number]);

    public static AttributeProto Attribute(string attribute, long value) =>
        new() { Name = attribute, Type = AttributeProto.Types.AttributeType.Int, I = value };

    public static AttributeProto Attribute(string attribute, float value) =>
        new() { Name = attribute, Type = AttributeProto.Types.AttributeType.Float, F = value };

    public static AttributeProto Attribute(string attribute, params long[] values) =>
        new() { Name = attribute, Type = AttributeProto.Types.AttributeType.Ints, Ints = { values } };

    private string Constant(string value, TensorProto.Types.DataType type, ReadOnlySpan<byte> littleEndian, long[] shape)
    {
        Define(value);
        Graph.Initializer.Add(new TensorProto { Name = value, DataType = (int)type, Dims = { shape }, RawData = ByteString.CopyFrom(littleEndian) });
        return value;
    }

    private static ValueInfoProto ValueInfo(string value, TensorProto.Types.DataType type, object[] dimensions)
    {
        var shape = new TensorShapeProto();
        foreach (object dimension in dimensions)
        {
            shape.Dim.Add(dimension is string symbol
                ? new TensorShapeProto.Types.Dimension { DimParam = symbol }
                : new TensorShapeProto.Types.Dimension { DimValue = Convert.ToInt64(dimension, System.Globalization.CultureInfo.InvariantCulture) });
        }

        return new ValueInfoProto { Name = value, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = shape } } };
    }

    private void Define(string value)
    {
        if (!values.Add(value))
        {
            throw new InvalidOperationException($"The graph has two values named '{value}'.");
        }
    }

    private void Use(string value)
    {
        if (!values.Contains(value))
        {
            throw new InvalidOperationException($"The graph has no value named '{value}' yet.");
        }
    }
}
