using Ulmfit.Cpu.Kernels;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Cpu;

/// <summary>
/// The head of <see cref="HeadKind.ConcatPooling"/>: BatchNorm, dropout, linear, ReLU, BatchNorm, dropout, linear, softmax
/// (Howard &amp; Ruder 2018, 3.3), from the pooled vectors <c>[documents, last max mean]</c> of a batch.
/// </summary>
internal sealed class ConcatPoolingHead : IClassifierHead
{
    private const int Columns = 64;

    private readonly ComputeTeam team;
    private readonly KernelSet kernels;
    private readonly LinearProducts products;
    private readonly ClassificationLoss loss;
    private readonly ClassifierOptions options;
    private readonly BatchNormalization first;
    private readonly BatchNormalization second;
    private readonly Parameter hiddenWeight;
    private readonly Parameter outputWeight;
    private readonly GrowingBuffer hidden = new();
    private readonly GrowingBuffer hiddenGradient = new();
    private readonly GrowingBuffer logits = new();
    private readonly int pooledWidth;
    private readonly int hiddenWidth;
    private readonly int logitWidth;
    private readonly int classes;
    private RandomKey key;

    /// <summary>A head with weights from a state.</summary>
    public ConcatPoolingHead(ComputeTeam team, KernelSet kernels, MatrixProduct product, ClassifierOptions options, StateDict state, int group)
    {
        this.team = team;
        this.kernels = kernels;
        products = new LinearProducts(team, product);
        loss = new ClassificationLoss(options);
        this.options = options;
        ClassifierConfig config = options.Config;
        classes = config.Classes;
        ParameterLayout pooled = ParameterLayout.Concatenated(1, 3, config.Encoder.OutputSize);
        pooledWidth = pooled.Stride;
        hiddenWidth = KernelSet.Padded(config.HeadHiddenSize);
        logitWidth = KernelSet.Padded(classes);
        first = new BatchNormalization(kernels, state, 0, group, pooled);
        second = new BatchNormalization(kernels, state, 1, group, ParameterLayout.Matrix(1, config.HeadHiddenSize));
        hiddenWeight = new Parameter(state, AwdLstmNames.Linear(0), group, ParameterLayout.Concatenated(config.HeadHiddenSize, 3, config.Encoder.OutputSize), config.HeadHiddenSize, config.PooledSize);
        outputWeight = new Parameter(state, AwdLstmNames.Linear(1), group, ParameterLayout.Matrix(classes, config.HeadHiddenSize), classes, config.HeadHiddenSize);
    }

    /// <inheritdoc/>
    public IEnumerable<Parameter> Parameters => [first.Weight, first.Bias, hiddenWeight, second.Weight, second.Bias, outputWeight];

    /// <inheritdoc/>
    public int OutputWidth => classes;

    /// <inheritdoc/>
    public double Loss => loss.Loss;

    /// <inheritdoc/>
    public int Correct => loss.Correct;

    /// <inheritdoc/>
    public void Prepare(int documents, RandomKey randomKey)
    {
        key = randomKey;
        first.Reserve(documents);
        second.Reserve(documents);
        hidden.Reserve((long)documents * hiddenWidth);
        hiddenGradient.Reserve((long)documents * hiddenWidth);
        logits.Reserve((long)documents * logitWidth);
        products.Reserve(pooledWidth, hiddenWidth, documents);
        products.Reserve(hiddenWidth, logitWidth, documents);
    }

    /// <inheritdoc/>
    public void Predict(int thread, AlignedBuffer pooled, int documents, float[] probabilities, int start)
    {
        Forward(thread, pooled, documents, training: false);
        while (team.Take(thread, documents, out int document))
        {
            loss.Softmax(logits.Slice(document * logitWidth, classes), probabilities.AsSpan(start + (document * classes), classes));
        }

        team.Barrier(thread);
    }

    /// <inheritdoc/>
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
        Forward(thread, pooled, documents, training: true);
        if (thread == 0)
        {
            loss.Settle(logits, logitWidth, documents, labels);
        }

        team.Barrier(thread);
        if (!trained && !below)
        {
            return;
        }

        if (trained)
        {
            products.WeightGradient(thread, logits.Value, logitWidth, classes, second.Output.Value, hiddenWidth, documents, outputWeight);
        }

        products.InputGradient(thread, logits.Value, logitWidth, classes, documents, outputWeight, hiddenWidth, hiddenGradient.Value);
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
            products.WeightGradient(thread, hiddenGradient.Value, hiddenWidth, options.Config.HeadHiddenSize, first.Output.Value, pooledWidth, documents, hiddenWeight);
        }

        products.InputGradient(thread, hiddenGradient.Value, hiddenWidth, options.Config.HeadHiddenSize, documents, hiddenWeight, pooledWidth, pooled);
        while (team.Take(thread, Parts(pooledWidth), out int part))
        {
            first.Backward(pooled.Span, documents, part * Columns, Math.Min(Columns, pooledWidth - (part * Columns)), trained);
        }

        team.Barrier(thread);
    }

    /// <inheritdoc/>
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
        products.Dispose();
    }

    private void Forward(int thread, AlignedBuffer pooled, int documents, bool training)
    {
        while (team.Take(thread, Parts(pooledWidth), out int part))
        {
            first.Forward(pooled.Span, documents, part * Columns, Math.Min(Columns, pooledWidth - (part * Columns)), training);
        }

        team.Barrier(thread);
        products.Forward(thread, first.Output.Value, documents, hiddenWeight, pooledWidth, hiddenWidth, hidden.Value);
        while (team.Take(thread, Parts(hiddenWidth), out int part))
        {
            int column = part * Columns, count = Math.Min(Columns, hiddenWidth - column);
            for (int document = 0; document < documents; document++)
            {
                kernels.Relu(hidden.Slice((document * hiddenWidth) + column, count));
            }

            second.Forward(hidden.Value.Span, documents, column, count, training);
        }

        team.Barrier(thread);
        products.Forward(thread, second.Output.Value, documents, outputWeight, hiddenWidth, logitWidth, logits.Value);
    }

    private static int Parts(int width) => (width + Columns - 1) / Columns;
}
