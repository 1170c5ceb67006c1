using Ulmfit.Model;
using Ulmfit.Onnx.Schema;
using static Ulmfit.Onnx.Export.GraphBuilder;

namespace Ulmfit.Onnx.Export;

/// <summary>The classifier of one direction as ONNX nodes: embedding, LSTM layers, the head of its <see cref="HeadKind"/>, probabilities.</summary>
internal static class DirectionGraph
{
    public const string Forward = "forward";
    public const string Backward = "backward";

    /// <summary>Bytes of all weights of a direction in the file.</summary>
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
    /// <param name="tokens">Name of the tokens, int64 <c>[time, batch]</c>, in reading order of the text.</param>
    /// <param name="lengths">Name of the lengths, int64 <c>[batch]</c>.</param>
    /// <returns>Name of the probabilities, <c>[batch, classes]</c>.</returns>
    public static string Add(GraphBuilder graph, string direction, DirectionWeights weights, string tokens, string lengths)
    {
        ClassifierConfig config = weights.Config;
        AwdLstmConfig encoder = config.Encoder;
        var source = new CheckedWeights(direction, weights.Weights);

        if (direction == Backward)
        {
            // Each document by its own length, so that its padding stays at the end.
            tokens = graph.Node("ReverseSequence", $"{direction}/reversed", [tokens, lengths], Attribute("time_axis", 0), Attribute("batch_axis", 1));
        }

        string embedding = graph.Constant(
            $"{direction}/embedding/weight",
            source.Read(AwdLstmNames.Embedding(AwdLstmNames.ClassifierEncoder), encoder.VocabularySize, encoder.EmbeddingSize),
            encoder.VocabularySize,
            encoder.EmbeddingSize);
        string output = graph.Node("Gather", $"{direction}/embedding", [embedding, tokens], Attribute("axis", 0));

        string lengths32 = graph.Node("Cast", $"{direction}/lstm/lengths", [lengths], Attribute("to", (long)TensorProto.Types.DataType.Int32));
        string last = "";
        for (int layer = 0; layer < encoder.Layers; layer++)
        {
            (output, last) = AddLstm(graph, $"{direction}/lstm{layer}", source, encoder, layer, output, lengths32);
        }

        if (config.Head == HeadKind.LastState)
        {
            return AddLastStateHead(graph, direction, source, config, last);
        }

        string pooled = AddConcatPooling(graph, $"{direction}/pool", config.MaxLength, output, last, lengths);
        if (config.Head == HeadKind.Features)
        {
            return AddFeatures(graph, $"{direction}/features", source, weights.Weights, config, pooled);
        }

        string hidden = AddHeadBlock(graph, direction, source, 0, config.PooledSize, config.HeadHiddenSize, pooled);
        hidden = graph.Node("Relu", $"{direction}/head/relu", [hidden]);
        string logits = AddHeadBlock(graph, direction, source, 1, config.HeadHiddenSize, config.Classes, hidden);
        return graph.Node("Softmax", $"{direction}/softmax", [logits], Attribute("axis", 1));
    }

