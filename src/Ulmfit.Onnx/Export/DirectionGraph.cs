using Ulmfit.Model;
using Ulmfit.Onnx.Schema;
using static Ulmfit.Onnx.Export.GraphBuilder;

namespace Ulmfit.Onnx.Export;

/// <summary>The classifier of one direction as ONNX nodes: embedding, LSTM layers, the head of its <see cref="HeadKind"/>, probabilities.</summary>
internal static class DirectionGraph
{
    public const string Forward = "forward";
    public const string Backward = "backward";

    /// <summary>Bytes of all weights of a direction in a file of float32; one of int8 is smaller.</summary>
    public static long WeightBytes(ClassifierConfig config)
    {
        AwdLstmConfig encoder = config.Encoder;
        long floats = (long)encoder.VocabularySize * encoder.EmbeddingSize;
        for (int layer = 0; layer < encoder.Layers; layer++)
        {
            long input = encoder.InputSizeOf(layer), output = encoder.OutputSizeOf(layer);
            floats += 4 * output * (input + output + 2);
        }

        if (config.Head == HeadKind.LastState)
        {
            return (floats + (config.Logits * (config.PooledSize + 1L))) * sizeof(float);
        }

        if (config.Head == HeadKind.Features)
        {
            // Mean and deviation, and at most as many components as features.
            return (floats + (config.PooledSize * (config.PooledSize + 2L)) + (config.Classes * (config.PooledSize + 1L))) * sizeof(float);
        }

        floats += config.PooledSize * 4L + (long)config.HeadHiddenSize * config.PooledSize;
        floats += config.HeadHiddenSize * 4L + (long)config.Classes * config.HeadHiddenSize;
        return floats * sizeof(float);
    }

    /// <summary>Adds a direction.</summary>
    /// <param name="graph">Where the nodes go.</param>
    /// <param name="direction"><see cref="Forward"/> or <see cref="Backward"/>; prefix of all names.</param>
    /// <param name="weights">The classifier.</param>
    /// <param name="isInt8">Whether to quantise embedding and LSTM layers.</param>
    /// <param name="tokens">Name of the tokens, int64 <c>[time, batch]</c>, in reading order of the text.</param>
    /// <param name="lengths">Name of the lengths, int64 <c>[batch]</c>.</param>
    /// <returns>Name of the probabilities, <c>[batch, classes]</c>.</returns>
    public static string Add(GraphBuilder graph, string direction, DirectionWeights weights, bool isInt8, string tokens, string lengths)
    {
        ClassifierConfig config = weights.Config;
        var source = new CheckedWeights(direction, weights.Weights);
        if (isInt8)
        {
            Int8Encoder.AddWeights(graph, direction, config.Encoder, source);
        }
        else
        {
            Float32Encoder.AddWeights(graph, direction, config.Encoder, source);
        }

        bool hasProjection = HeadGraph.AddWeights(graph, direction, config, source, weights.Weights);
        var layout = new DirectionLayout(direction, config, isInt8, hasProjection);
        if (layout.IsBackward)
        {
            // Each document by its own length, so that its padding stays at the end.
            tokens = graph.Node("ReverseSequence", $"{direction}/reversed", [tokens, lengths], Attribute("time_axis", 0), Attribute("batch_axis", 1));
        }

        (string output, string last) = AddEncoder(graph, layout, tokens, lengths);
        string pooled = config.Head == HeadKind.LastState ? last : AddConcatPooling(graph, $"{direction}/pool", config.MaxLength, output, last, lengths);
        return HeadGraph.Add(graph, layout, pooled);
    }

