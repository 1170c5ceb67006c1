using Ulmfit.Model;

namespace Ulmfit.Onnx.Tests;

/// <summary>The classifier's forward pass in scalar double precision, written from the formulas and sharing nothing with what it checks.</summary>
internal static class ReferenceClassifier
{
    /// <summary>Probabilities of one document: the mean over the directions that are there.</summary>
    public static double[] Predict(DirectionWeights? forward, DirectionWeights? backward, int[] document)
    {
        if (forward is not null && backward is not null)
        {
            return [.. Predict(forward, null, document).Zip(Predict(null, backward, document), (a, b) => (a + b) / 2)];
        }

        return forward is not null ? Predict(forward, document) : Predict(backward!, [.. document.Reverse()]);
    }

    private static double[] Predict(DirectionWeights direction, int[] tokens)
    {
        ClassifierConfig config = direction.Config;
        AwdLstmConfig encoder = config.Encoder;
        const string Prefix = AwdLstmNames.ClassifierEncoder;
        Tensor embedding = direction.Weights[AwdLstmNames.Embedding(Prefix)];
        double[][] sequence = [.. tokens.Select(token => Row(embedding, token))];
        for (int layer = 0; layer < encoder.Layers; layer++)
        {
            sequence = Lstm(direction.Weights, layer, encoder.OutputSizeOf(layer), sequence);
        }

        if (config.Head == HeadKind.LastState)
        {
            double[] logits = [.. Enumerable.Range(0, config.Logits).Select(row => Dot(direction.Weights[AwdLstmNames.OutputWeight], row, sequence[^1]) + direction.Weights[AwdLstmNames.OutputBias].Data[row])];
            return logits.Length == 1 ? [Sigmoid(-logits[0]), Sigmoid(logits[0])] : Softmax(logits);
        }

        double[][] pooled = sequence[Math.Max(0, sequence.Length - config.MaxLength)..];
        IEnumerable<int> features = Enumerable.Range(0, encoder.EmbeddingSize);
        double[] x =
        [
            .. sequence[^1],
            .. features.Select(f => pooled.Max(h => h[f])),
            .. features.Select(f => pooled.Average(h => h[f])),
        ];
        x = [.. Block(direction.Weights, 0, x).Select(value => Math.Max(0, value))];
        return Softmax(Block(direction.Weights, 1, x));
    }

    private static double[] Softmax(double[] x)
    {
        double[] exponentials = [.. x.Select(value => Math.Exp(value - x.Max()))];
        return [.. exponentials.Select(value => value / exponentials.Sum())];
    }

    private static double[][] Lstm(StateDict weights, int layer, int size, double[][] inputs)
    {
        const string Prefix = AwdLstmNames.ClassifierEncoder;
        Tensor wi = weights[AwdLstmNames.InputWeight(Prefix, layer)], wh = weights[AwdLstmNames.HiddenWeight(Prefix, layer)];
        Tensor bi = weights[AwdLstmNames.InputBias(Prefix, layer)], bh = weights[AwdLstmNames.HiddenBias(Prefix, layer)];
        double[] h = new double[size], c = new double[size];
        double[][] outputs = new double[inputs.Length][];
        for (int t = 0; t < inputs.Length; t++)
        {
            double[] gates = [.. Enumerable.Range(0, 4 * size).Select(row => Dot(wi, row, inputs[t]) + bi.Data[row] + Dot(wh, row, h) + bh.Data[row])];
            double[] next = new double[size];
            for (int j = 0; j < size; j++)
            {
                c[j] = (Sigmoid(gates[size + j]) * c[j]) + (Sigmoid(gates[j]) * Math.Tanh(gates[(2 * size) + j]));
                next[j] = Sigmoid(gates[(3 * size) + j]) * Math.Tanh(c[j]);
            }

            outputs[t] = h = next;
        }

        return outputs;
    }

    private static double[] Block(StateDict weights, int block, double[] x)
    {
        double[] normal =
        [
            .. x.Select((value, f) =>
                ((value - weights[AwdLstmNames.RunningMean(block)].Data[f]) / Math.Sqrt(weights[AwdLstmNames.RunningVariance(block)].Data[f] + 1e-5)
                 * weights[AwdLstmNames.BatchNormWeight(block)].Data[f]) + weights[AwdLstmNames.BatchNormBias(block)].Data[f]),
        ];
        Tensor linear = weights[AwdLstmNames.Linear(block)];
        return [.. Enumerable.Range(0, linear.Shape[0]).Select(row => Dot(linear, row, normal))];
    }

    private static double Dot(Tensor matrix, int row, double[] vector)
    {
        double sum = 0;
        for (int i = 0; i < vector.Length; i++)
        {
            sum += matrix.Data[(row * vector.Length) + i] * vector[i];
        }

        return sum;
    }

    private static double[] Row(Tensor matrix, int row) => [.. matrix.Data.Skip(row * matrix.Shape[1]).Take(matrix.Shape[1]).Select(value => (double)value)];

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
