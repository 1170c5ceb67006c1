using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.EngineContract;

/// <summary>
/// The losses of both networks in double precision, as plainly as they can be written, one lane at a time. It shares
/// nothing with the engine but the definition of the random words.
/// </summary>
internal sealed class DoubleTwin(AwdLstmConfig config, DropoutRates rates, RandomKey key, Dictionary<string, double[]> weights, string prefix)
{
    /// <summary>Cross-entropy plus AR and TAR of a window; <paramref name="state"/> is <c>[layer][lane] (h, c)</c> and runs on.</summary>
    public double LanguageModelLoss(LanguageModelBatch batch, (double[] H, double[] C)[][] state, double activation, double temporal)
    {
        double crossEntropy = 0, ar = 0, tar = 0;
        int e = config.EmbeddingSize;
        var dropped = new double[batch.Time, batch.Batch][];
        double[] outputMask = Mask(RandomPurpose.OutputDropout, 0, rates.Output, batch.Batch * e);
        for (int lane = 0; lane < batch.Batch; lane++)
        {
            double[]? before = null;
            for (int t = 0; t < batch.Time; t++)
            {
                int row = (t * batch.Batch) + lane;
                double[] h = Step(batch.Input.Span[row], lane, state);
                double[] output = [.. h.Select((x, j) => x * outputMask[(lane * e) + j])];
                double[] logits = [.. Enumerable.Range(0, config.VocabularySize).Select(v => Dot(weights[prefix + "encoder.weight"], v, output) + weights["1.decoder.bias"][v])];
                crossEntropy += LogSumExp(logits) - logits[batch.Target.Span[row]];
                ar += output.Sum(x => x * x);
                tar += before is null ? 0 : h.Zip(before, (a, b) => (a - b) * (a - b)).Sum();
                before = h;
            }
        }

        double rows = (double)batch.Time * batch.Batch;
        return (crossEntropy / rows) + (activation * ar / (rows * e)) + (batch.Time > 1 ? temporal * tar / ((rows - batch.Batch) * e) : 0);
    }

    /// <summary>
    /// Loss of a classifier in training. With <paramref name="borders"/> empty it is filled with the states at the chunks'
    /// borders; else those states are used as constants, which is what truncates the gradients there.
    /// </summary>
    public double ClassifierLoss(ClassifierBatch batch, ClassifierOptions options, Dictionary<(int Document, int Chunk), (double[] H, double[] C)[]> borders)
    {
        ClassifierConfig head = options.Config;
        bool fill = borders.Count == 0;
        int e = config.OutputSize, count = batch.Documents.Count;
        var pooled = new double[count][];
        for (int document = 0; document < count; document++)
        {
            int[] tokens = batch.Documents[document];
            (double[] H, double[] C)[][] state = ZeroState(config, document + 1);
            var outputs = new List<double[]>();
            for (int t = 0; t < tokens.Length; t++)
            {
                if (t % head.ChunkLength == 0 && t > 0)
                {
                    (int, int) border = (document, t / head.ChunkLength);
                    if (fill)
                    {
                        borders[border] = [.. state.Select(layer => layer[document])];
                    }

                    for (int layer = 0; layer < state.Length; layer++)
                    {
                        state[layer][document] = borders[border][layer];
                    }
                }

                outputs.Add(Step(tokens[t], document, state));
            }

            double[][] own = [.. outputs.TakeLast(head.MaxLength)];
            pooled[document] = head.Head == HeadKind.LastState ? own[^1] :
            [
                .. own[^1],
                .. Enumerable.Range(0, e).Select(j => own.Max(h => h[j])),
                .. Enumerable.Range(0, e).Select(j => own.Average(h => h[j])),
            ];
        }

        double[][] logits = head.Head == HeadKind.LastState ? LastStateLogits(pooled, head) : ConcatPoolingLogits(pooled, head);
        double loss = 0, total = 0;
        for (int document = 0; document < count; document++)
        {
            double logSum = LogSumExp(logits[document]);
            int label = batch.Labels.Span[document];
            double Weight(int c) => options.ClassWeights?[c] ?? 1.0;
            loss += (1.0 - options.LabelSmoothing) * Weight(label) * (logSum - logits[document][label]);
            for (int c = 0; c < head.Classes; c++)
            {
                loss += (double)options.LabelSmoothing / head.Classes * Weight(c) * (logSum - logits[document][c]);
            }

            total += Weight(label);
        }

        return loss / total;
    }

    // A single logit stands beside a 0 of the first class.
    private double[][] LastStateLogits(double[][] states, ClassifierConfig head)
    {
        double[] bias = weights[AwdLstmNames.OutputBias];
        double[][] logits = [.. states.Select(row => bias.Select((b, o) => Dot(weights[AwdLstmNames.OutputWeight], o, row) + b).ToArray())];
        return head.Logits == head.Classes ? logits : [.. logits.Select(row => new[] { 0, row[0] })];
    }

