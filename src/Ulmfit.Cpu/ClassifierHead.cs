using Ulmfit.Cpu.Kernels;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Cpu;

/// <summary>
/// The head: BatchNorm, dropout, linear, ReLU, BatchNorm, dropout, linear, softmax (Howard &amp; Ruder 2018, 3.3), from the
/// pooled vectors <c>[documents, last max mean]</c> of a batch.
/// </summary>
internal sealed class ClassifierHead : IDisposable
{
    private const int Columns = 64;

    private readonly ComputeTeam team;
    private readonly KernelSet kernels;
    private readonly MatrixProduct product;
    private readonly ClassifierOptions options;
    private readonly BatchNormalization first;
    private readonly BatchNormalization second;
    private readonly Parameter hiddenWeight;
    private readonly Parameter outputWeight;
    private readonly GrowingBuffer hidden = new();
    private readonly GrowingBuffer hiddenGradient = new();
    private readonly GrowingBuffer logits = new();
    private readonly GrowingBuffer right = new();
    private readonly int pooledWidth;
    private readonly int hiddenWidth;
    private readonly int logitWidth;
    private readonly int classes;
    private RandomKey key;

    /// <summary>A head with weights from a state.</summary>
    public ClassifierHead(ComputeTeam team, KernelSet kernels, MatrixProduct product, ClassifierOptions options, StateDict state, int group)
    {
        this.team = team;
        this.kernels = kernels;
        this.product = product;
        this.options = options;
        ClassifierConfig config = options.Config;
        classes = config.Classes;
        ParameterLayout pooled = ParameterLayout.Concatenated(1, 3, config.Encoder.EmbeddingSize);
        pooledWidth = pooled.Stride;
        hiddenWidth = KernelSet.Padded(config.HeadHiddenSize);
        logitWidth = KernelSet.Padded(classes);
        first = new BatchNormalization(kernels, state, 0, group, pooled);
        second = new BatchNormalization(kernels, state, 1, group, ParameterLayout.Matrix(1, config.HeadHiddenSize));
        hiddenWeight = new Parameter(state, AwdLstmNames.Linear(0), group, ParameterLayout.Concatenated(config.HeadHiddenSize, 3, config.Encoder.EmbeddingSize), config.HeadHiddenSize, config.PooledSize);
        outputWeight = new Parameter(state, AwdLstmNames.Linear(1), group, ParameterLayout.Matrix(classes, config.HeadHiddenSize), classes, config.HeadHiddenSize);
    }

    /// <summary>All weights.</summary>
    public IEnumerable<Parameter> Parameters => [first.Weight, first.Bias, hiddenWeight, second.Weight, second.Bias, outputWeight];

    /// <summary>Mean loss of the last training batch.</summary>
    public double Loss { get; private set; }

    /// <summary>How many documents of it were right.</summary>
    public int Correct { get; private set; }

    /// <summary>Before the team runs: makes room for a batch.</summary>
    public void Prepare(int documents, RandomKey randomKey)
    {
        key = randomKey;
        first.Reserve(documents);
        second.Reserve(documents);
        hidden.Reserve((long)documents * hiddenWidth);
        hiddenGradient.Reserve((long)documents * hiddenWidth);
        logits.Reserve((long)documents * logitWidth);
        right.Reserve(Math.Max((long)pooledWidth * Math.Max(hiddenWidth, documents), (long)hiddenWidth * Math.Max(logitWidth, documents)));
    }

    /// <summary>
    /// Class probabilities of pooled documents. All threads call it; it ends with a barrier.
    /// </summary>
    public void Predict(int thread, AlignedBuffer pooled, int documents, float[] probabilities, int start)
    {
        while (team.Take(thread, Parts(pooledWidth), out int part))
        {
            first.ForwardPrediction(pooled.Span, documents, part * Columns, Math.Min(Columns, pooledWidth - (part * Columns)));
        }

        team.Barrier(thread);
        Linear(thread, first.Output.Value, documents, hiddenWeight, pooledWidth, hiddenWidth, hidden.Value);
        while (team.Take(thread, Parts(hiddenWidth), out int part))
        {
            int column = part * Columns, count = Math.Min(Columns, hiddenWidth - column);
            for (int document = 0; document < documents; document++)
            {
                kernels.Relu(hidden.Slice((document * hiddenWidth) + column, count));
            }

            second.ForwardPrediction(hidden.Value.Span, documents, column, count);
        }

        team.Barrier(thread);
        Linear(thread, second.Output.Value, documents, outputWeight, hiddenWidth, logitWidth, logits.Value);
        while (team.Take(thread, documents, out int document))
        {
            Softmax(logits.Slice(document * logitWidth, classes), probabilities.AsSpan(start + (document * classes), classes));
        }

        team.Barrier(thread);
    }