    /// <summary>The weights of a direction that <see cref="Add"/> added in float32.</summary>
    /// <param name="constants">The graph's constants.</param>
    /// <param name="direction"><see cref="Forward"/> or <see cref="Backward"/>.</param>
    /// <exception cref="InvalidDataException">A constant is missing or malformed, or int8.</exception>
    public static DirectionWeights Read(GraphConstants constants, string direction)
    {
        const string Prefix = AwdLstmNames.ClassifierEncoder;
        var weights = new StateDict { [AwdLstmNames.Embedding(Prefix)] = constants.Read($"{direction}/embedding/weight") };
        var layout = DirectionLayout.Read(constants, direction);
        for (int layer = 0; layer < layout.Config.Encoder.Layers; layer++)
        {
            Tensor input = constants.Read($"{direction}/lstm{layer}/W"), recurrent = constants.Read($"{direction}/lstm{layer}/R"), bias = constants.Read($"{direction}/lstm{layer}/B");
            int gates = recurrent.Shape[1];
            weights[AwdLstmNames.InputWeight(Prefix, layer)] = new Tensor([gates, input.Shape[2]], GateOrder.ToPyTorch(input.Data));
            weights[AwdLstmNames.HiddenWeight(Prefix, layer)] = new Tensor([gates, recurrent.Shape[2]], GateOrder.ToPyTorch(recurrent.Data));
            weights[AwdLstmNames.InputBias(Prefix, layer)] = new Tensor([gates], GateOrder.ToPyTorch(bias.Data.AsSpan(0, gates)));
            weights[AwdLstmNames.HiddenBias(Prefix, layer)] = new Tensor([gates], GateOrder.ToPyTorch(bias.Data.AsSpan(gates)));
        }

        switch (layout.Config.Head)
        {
            case HeadKind.LastState:
                weights[AwdLstmNames.OutputWeight] = constants.Read($"{direction}/linear/weight");
                weights[AwdLstmNames.OutputBias] = constants.Read($"{direction}/linear/bias");
                break;
            case HeadKind.Features:
                weights[FeatureNames.Weight] = constants.Read($"{direction}/features/linear/weight");
                weights[FeatureNames.Bias] = constants.Read($"{direction}/features/linear/bias");
                weights[FeatureNames.Mean] = constants.Read($"{direction}/features/mean");
                weights[FeatureNames.Deviation] = constants.Read($"{direction}/features/deviation");
                if (layout.HasProjection)
                {
                    weights[FeatureNames.Projection] = constants.Read($"{direction}/features/projection/weight");
                }

                break;
            default:
                for (int block = 0; block < 2; block++)
                {
                    string name = $"{direction}/head{block}";
                    weights[AwdLstmNames.BatchNormWeight(block)] = constants.Read($"{name}/norm/scale");
                    weights[AwdLstmNames.BatchNormBias(block)] = constants.Read($"{name}/norm/bias");
                    weights[AwdLstmNames.RunningMean(block)] = constants.Read($"{name}/norm/mean");
                    weights[AwdLstmNames.RunningVariance(block)] = constants.Read($"{name}/norm/var");
                    weights[AwdLstmNames.Linear(block)] = constants.Read($"{name}/linear/weight");
                }

                break;
        }

        return new DirectionWeights(layout.Config, weights);
    }

    /// <summary>From tokens to the last layer's outputs <c>[time, batch, output]</c> and the state after each document's last token <c>[batch, output]</c>.</summary>
    private static (string Output, string Last) AddEncoder(GraphBuilder graph, DirectionLayout layout, string tokens, string lengths)
    {
        string direction = layout.Direction;
        int layers = layout.Config.Encoder.Layers;
        string lengths32 = graph.Node("Cast", $"{direction}/lstm/lengths", [lengths], Attribute("to", (long)TensorProto.Types.DataType.Int32));
        string batch = layout.IsInt8 ? AddBatchShape(graph, direction, tokens) : "";
        string output = layout.IsInt8 ? Int8Encoder.AddEmbedding(graph, direction, tokens) : Float32Encoder.AddEmbedding(graph, direction, tokens);
        string last = "";
        for (int layer = 0; layer < layers; layer++)
        {
            string name = $"{direction}/lstm{layer}", sequence = $"{name}/sequence", final = $"{name}/final";
            if (layout.IsInt8)
            {
                string hidden = Int8Encoder.AddBeginning(graph, name, "h0", batch), cell = Int8Encoder.AddBeginning(graph, name, "c0", batch);
                Int8Encoder.AddLayer(graph, name, layout.WidthOf(layer), output, lengths32, hidden, cell, [sequence, final]);
            }
            else
            {
                Float32Encoder.AddLayer(graph, name, layout.WidthOf(layer), output, lengths32, "", "", [sequence, final]);
            }

            output = graph.Node("Squeeze", $"{name}/output", [sequence, graph.Constant($"{name}/output/axes", [1L], 1)]);
            last = graph.Node("Squeeze", $"{name}/last", [final, graph.Constant($"{name}/last/axes", [0L], 1)]);
        }

        if (layout.IsInt8)
        {
            string begin = graph.Constant($"{direction}/states/begin", [0L], 1), end = graph.Constant($"{direction}/states/end", [(long)layout.Config.Encoder.OutputSize], 1);
            output = graph.Node("Slice", $"{direction}/states/output", [output, begin, end, graph.Constant($"{direction}/states/output/axis", [2L], 1)]);
            last = graph.Node("Slice", $"{direction}/states/last", [last, begin, end, graph.Constant($"{direction}/states/last/axis", [1L], 1)]);
        }

        return (output, last);
    }

