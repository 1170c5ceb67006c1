using Ulmfit.Model;
using static Ulmfit.Onnx.Export.GraphBuilder;

namespace Ulmfit.Onnx.Export;

/// <summary>The encoder of a direction in float32: embedding and the operator <c>LSTM</c>.</summary>
internal static class Float32Encoder
{
    private const string Prefix = AwdLstmNames.ClassifierEncoder;

    /// <summary>Adds the weights.</summary>
    public static void AddWeights(GraphBuilder graph, string direction, AwdLstmConfig encoder, CheckedWeights source)
    {
        graph.Constant(
            $"{direction}/embedding/weight",
            source.Read(AwdLstmNames.Embedding(Prefix), encoder.VocabularySize, encoder.EmbeddingSize),
            encoder.VocabularySize,
            encoder.EmbeddingSize);
        for (int layer = 0; layer < encoder.Layers; layer++)
        {
            int inputs = encoder.InputSizeOf(layer), outputs = encoder.OutputSizeOf(layer);
            string name = $"{direction}/lstm{layer}";
            graph.Constant($"{name}/W", GateOrder.ToOnnx(source.Read(AwdLstmNames.InputWeight(Prefix, layer), 4 * outputs, inputs)), 1, 4 * outputs, inputs);
            graph.Constant($"{name}/R", GateOrder.ToOnnx(source.Read(AwdLstmNames.HiddenWeight(Prefix, layer), 4 * outputs, outputs)), 1, 4 * outputs, outputs);
            float[] bias =
            [
                .. GateOrder.ToOnnx(source.Read(AwdLstmNames.InputBias(Prefix, layer), 4 * outputs)),
                .. GateOrder.ToOnnx(source.Read(AwdLstmNames.HiddenBias(Prefix, layer), 4 * outputs)),
            ];
            graph.Constant($"{name}/B", bias, 1, 8 * outputs);
        }
    }

    /// <summary>From tokens <c>[time, batch]</c> to <c>[time, batch, embedding]</c>.</summary>
    public static string AddEmbedding(GraphBuilder graph, string direction, string tokens) =>
        graph.Node("Gather", $"{direction}/embedding", [graph.Weight($"{direction}/embedding/weight"), tokens], Attribute("axis", 0));

    /// <summary>Adds a layer.</summary>
    /// <param name="graph">Where the nodes go.</param>
    /// <param name="name">The layer's name.</param>
    /// <param name="width">Width of its states.</param>
    /// <param name="input">Its input, <c>[time, batch, input]</c>.</param>
    /// <param name="lengths">Lengths, int32 <c>[batch]</c>; empty where all are as long as the input.</param>
    /// <param name="hidden">The state it begins with, <c>[1, batch, width]</c>; empty for zeros.</param>
    /// <param name="cell">The cell it begins with, likewise.</param>
    /// <param name="outputs">Names for its outputs <c>[time, 1, batch, width]</c>, last states and last cells <c>[1, batch, width]</c>.</param>
    public static void AddLayer(GraphBuilder graph, string name, int width, string input, string lengths, string hidden, string cell, string[] outputs)
    {
        string[] inputs = [input, graph.Weight($"{name}/W"), graph.Weight($"{name}/R"), graph.Weight($"{name}/B"), lengths, hidden, cell];
        graph.NodeInto(outputs, "LSTM", name, [.. inputs.Take(cell.Length > 0 ? 7 : 5)], Attribute("hidden_size", width));
    }
}