    /// <summary>
    /// Forward and backward over a training batch: the loss, the gradients of the head and, in place of the pooled
    /// vectors, their gradient. All threads call it; it ends with a barrier.
    /// </summary>
    /// <param name="thread">The calling thread.</param>
    /// <param name="pooled">Pooled vectors; their gradients afterwards.</param>
    /// <param name="documents">How many.</param>
    /// <param name="labels">Their classes.</param>
    /// <param name="trained">Whether the head's gradients are wanted.</param>
    /// <param name="below">Whether the gradient of the pooled vectors is wanted.</param>
    public void Train(int thread, AlignedBuffer pooled, int documents, int[] labels, bool trained, bool below)
    {
        var outer = new Philox(key, RandomPurpose.HeadDropout, 0);
        var inner = new Philox(key, RandomPurpose.HeadDropout, 1);
        while (team.Take(thread, documents, out int document))
        {
            first.DrawMask(outer, options.Dropouts.Output, document);
            second.DrawMask(inner, options.Dropouts.Head, document);
        }

        team.Barrier(thread);
        while (team.Take(thread, Parts(pooledWidth), out int part))
        {
            first.ForwardTraining(pooled.Span, documents, part * Columns, Math.Min(Columns, pooledWidth - (part * Columns)));
        }

        team.Barrier(thread);
        Linear(thread, first.Output.Value, documents, hiddenWeight, pooledWidth, hiddenWidth, hidden.Value);
        while (team.Take(thread, Parts(hiddenWidth), out int part))
        {
            int column = part * Columns, count = Math.Min(Columns, hiddenWidth - column);
            for (int document = 0; document < documents; document++)
            {
                kernels.Relu(hidden.Slice((document * hiddenWidth) + column, count));
            }

            second.ForwardTraining(hidden.Value.Span, documents, column, count);
        }

        team.Barrier(thread);
        Linear(thread, second.Output.Value, documents, outputWeight, hiddenWidth, logitWidth, logits.Value);
        if (thread == 0)
        {
            CrossEntropy(documents, labels);
        }

        team.Barrier(thread);
        if (!trained && !below)
        {
            return;
        }

        if (trained)
        {
            WeightGradient(thread, logits.Value, logitWidth, classes, second.Output.Value, hiddenWidth, documents, outputWeight);
        }

        InputGradient(thread, logits.Value, logitWidth, classes, documents, outputWeight, hiddenWidth, hiddenGradient.Value);
        while (team.Take(thread, Parts(hiddenWidth), out int part))
        {
            int column = part * Columns, count = Math.Min(Columns, hiddenWidth - column);
            second.Backward(hiddenGradient.Value.Span, documents, column, count, trained);
            for (int document = 0; document < documents; document++)
            {
                int start = (document * hiddenWidth) + column;
                kernels.ReluBackward(hidden.Slice(start, count), hiddenGradient.Slice(start, count));
            }
        }

        team.Barrier(thread);
        if (trained)
        {
            WeightGradient(thread, hiddenGradient.Value, hiddenWidth, options.Config.HeadHiddenSize, first.Output.Value, pooledWidth, documents, hiddenWeight);
        }

        InputGradient(thread, hiddenGradient.Value, hiddenWidth, options.Config.HeadHiddenSize, documents, hiddenWeight, pooledWidth, pooled);
        while (team.Take(thread, Parts(pooledWidth), out int part))
        {
            first.Backward(pooled.Span, documents, part * Columns, Math.Min(Columns, pooledWidth - (part * Columns)), trained);
        }

        team.Barrier(thread);
    }

    /// <summary>Adds weights and statistics to a state.</summary>
    public void Save(StateDict state)
    {
        first.Save(state);
        second.Save(state);
        hiddenWeight.Save(state);
        outputWeight.Save(state);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        first.Dispose();
        second.Dispose();
        hiddenWeight.Dispose();
        outputWeight.Dispose();
        hidden.Dispose();
        hiddenGradient.Dispose();
        logits.Dispose();
        right.Dispose();
    }