    // [1, batch, 1], by which a state of one document becomes that of a batch.
    private static string AddBatchShape(GraphBuilder graph, string direction, string tokens)
    {
        string one = graph.Constant($"{direction}/batch/one", [1L], 1);
        string batch = graph.Node("Gather", $"{direction}/batch/size", [graph.Node("Shape", $"{direction}/batch/shape", [tokens]), one], Attribute("axis", 0));
        return graph.Node("Concat", $"{direction}/batch", [one, batch, one], Attribute("axis", 0));
    }

    /// <summary>Last state, maximum and mean over the document's last <paramref name="maxLength"/> tokens: <c>[batch, 3·output]</c>.</summary>
    private static string AddConcatPooling(GraphBuilder graph, string name, int maxLength, string output, string last, string lengths)
    {
        string zero = graph.Scalar($"{name}/zero", 0L), one = graph.Scalar($"{name}/one", 1L);
        string limit = graph.Scalar($"{name}/max_length", (long)maxLength);
        string firstAxis = graph.Constant($"{name}/axis0", [0L], 1), secondAxis = graph.Constant($"{name}/axis1", [1L], 1), thirdAxis = graph.Constant($"{name}/axis2", [2L], 1);

        // Positions [time, 1] against lengths [1, batch]: a token counts from length - maxLength up to length.
        string shape = graph.Node("Shape", $"{name}/shape", [output]);
        string time = graph.Node("Gather", $"{name}/time", [shape, zero], Attribute("axis", 0));
        string positions = graph.Node("Unsqueeze", $"{name}/positions", [graph.Node("Range", $"{name}/range", [zero, time, one]), secondAxis]);
        string ends = graph.Node("Unsqueeze", $"{name}/ends", [lengths, firstAxis]);
        string starts = graph.Node("Sub", $"{name}/starts", [ends, limit]);
        string before = graph.Node("Less", $"{name}/before_end", [positions, ends]);
        string after = graph.Node("GreaterOrEqual", $"{name}/after_start", [positions, starts]);
        string counted = graph.Node("Unsqueeze", $"{name}/mask", [graph.Node("And", $"{name}/counted", [before, after]), thirdAxis]);

        string lowest = graph.Scalar($"{name}/lowest", float.NegativeInfinity);
        string forMaximum = graph.Node("Where", $"{name}/max/masked", [counted, output, lowest]);
        string maximum = graph.Node("ReduceMax", $"{name}/max", [forMaximum], Attribute("axes", [0L]), Attribute("keepdims", 0));

        string forSum = graph.Node("Where", $"{name}/mean/masked", [counted, output, graph.Scalar($"{name}/nothing", 0f)]);
        string sum = graph.Node("ReduceSum", $"{name}/mean/sum", [forSum, firstAxis], Attribute("keepdims", 0));
        string count = graph.Node("Min", $"{name}/count", [lengths, limit]);
        string divisor = graph.Node("Unsqueeze", $"{name}/divisor", [graph.Node("Cast", $"{name}/count/float", [count], Attribute("to", (long)TensorProto.Types.DataType.Float)), secondAxis]);
        string mean = graph.Node("Div", $"{name}/mean", [sum, divisor]);

        return graph.Node("Concat", name, [last, maximum, mean], Attribute("axis", 1));
    }
}