    /// <summary>The weights of a direction that <see cref="Add"/> added.</summary>
    /// <param name="constants">The graph's constants.</param>
    /// <param name="direction"><see cref="Forward"/> or <see cref="Backward"/>.</param>
    /// <exception cref="InvalidDataException">A constant is missing or malformed.</exception>
    public static DirectionWeights Read(GraphConstants constants, string direction)
    {
        const string Prefix = AwdLstmNames.ClassifierEncoder;
        Tensor embedding = constants.Read($"{direction}/embedding/weight");
        var weights = new StateDict { [AwdLstmNames.Embedding(Prefix)] = embedding };
        int layers = 0, hidden = 0, lastOutput = 0;
        for (; constants.TryRead($"{direction}/lstm{layers}/W", out Tensor? input); layers++)
        {
            Tensor recurrent = constants.Read($"{direction}/lstm{layers}/R"), bias = constants.Read($"{direction}/lstm{layers}/B");
            if (input.Shape.Count != 3 || recurrent.Shape.Count != 3 || bias.Data.Length != 2 * recurrent.Shape[1] || recurrent.Shape[1] % 4 != 0)
            {
                throw new InvalidDataException($"The LSTM layer {layers} of the {direction} direction has weights of the shapes {input}, {recurrent} and {bias}, which do not fit together.");
            }

            int gates = recurrent.Shape[1];
            lastOutput = recurrent.Shape[2];
            hidden = layers == 0 ? lastOutput : hidden;
            weights[AwdLstmNames.InputWeight(Prefix, layers)] = new Tensor([gates, input.Shape[2]], InPyTorchGateOrder(input.Data));
            weights[AwdLstmNames.HiddenWeight(Prefix, layers)] = new Tensor([gates, recurrent.Shape[2]], InPyTorchGateOrder(recurrent.Data));
            weights[AwdLstmNames.InputBias(Prefix, layers)] = new Tensor([gates], InPyTorchGateOrder(bias.Data.AsSpan(0, gates)));
            weights[AwdLstmNames.HiddenBias(Prefix, layers)] = new Tensor([gates], InPyTorchGateOrder(bias.Data.AsSpan(gates)));
        }

        if (layers == 0 || embedding.Shape.Count != 2)
        {
            throw new InvalidDataException($"The {direction} direction has {layers} LSTM layers and an embedding of the shape {embedding}; that is no classifier of this kind.");
        }

        var encoder = new AwdLstmConfig(embedding.Shape[0], embedding.Shape[1], hidden, layers) { ProjectsToEmbedding = lastOutput == embedding.Shape[1] };
        if (constants.TryRead($"{direction}/linear/weight", out Tensor? linear))
        {
            weights[AwdLstmNames.OutputWeight] = linear;
            weights[AwdLstmNames.OutputBias] = constants.Read($"{direction}/linear/bias");
            return new DirectionWeights(ClassifierConfig.LastState(encoder, Math.Max(2, linear.Shape[0])), weights);
        }

        if (constants.TryRead($"{direction}/features/linear/weight", out Tensor? fitted))
        {
            return new DirectionWeights(ReadFeatures(constants, $"{direction}/features", encoder, fitted, weights) with { MaxLength = (int)constants.ReadInteger($"{direction}/pool/max_length") }, weights);
        }

        for (int block = 0; block < 2; block++)
        {
            string name = $"{direction}/head{block}";
            weights[AwdLstmNames.BatchNormWeight(block)] = constants.Read($"{name}/norm/scale");
            weights[AwdLstmNames.BatchNormBias(block)] = constants.Read($"{name}/norm/bias");
            weights[AwdLstmNames.RunningMean(block)] = constants.Read($"{name}/norm/mean");
            weights[AwdLstmNames.RunningVariance(block)] = constants.Read($"{name}/norm/var");
            weights[AwdLstmNames.Linear(block)] = constants.Read($"{name}/linear/weight");
        }

        Tensor output = weights[AwdLstmNames.Linear(1)];
        if (output.Shape.Count != 2)
        {
            throw new InvalidDataException($"The {direction} direction has an output layer of the shape {output}; that is no ULMFiT classifier.");
        }

        return new DirectionWeights(new ClassifierConfig(encoder, output.Shape[1], output.Shape[0]) { MaxLength = (int)constants.ReadInteger($"{direction}/pool/max_length") }, weights);
    }