    private double[][] ConcatPoolingLogits(double[][] pooled, ClassifierConfig head)
    {
        double[][] hidden = Linear(BatchNorm(pooled, 0, rates.Output), 0, head.HeadHiddenSize);
        foreach (double[] row in hidden)
        {
            for (int j = 0; j < row.Length; j++)
            {
                row[j] = Math.Max(0, row[j]);
            }
        }

        return Linear(BatchNorm(hidden, 1, rates.Head), 1, head.Classes);
    }

    public static (double[] H, double[] C)[][] ZeroState(AwdLstmConfig config, int lanes) =>
        [.. Enumerable.Range(0, config.Layers).Select(l => Enumerable.Range(0, lanes).Select(_ => (new double[config.OutputSizeOf(l)], new double[config.OutputSizeOf(l)])).ToArray())];

    private double[] Step(int token, int lane, (double[] H, double[] C)[][] state)
    {
        int e = config.EmbeddingSize;
        double row = Element(RandomPurpose.EmbeddingDropout, 0, rates.Embedding, token);
        double[] x = [.. Enumerable.Range(0, e).Select(j => weights[prefix + "encoder.weight"][(token * e) + j] * row * Element(RandomPurpose.InputDropout, 0, rates.Input, (lane * e) + j))];
        for (int layer = 0; layer < config.Layers; layer++)
        {
            int size = config.OutputSizeOf(layer);
            double[] recurrent = Dropped(layer, size);
            (double[] h, double[] c) = state[layer][lane];
            double Gate(int gate, int unit)
            {
                int r = (gate * size) + unit;
                return Dot(weights[$"{prefix}rnns.{layer}.module.weight_ih_l0"], r, x) + Dot(recurrent, r, h)
                    + weights[$"{prefix}rnns.{layer}.module.bias_ih_l0"][r] + weights[$"{prefix}rnns.{layer}.module.bias_hh_l0"][r];
            }

            var nextH = new double[size];
            var nextC = new double[size];
            for (int unit = 0; unit < size; unit++)
            {
                nextC[unit] = (Sigmoid(Gate(1, unit)) * c[unit]) + (Sigmoid(Gate(0, unit)) * Math.Tanh(Gate(2, unit)));
                nextH[unit] = Sigmoid(Gate(3, unit)) * Math.Tanh(nextC[unit]);
            }

            state[layer][lane] = (nextH, nextC);
            int owner = layer;
            x = layer == config.Layers - 1 ? nextH : [.. nextH.Select((v, j) => v * Element(RandomPurpose.HiddenDropout, owner, rates.Hidden, (lane * size) + j))];
        }

        return x;
    }

    private readonly Dictionary<int, double[]> masks = [];

    private double[] Dropped(int layer, int size)
    {
        if (!masks.TryGetValue(layer, out double[]? mask))
        {
            masks[layer] = mask = Mask(RandomPurpose.WeightDrop, layer, rates.Weight, 4 * size * size);
        }

        double[] raw = weights[$"{prefix}rnns.{layer}.weight_hh_l0_raw"];
        return rates.Weight == 0 ? raw : [.. raw.Select((w, i) => w * mask[i])];
    }

    private double[][] BatchNorm(double[][] x, int block, double rate)
    {
        int features = x[0].Length, count = x.Length;
        double[] y = new double[count * features];
        double[] scale = weights[AwdLstmNames.BatchNormWeight(block)], shift = weights[AwdLstmNames.BatchNormBias(block)];
        for (int j = 0; j < features; j++)
        {
            double mean = x.Average(row => row[j]), variance = x.Average(row => (row[j] - mean) * (row[j] - mean));
            if (count == 1)
            {
                (mean, variance) = (weights[AwdLstmNames.RunningMean(block)][j], weights[AwdLstmNames.RunningVariance(block)][j]);
            }

            for (int i = 0; i < count; i++)
            {
                double normalised = (x[i][j] - mean) / Math.Sqrt(variance + ClassifierConfig.BatchNormEpsilon);
                y[(i * features) + j] = ((normalised * scale[j]) + shift[j]) * Element(RandomPurpose.HeadDropout, block, rate, (i * features) + j);
            }
        }

        return [.. Enumerable.Range(0, count).Select(i => y[(i * features)..((i + 1) * features)])];
    }

    private double[][] Linear(double[][] x, int block, int outputs) =>
        [.. x.Select(row => Enumerable.Range(0, outputs).Select(o => Dot(weights[AwdLstmNames.Linear(block)], o, row)).ToArray())];

    private double[] Mask(RandomPurpose purpose, int layer, double rate, int count) => [.. Enumerable.Range(0, count).Select(i => Element(purpose, layer, rate, i))];

    private double Element(RandomPurpose purpose, int layer, double rate, int index) =>
        rate == 0 ? 1 : new Philox(key, purpose, layer).Word(index) < Philox.DropThreshold((float)rate) ? 0 : 1 / (1 - rate);

    private static double Dot(double[] matrix, int row, double[] x)
    {
        double sum = 0;
        for (int j = 0; j < x.Length; j++)
        {
            sum += matrix[(row * x.Length) + j] * x[j];
        }

        return sum;
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    private static double LogSumExp(double[] x)
    {
        double max = x.Max();
        return max + Math.Log(x.Sum(v => Math.Exp(v - max)));
    }
}
