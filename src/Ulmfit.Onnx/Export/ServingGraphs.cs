using Ulmfit.Onnx.Schema;

namespace Ulmfit.Onnx.Export;

/// <summary>
/// The graphs that answer, put over the constants of a published file. The file's own graph takes whole documents; these can be cut
/// anywhere in a document and joined by direction: an encoder takes states and gives states, and the head takes what was pooled.
/// </summary>
/// <remarks>
/// The large constants of float32 stay where they are: copying and parsing hundreds of megabytes is much of a start. Those of int8 are
/// copied, because on some processors ONNX Runtime makes other weights of them when it loads a model (see <c>Sessions</c>).
/// </remarks>
internal static class ServingGraphs
{
    /// <summary>Input of an encoder: tokens in the order they are read, int64 <c>[time, batch]</c>.</summary>
    public const string Tokens = "tokens";

    /// <summary>Output of an encoder: the last layer's outputs, <c>[time, 1, batch, width]</c>.</summary>
    public const string Output = "output";

    /// <summary>Output of the head: <c>[batch, classes]</c>.</summary>
    public const string Probabilities = OnnxClassifierWriter.ProbabilitiesOutput;

    /// <summary>State that a layer begins with, <c>[1, batch, width]</c>.</summary>
    public static string Hidden(int layer) => $"h{layer}";

    /// <summary>Cell that a layer begins with, <c>[1, batch, width]</c>.</summary>
    public static string Cell(int layer) => $"c{layer}";

    /// <summary>State that a layer ends with, <c>[1, batch, width]</c>.</summary>
    public static string NextHidden(int layer) => $"next_h{layer}";

    /// <summary>Cell that a layer ends with, <c>[1, batch, width]</c>.</summary>
    public static string NextCell(int layer) => $"next_c{layer}";

    /// <summary>What the head takes of a direction, <c>[batch, pooled]</c>.</summary>
    public static string Pooled(string direction) => $"{direction}/pooled";

    /// <summary>The encoder of a direction. In float32 its weights are not copied.</summary>
    public static ServingGraph Encoder(OnnxFile file, DirectionLayout layout)
    {
        var graph = new GraphBuilder("ulmfit_encoder");
        graph.Input(Tokens, TensorProto.Types.DataType.Int64, "time", "batch");
        int layers = layout.Config.Encoder.Layers;
        for (int layer = 0; layer < layers; layer++)
        {
            graph.Input(Hidden(layer), TensorProto.Types.DataType.Float, 1L, "batch", layout.WidthOf(layer));
            graph.Input(Cell(layer), TensorProto.Types.DataType.Float, 1L, "batch", layout.WidthOf(layer));
        }

        string input = layout.IsInt8 ? Int8Encoder.AddEmbedding(graph, layout.Direction, Tokens) : Float32Encoder.AddEmbedding(graph, layout.Direction, Tokens);
        for (int layer = 0; layer < layers; layer++)
        {
            string name = $"{layout.Direction}/lstm{layer}", sequence = layer == layers - 1 ? Output : $"{name}/sequence";
            string[] outputs = [sequence, NextHidden(layer), NextCell(layer)];
            if (layout.IsInt8)
            {
                Int8Encoder.AddLayer(graph, name, layout.WidthOf(layer), input, "", Hidden(layer), Cell(layer), outputs);
            }
            else
            {
                Float32Encoder.AddLayer(graph, name, layout.WidthOf(layer), input, "", Hidden(layer), Cell(layer), outputs);
            }

            if (layer < layers - 1)
            {
                input = graph.Node("Squeeze", $"{name}/output", [sequence, graph.Constant($"{name}/output/axes", [1L], 1)]);
            }
        }

        graph.Output(Output, TensorProto.Types.DataType.Float, "time", 1L, "batch", layout.WidthOf(layers - 1));
        for (int layer = 0; layer < layers; layer++)
        {
            graph.Output(NextHidden(layer), TensorProto.Types.DataType.Float, 1L, "batch", layout.WidthOf(layer));
            graph.Output(NextCell(layer), TensorProto.Types.DataType.Float, 1L, "batch", layout.WidthOf(layer));
        }

        return Compose(file, graph, constant => constant.Type == TensorProto.Types.DataType.Float && constant.Shape.Count > 1 && !layout.IsInt8);
    }

    /// <summary>The heads of the directions and the mean of their probabilities.</summary>
    public static ServingGraph Head(OnnxFile file, IReadOnlyList<DirectionLayout> layouts)
    {
        var graph = new GraphBuilder("ulmfit_head");
        foreach (DirectionLayout layout in layouts)
        {
            graph.Input(Pooled(layout.Direction), TensorProto.Types.DataType.Float, "batch", layout.Config.PooledSize);
        }

        HeadGraph.AddMean(graph, Probabilities, [.. layouts.Select(layout => HeadGraph.Add(graph, layout, Pooled(layout.Direction)))]);
        graph.Output(Probabilities, TensorProto.Types.DataType.Float, "batch", layouts[0].Config.Classes);
        return Compose(file, graph, _ => false);
    }

    private static ServingGraph Compose(OnnxFile file, GraphBuilder graph, Func<OnnxConstant, bool> stays)
    {
        var given = new List<OnnxConstant>();
        var copied = new List<string>();
        foreach (string name in graph.Borrowed)
        {
            if (!file.Constants.TryGetValue(name, out OnnxConstant? constant))
            {
                throw new InvalidDataException($"The ONNX file lacks the constant '{name}'.");
            }

            if (stays(constant))
            {
                given.Add(constant);
                graph.Graph.Initializer.Add(Described(constant));
            }
            else
            {
                copied.Add(name);
            }
        }

        return new ServingGraph(file.Compose(OnnxClassifierWriter.NewModel("serverless-ulmfit"), graph.Graph, copied), given);
    }

    // Without its values, which the session is given. ONNX Runtime wants to know a place that exists for what is not in the model, and
    // does not look there for what it is given.
    private static TensorProto Described(OnnxConstant constant) => new()
    {
        Name = constant.Name,
        DataType = (int)constant.Type,
        Dims = { constant.Shape.Select(extent => (long)extent) },
        DataLocation = TensorProto.Types.DataLocation.External,
        ExternalData = { new StringStringEntryProto { Key = "location", Value = "." } },
    };
}

/// <summary>A graph over the constants of a file.</summary>
/// <param name="Model">The model, serialised.</param>
/// <param name="Given">Those of its constants whose values it lacks: its session is given them where they stand in the file.</param>
internal sealed record ServingGraph(byte[] Model, IReadOnlyList<OnnxConstant> Given);
