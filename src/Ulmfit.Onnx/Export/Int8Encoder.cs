using Ulmfit.Model;
using Ulmfit.Onnx.Schema;
using static Ulmfit.Onnx.Export.GraphBuilder;

namespace Ulmfit.Onnx.Export;

/// <summary>
/// The encoder of a direction in int8: a quantised embedding and ONNX Runtime's operator <c>DynamicQuantizeLSTM</c>, with the range
/// of its activations held.
/// </summary>
/// <remarks>
/// <para>
/// The operator quantises what it multiplies by a scale that it takes from the least and the greatest value of the whole input,
/// of all time steps and all documents of a batch. So left to itself it gives a document other bits in other company, or cut
/// elsewhere. Here every input has two values more, which no weight reads and which never change: in the embedding the ends of
/// its table's range, in each layer two units whose state is 1 and -1 whatever the others do. Since a state is o·tanh(c), within
/// (-1, 1), they always are the least and the greatest, and so the scale is a constant. What is summed is integers then,
/// exactly, in any order, and a document's bits are its own: alone, in any batch, in any chunks.
/// </para>
/// <para>
/// The two units: the input gate is shut and the other two are open, by biases, so that the cell keeps what it begins with, far
/// beyond where tanh is 1. Constants <c>h0</c> and <c>c0</c> hold what the states begin with.
/// </para>
/// <para>
/// Weights are symmetric and by output channel (<see cref="Int8Weights.QuantizeRows"/>), biases float32. The embedding has one scale
/// (<see cref="Int8Weights.QuantizeTable"/>): the first layer quantises its input by one scale in any case, and with the table on the
/// very same steps it loses nothing more.
/// </para>
/// </remarks>
internal static class Int8Encoder
{
    /// <summary>How many units hold the range, behind the others.</summary>
    public const int RangeUnits = 2;

    // Beyond where the logistic function and tanh are constant in float32.
    private const float Open = 100, KeptCell = 1e6f;

    private const string Prefix = AwdLstmNames.ClassifierEncoder;
    private const string Domain = "com.microsoft";

    /// <summary>Adds the weights, quantised.</summary>
    public static void AddWeights(GraphBuilder graph, string direction, AwdLstmConfig encoder, CheckedWeights source)
    {
        AddTable(graph, direction, encoder, source.Read(AwdLstmNames.Embedding(Prefix), encoder.VocabularySize, encoder.EmbeddingSize));
        for (int layer = 0; layer < encoder.Layers; layer++)
        {
            int inputs = encoder.InputSizeOf(layer), outputs = encoder.OutputSizeOf(layer), width = outputs + RangeUnits;
            string name = $"{direction}/lstm{layer}";
            AddProduct(graph, $"{name}/W", GateOrder.ToOnnx(source.Read(AwdLstmNames.InputWeight(Prefix, layer), 4 * outputs, inputs)), inputs, outputs);
            AddProduct(graph, $"{name}/R", GateOrder.ToOnnx(source.Read(AwdLstmNames.HiddenWeight(Prefix, layer), 4 * outputs, outputs)), outputs, outputs);

            float[] bias = new float[8 * width];
            CopyGates(GateOrder.ToOnnx(source.Read(AwdLstmNames.InputBias(Prefix, layer), 4 * outputs)), bias.AsSpan(0, 4 * width), outputs);
            CopyGates(GateOrder.ToOnnx(source.Read(AwdLstmNames.HiddenBias(Prefix, layer), 4 * outputs)), bias.AsSpan(4 * width), outputs);

            // Of the gates i, o, f, c the first is shut, the next two are open, and what the last would put in is nothing.
            ReadOnlySpan<float> held = [-Open, Open, Open, 0];
            for (int gate = 0; gate < 4; gate++)
            {
                bias.AsSpan((gate * width) + outputs, RangeUnits).Fill(held[gate]);
            }

            graph.Constant($"{name}/B", bias, 1, 8 * width);
            graph.Constant($"{name}/h0", Beginning(outputs, 1), 1, 1, width);
            graph.Constant($"{name}/c0", Beginning(outputs, KeptCell), 1, 1, width);
        }
    }