    private static int Parts(int width) => (width + Columns - 1) / Columns;

    private static void Softmax(ReadOnlySpan<float> logits, Span<float> probabilities)
    {
        float max = logits[0];
        foreach (float logit in logits)
        {
            max = logit > max ? logit : max;
        }

        float sum = 0;
        for (int c = 0; c < logits.Length; c++)
        {
            probabilities[c] = Transcendental.Exp(logits[c] - max);
            sum += probabilities[c];
        }

        for (int c = 0; c < logits.Length; c++)
        {
            probabilities[c] /= sum;
        }
    }

    /// <summary>
    /// Losses and, in place of the logits, their gradients. With weights w and smoothing ε a document of label y has the loss
    /// (1 − ε)·w_y·(−log p_y) + ε/C · Σ_c w_c·(−log p_c), and the batch their sum over Σ w_y, as PyTorch's.
    /// </summary>
    private void CrossEntropy(int documents, int[] labels)
    {
        IReadOnlyList<float>? weights = options.ClassWeights;
        double smoothing = options.LabelSmoothing, spread = smoothing / classes;
        double total = 0, all = 0;
        for (int document = 0; document < documents; document++)
        {
            total += weights?[labels[document]] ?? 1.0;
        }

        for (int c = 0; c < classes; c++)
        {
            all += weights?[c] ?? 1.0;
        }

        double loss = 0;
        int right = 0;
        for (int document = 0; document < documents; document++)
        {
            Span<float> z = logits.Slice(document * logitWidth, classes);
            int label = labels[document], best = 0;
            double weight = weights?[label] ?? 1.0;
            for (int c = 1; c < classes; c++)
            {
                best = z[c] > z[best] ? c : best;
            }

            right += best == label ? 1 : 0;
            double max = z[best], sum = 0;
            for (int c = 0; c < classes; c++)
            {
                sum += Transcendental.Exp((float)(z[c] - max));
            }

            double logSum = Transcendental.Log(sum) + max;
            loss += (1 - smoothing) * weight * (logSum - z[label]);
            double mass = ((1 - smoothing) * weight) + (spread * all);
            for (int c = 0; c < classes; c++)
            {
                double classWeight = weights?[c] ?? 1.0;
                loss += spread * classWeight * (logSum - z[c]);
                double probability = Transcendental.Exp((float)(z[c] - max)) / sum;
                double gradient = (mass * probability) - (spread * classWeight) - (c == label ? (1 - smoothing) * weight : 0);
                z[c] = total > 0 ? (float)(gradient / total) : 0f;
            }
        }

        Loss = total > 0 ? loss / total : 0;
        Correct = right;
    }

    private void Linear(int thread, AlignedBuffer input, int documents, Parameter weight, int inputWidth, int outputWidth, AlignedBuffer output)
    {
        product.PackTransposed(thread, weight.Value.Span, inputWidth, weight.Layout.Rows, inputWidth, right.Value);
        team.Barrier(thread);
        product.Multiply(thread, new LeftOperand(input, 0, inputWidth, documents, inputWidth, Transposed: false), right.Value, outputWidth, output, 0, outputWidth, ChainStart.Zero, default);
        team.Barrier(thread);
    }

    private void WeightGradient(int thread, AlignedBuffer gradient, int gradientWidth, int rows, AlignedBuffer input, int inputWidth, int documents, Parameter weight)
    {
        product.Pack(thread, input.Span, inputWidth, inputWidth, documents, default, right.Value);
        team.Barrier(thread);
        product.Multiply(thread, new LeftOperand(gradient, 0, gradientWidth, rows, documents, Transposed: true), right.Value, inputWidth, weight.Gradient, 0, inputWidth, ChainStart.Zero, default);
        team.Barrier(thread);
    }

    private void InputGradient(int thread, AlignedBuffer gradient, int gradientWidth, int depth, int documents, Parameter weight, int inputWidth, AlignedBuffer output)
    {
        product.Pack(thread, weight.Value.Span, inputWidth, inputWidth, depth, default, right.Value);
        team.Barrier(thread);
        product.Multiply(thread, new LeftOperand(gradient, 0, gradientWidth, documents, depth, Transposed: false), right.Value, inputWidth, output, 0, inputWidth, ChainStart.Zero, default);
        team.Barrier(thread);
    }
}
