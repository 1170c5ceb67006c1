using Ulmfit.Model;
using static Ulmfit.Onnx.Export.GraphBuilder;

namespace Ulmfit.Onnx.Export;

/// <summary>What comes after the encoder, always float32: the head of a <see cref="HeadKind"/>, from what is taken of the states to probabilities.</summary>
internal static class HeadGraph
{
    /// <summary>Adds the weights.</summary>
    /// <returns>Whether there is a projection.</returns>
    public static bool AddWeights(GraphBuilder graph, string direction, ClassifierConfig config, CheckedWeights source, StateDict weights)
    {
        switch (config.Head)
        {
            case HeadKind.LastState:
                graph.Constant($"{direction}/linear/weight", source.Read(AwdLstmNames.OutputWeight, config.Logits, config.PooledSize), config.Logits, config.PooledSize);
                graph.Constant($"{direction}/linear/bias", source.Read(AwdLstmNames.OutputBias, config.Logits), config.Logits);
                return false;
            case HeadKind.Features:
                return AddFeatureWeights(graph, $"{direction}/features", config, source, weights);
            default:
                AddBlockWeights(graph, $"{direction}/head0", source, 0, config.PooledSize, config.HeadHiddenSize);
                AddBlockWeights(graph, $"{direction}/head1", source, 1, config.HeadHiddenSize, config.Classes);
                return false;
        }
    }

    /// <summary>Adds the nodes.</summary>
    /// <param name="graph">Where they go.</param>
    /// <param name="layout">The direction.</param>
    /// <param name="pooled">Name of what is taken of the states, <c>[batch, pooled]</c>.</param>
    /// <returns>Name of the probabilities, <c>[batch, classes]</c>.</returns>
    public static string Add(GraphBuilder graph, DirectionLayout layout, string pooled)
    {
        string direction = layout.Direction;
        switch (layout.Config.Head)
        {
            case HeadKind.LastState:
                return AddLastState(graph, direction, layout.Config, pooled);
            case HeadKind.Features:
                return AddFeatures(graph, $"{direction}/features", layout.HasProjection, pooled);
            default:
                string hidden = graph.Node("Relu", $"{direction}/head/relu", [AddBlock(graph, $"{direction}/head0", pooled)]);
                return graph.Node("Softmax", $"{direction}/softmax", [AddBlock(graph, $"{direction}/head1", hidden)], Attribute("axis", 1));
        }
    }

    /// <summary>The mean of the directions' probabilities (Howard &amp; Ruder 2018, 3.3), under the given name.</summary>
    public static void AddMean(GraphBuilder graph, string output, string[] probabilities)
    {
        if (probabilities.Length == 1)
        {
            graph.NodeInto(output, "Identity", "output", [probabilities[0]]);
            return;
        }

        string sum = graph.Node("Add", "output/sum", probabilities);
        graph.NodeInto(output, "Mul", "output/mean", [sum, graph.Scalar("output/half", 0.5f)]);
    }

    private static bool AddFeatureWeights(GraphBuilder graph, string name, ClassifierConfig config, CheckedWeights source, StateDict weights)
    {
        int features = config.PooledSize, components = features;
        graph.Constant($"{name}/mean", source.Read(FeatureNames.Mean, features), features);
        graph.Constant($"{name}/deviation", source.Read(FeatureNames.Deviation, features), features);
        bool projected = weights.TryGet(FeatureNames.Projection, out Tensor? projection);
        if (projected)
        {
            components = projection!.Shape[0];
            graph.Constant($"{name}/projection/weight", source.Read(FeatureNames.Projection, components, features), components, features);
        }

        graph.Constant($"{name}/linear/weight", source.Read(FeatureNames.Weight, config.Classes, components), config.Classes, components);
        graph.Constant($"{name}/linear/bias", source.Read(FeatureNames.Bias, config.Classes), config.Classes);
        return projected;
    }

    private static void AddBlockWeights(GraphBuilder graph, string name, CheckedWeights source, int block, int inputs, int outputs)
    {
        graph.Constant($"{name}/norm/scale", source.Read(AwdLstmNames.BatchNormWeight(block), inputs), inputs);
        graph.Constant($"{name}/norm/bias", source.Read(AwdLstmNames.BatchNormBias(block), inputs), inputs);
        graph.Constant($"{name}/norm/mean", source.Read(AwdLstmNames.RunningMean(block), inputs), inputs);
        graph.Constant($"{name}/norm/var", source.Read(AwdLstmNames.RunningVariance(block), inputs), inputs);
        graph.Constant($"{name}/linear/weight", source.Read(AwdLstmNames.Linear(block), outputs, inputs), outputs, inputs);
    }

    /// <summary>A linear layer on the last states and the probabilities of its logits; of a single logit the sigmoid and what is left to 1.</summary>
    private static string AddLastState(GraphBuilder graph, string direction, ClassifierConfig config, string last)
    {
        string logits = graph.Node(
            "Gemm", $"{direction}/linear", [last, graph.Weight($"{direction}/linear/weight"), graph.Weight($"{direction}/linear/bias")], Attribute("transB", 1));
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
    private static string AddFeatures(GraphBuilder graph, string name, bool projected, string pooled)
    {
        string centred = graph.Node("Sub", $"{name}/centred", [pooled, graph.Weight($"{name}/mean")]);
        string x = graph.Node("Div", $"{name}/standardised", [centred, graph.Weight($"{name}/deviation")]);
        if (projected)
        {
            x = graph.Node("Gemm", $"{name}/projection", [x, graph.Weight($"{name}/projection/weight")], Attribute("transB", 1));
        }

        string logits = graph.Node("Gemm", $"{name}/linear", [x, graph.Weight($"{name}/linear/weight"), graph.Weight($"{name}/linear/bias")], Attribute("transB", 1));
        return graph.Node("Softmax", $"{name}/softmax", [logits], Attribute("axis", 1));
    }

    /// <summary>BatchNorm with its running statistics and the linear layer: <c>[batch, inputs]</c> to <c>[batch, outputs]</c>.</summary>
    private static string AddBlock(GraphBuilder graph, string name, string input)
    {
        string[] inputs = [input, graph.Weight($"{name}/norm/scale"), graph.Weight($"{name}/norm/bias"), graph.Weight($"{name}/norm/mean"), graph.Weight($"{name}/norm/var")];
        string normal = graph.Node("BatchNormalization", $"{name}/norm", inputs, Attribute("epsilon", ClassifierConfig.BatchNormEpsilon));
        return graph.Node("Gemm", $"{name}/linear", [normal, graph.Weight($"{name}/linear/weight")], Attribute("transB", 1));
    }
}