    /// <summary>From <c>[time, batch, input]</c> to <c>[time, batch, output]</c> and the state after each document's last token, <c>[batch, output]</c>.</summary>
    private static (string Output, string Last) AddLstm(GraphBuilder graph, string name, CheckedWeights source, AwdLstmConfig encoder, int layer, string input, string lengths32)
    {
        const string Prefix = AwdLstmNames.ClassifierEncoder;
        int inputs = encoder.InputSizeOf(layer), outputs = encoder.OutputSizeOf(layer);
        float[] inputWeight = InOnnxGateOrder(source.Read(AwdLstmNames.InputWeight(Prefix, layer), 4 * outputs, inputs));
        float[] hiddenWeight = InOnnxGateOrder(source.Read(AwdLstmNames.HiddenWeight(Prefix, layer), 4 * outputs, outputs));
        float[] bias =
        [
            .. InOnnxGateOrder(source.Read(AwdLstmNames.InputBias(Prefix, layer), 4 * outputs)),
            .. InOnnxGateOrder(source.Read(AwdLstmNames.HiddenBias(Prefix, layer), 4 * outputs)),
        ];

        string sequence = $"{name}/sequence", final = $"{name}/final";
        graph.NodeInto(
            [sequence, final],
            "LSTM",
            name,
            [
                input,
                graph.Constant($"{name}/W", inputWeight, 1, 4 * outputs, inputs),
                graph.Constant($"{name}/R", hiddenWeight, 1, 4 * outputs, outputs),
                graph.Constant($"{name}/B", bias, 1, 8 * outputs),
                lengths32,
            ],
            Attribute("hidden_size", outputs));
        string squeezed = graph.Node("Squeeze", $"{name}/output", [sequence, graph.Constant($"{name}/output/axes", [1L], 1)]);
        string last = graph.Node("Squeeze", $"{name}/last", [final, graph.Constant($"{name}/last/axes", [0L], 1)]);
        return (squeezed, last);
    }

    /// <summary>PyTorch's gate blocks i, f, g, o in ONNX's order i, o, f, c.</summary>
    private static float[] InOnnxGateOrder(ReadOnlySpan<float> gates) => Blocks(gates, [0, 3, 1, 2]);

    /// <summary>ONNX's gate blocks i, o, f, c in PyTorch's order i, f, g, o.</summary>
    private static float[] InPyTorchGateOrder(ReadOnlySpan<float> gates) => Blocks(gates, [0, 2, 3, 1]);

    private static float[] Blocks(ReadOnlySpan<float> gates, ReadOnlySpan<int> order)
    {
        float[] ordered = new float[gates.Length];
        int block = gates.Length / 4;
        for (int gate = 0; gate < 4; gate++)
        {
            gates.Slice(order[gate] * block, block).CopyTo(ordered.AsSpan(gate * block));
        }

        return ordered;
    }

    /// <summary>A linear layer on the last states and the probabilities of its logits; of a single logit the sigmoid and what is left to 1.</summary>
    private static string AddLastStateHead(GraphBuilder graph, string direction, CheckedWeights source, ClassifierConfig config, string last)
    {
        string weight = graph.Constant($"{direction}/linear/weight", source.Read(AwdLstmNames.OutputWeight, config.Logits, config.PooledSize), config.Logits, config.PooledSize);
        string bias = graph.Constant($"{direction}/linear/bias", source.Read(AwdLstmNames.OutputBias, config.Logits), config.Logits);
        string logits = graph.Node("Gemm", $"{direction}/linear", [last, weight, bias], Attribute("transB", 1));
        if (config.Logits == config.Classes)
        {
            return graph.Node("Softmax", $"{direction}/softmax", [logits], Attribute("axis", 1));
        }

        // Not 1 − σ(z), which loses the small probability's digits.
        string first = graph.Node("Sigmoid", $"{direction}/sigmoid/first", [graph.Node("Neg", $"{direction}/negated", [logits])]);
        string second = graph.Node("Sigmoid", $"{direction}/sigmoid/second", [logits]);
        return graph.Node("Concat", $"{direction}/sigmoid", [first, second], Attribute("axis", 1));
    }