    /// <summary>From tokens <c>[time, batch]</c> to <c>[time, batch, embedding and the ends of its range]</c>.</summary>
    public static string AddEmbedding(GraphBuilder graph, string direction, string tokens)
    {
        string steps = graph.Node("Gather", $"{direction}/embedding/steps", [graph.Weight($"{direction}/embedding/weight"), tokens], Attribute("axis", 0));
        string numbers = graph.Node("Cast", $"{direction}/embedding/numbers", [steps], Attribute("to", (long)TensorProto.Types.DataType.Float));
        return graph.Node("Mul", $"{direction}/embedding", [numbers, graph.Weight($"{direction}/embedding/scale")]);
    }

    /// <summary>Adds a layer, as <see cref="Float32Encoder.AddLayer"/> does; its states begin with what is given.</summary>
    public static void AddLayer(GraphBuilder graph, string name, int width, string input, string lengths, string hidden, string cell, string[] outputs)
    {
        string[] inputs =
        [
            input, graph.Weight($"{name}/W"), graph.Weight($"{name}/R"), graph.Weight($"{name}/B"), lengths, hidden, cell, "",
            graph.Weight($"{name}/W/scale"), graph.Weight($"{name}/W/zero"), graph.Weight($"{name}/R/scale"), graph.Weight($"{name}/R/zero"),
        ];
        graph.NodeOf(Domain, outputs, "DynamicQuantizeLSTM", name, inputs, Attribute("hidden_size", width));
    }

    /// <summary>The states that every document begins with, for a batch: <c>[1, batch, width]</c>.</summary>
    /// <param name="graph">Where the nodes go.</param>
    /// <param name="name">The layer's name.</param>
    /// <param name="constant"><c>h0</c> or <c>c0</c>.</param>
    /// <param name="shape">Name of the shape <c>[1, batch, 1]</c>.</param>
    public static string AddBeginning(GraphBuilder graph, string name, string constant, string shape) =>
        graph.Node("Expand", $"{name}/{constant}/batch", [graph.Weight($"{name}/{constant}"), shape]);

    private static void AddTable(GraphBuilder graph, string direction, AwdLstmConfig encoder, float[] table)
    {
        sbyte[] values = new sbyte[table.Length];
        float scale = Int8Weights.QuantizeTable(table, values);
        int size = encoder.EmbeddingSize, width = size + RangeUnits;
        sbyte[] rows = new sbyte[encoder.VocabularySize * width];
        for (int row = 0; row < encoder.VocabularySize; row++)
        {
            values.AsSpan(row * size, size).CopyTo(rows.AsSpan(row * width));
            rows[(row * width) + size] = sbyte.MinValue;
            rows[(row * width) + size + 1] = sbyte.MaxValue;
        }

        graph.Constant($"{direction}/embedding/weight", rows, encoder.VocabularySize, width);
        graph.Scalar($"{direction}/embedding/scale", scale);
    }

    // Rows are output channels; the operator wants them as columns, [1, inputs, 4·width].
    private static void AddProduct(GraphBuilder graph, string name, float[] weights, int inputs, int outputs)
    {
        int width = outputs + RangeUnits, columns = 4 * width;
        sbyte[] values = new sbyte[weights.Length];
        float[] rowScales = new float[4 * outputs], scales = new float[columns];
        Int8Weights.QuantizeRows(weights, 4 * outputs, values, rowScales);
        scales.AsSpan().Fill(1);
        CopyGates(rowScales, scales, outputs);

        // The rows of the two units that hold the range stay zero, and so do their columns.
        sbyte[] transposed = new sbyte[(inputs + RangeUnits) * columns];
        for (int row = 0; row < 4 * outputs; row++)
        {
            int column = (row / outputs * width) + (row % outputs);
            for (int i = 0; i < inputs; i++)
            {
                transposed[(i * columns) + column] = values[(row * inputs) + i];
            }
        }

        graph.Constant(name, transposed, 1, inputs + RangeUnits, columns);
        graph.Constant($"{name}/scale", scales, 1, columns);
        graph.Constant($"{name}/zero", new sbyte[1], 1);
    }

    private static float[] Beginning(int outputs, float magnitude)
    {
        float[] state = new float[outputs + RangeUnits];
        state[outputs] = -magnitude;
        state[outputs + 1] = magnitude;
        return state;
    }

    // From blocks of [outputs] to blocks of [outputs + RangeUnits].
    private static void CopyGates(ReadOnlySpan<float> source, Span<float> destination, int outputs)
    {
        for (int gate = 0; gate < 4; gate++)
        {
            source.Slice(gate * outputs, outputs).CopyTo(destination[(gate * (outputs + RangeUnits))..]);
        }
    }
}