    /// <summary>Pooled states standardised, projected where there is a projection, and classified by a linear layer: <c>[batch, classes]</c>.</summary>
    private static string AddFeatures(GraphBuilder graph, string name, CheckedWeights source, StateDict weights, ClassifierConfig config, string pooled)
    {
        int features = config.PooledSize, components = features;
        string centred = graph.Node("Sub", $"{name}/centred", [pooled, graph.Constant($"{name}/mean", source.Read(FeatureNames.Mean, features), features)]);
        string x = graph.Node("Div", $"{name}/standardised", [centred, graph.Constant($"{name}/deviation", source.Read(FeatureNames.Deviation, features), features)]);
        if (weights.TryGet(FeatureNames.Projection, out Tensor? projection))
        {
            components = projection.Shape[0];
            string directions = graph.Constant($"{name}/projection/weight", source.Read(FeatureNames.Projection, components, features), components, features);
            x = graph.Node("Gemm", $"{name}/projection", [x, directions], Attribute("transB", 1));
        }

        string weight = graph.Constant($"{name}/linear/weight", source.Read(FeatureNames.Weight, config.Classes, components), config.Classes, components);
        string bias = graph.Constant($"{name}/linear/bias", source.Read(FeatureNames.Bias, config.Classes), config.Classes);
        string logits = graph.Node("Gemm", $"{name}/linear", [x, weight, bias], Attribute("transB", 1));
        return graph.Node("Softmax", $"{name}/softmax", [logits], Attribute("axis", 1));
    }

    private static ClassifierConfig ReadFeatures(GraphConstants constants, string name, AwdLstmConfig encoder, Tensor linear, StateDict weights)
    {
        weights[FeatureNames.Weight] = linear;
        weights[FeatureNames.Bias] = constants.Read($"{name}/linear/bias");
        weights[FeatureNames.Mean] = constants.Read($"{name}/mean");
        weights[FeatureNames.Deviation] = constants.Read($"{name}/deviation");
        if (constants.TryRead($"{name}/projection/weight", out Tensor? projection))
        {
            weights[FeatureNames.Projection] = projection;
        }

        return ClassifierConfig.Features(encoder, linear.Shape[0]);
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

    /// <summary>BatchNorm with its running statistics and the linear layer: <c>[batch, inputs]</c> to <c>[batch, outputs]</c>.</summary>
    private static string AddHeadBlock(GraphBuilder graph, string direction, CheckedWeights source, int block, int inputs, int outputs, string input)
    {
        string name = $"{direction}/head{block}";
        string normal = graph.Node(
            "BatchNormalization",
            $"{name}/norm",
            [
                input,
                graph.Constant($"{name}/norm/scale", source.Read(AwdLstmNames.BatchNormWeight(block), inputs), inputs),
                graph.Constant($"{name}/norm/bias", source.Read(AwdLstmNames.BatchNormBias(block), inputs), inputs),
                graph.Constant($"{name}/norm/mean", source.Read(AwdLstmNames.RunningMean(block), inputs), inputs),
                graph.Constant($"{name}/norm/var", source.Read(AwdLstmNames.RunningVariance(block), inputs), inputs),
            ],
            Attribute("epsilon", ClassifierConfig.BatchNormEpsilon));
        string weight = graph.Constant($"{name}/linear/weight", source.Read(AwdLstmNames.Linear(block), outputs, inputs), outputs, inputs);
        return graph.Node("Gemm", $"{name}/linear", [normal, weight], Attribute("transB", 1));
    }

    /// <summary>Weights, each checked for its shape and for being finite: a model of NaN must never be published.</summary>
    private sealed class CheckedWeights(string direction, StateDict weights)
    {
        public float[] Read(string name, params int[] shape)
        {
            float[] data = weights.Require(name, shape).Data;
            foreach (float value in data)
            {
                if (!float.IsFinite(value))
                {
                    throw new InvalidDataException($"The tensor '{name}' of the {direction} direction holds {value}: the training diverged.");
                }
            }

            return data;
        }
    }
}
