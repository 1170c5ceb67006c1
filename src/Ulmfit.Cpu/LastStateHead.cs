using Ulmfit.Cpu.Kernels;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Cpu;

/// <summary>The head of <see cref="HeadKind.LastState"/>: one linear layer with bias on the last states <c>[documents, output]</c> of a batch.</summary>
internal sealed class LastStateHead : IClassifierHead
{
    private readonly ComputeTeam team;
    private readonly KernelSet kernels;
    private readonly LinearProducts products;
    private readonly ClassificationLoss loss;
    private readonly Parameter weight;
    private readonly Parameter bias;
    private readonly GrowingBuffer logits = new();
    private readonly int logitCount;
    private readonly int stateWidth;
    private readonly int logitWidth;
    private readonly int classes;

    /// <summary>A head with weights from a state.</summary>
    public LastStateHead(ComputeTeam team, KernelSet kernels, MatrixProduct product, ClassifierOptions options, StateDict state, int group)
    {
        this.team = team;
        this.kernels = kernels;
        products = new LinearProducts(team, product);
        loss = new ClassificationLoss(options);
        ClassifierConfig config = options.Config;
        classes = config.Classes;
        logitCount = config.Logits;
        logitWidth = KernelSet.Padded(logitCount);
        stateWidth = KernelSet.Padded(config.PooledSize);
        weight = new Parameter(state, AwdLstmNames.OutputWeight, group, ParameterLayout.Matrix(logitCount, config.PooledSize), logitCount, config.PooledSize);
        bias = new Parameter(state, AwdLstmNames.OutputBias, group, ParameterLayout.Matrix(1, logitCount), logitCount);
    }

    /// <inheritdoc/>
    public IEnumerable<Parameter> Parameters => [weight, bias];

    /// <inheritdoc/>
    public int OutputWidth => classes;

    /// <inheritdoc/>
    public double Loss => loss.Loss;

    /// <inheritdoc/>
    public int Correct => loss.Correct;

    /// <inheritdoc/>
    public void Prepare(int documents, RandomKey randomKey)
    {
        logits.Reserve((long)documents * logitWidth);
        products.Reserve(stateWidth, logitWidth, documents);
    }

    /// <inheritdoc/>
    public void Predict(int thread, AlignedBuffer pooled, int documents, float[] probabilities, int start)
    {
        products.Forward(thread, pooled, documents, weight, stateWidth, logitWidth, logits.Value);
        while (team.Take(thread, documents, out int document))
        {
            Span<float> row = logits.Slice(document * logitWidth, logitWidth);
            kernels.Sum(row, bias.Value.Slice(0, logitWidth), row);
            loss.Softmax(row[..logitCount], probabilities.AsSpan(start + (document * classes), classes));
        }

        team.Barrier(thread);
    }

    /// <inheritdoc/>
    public void Train(int thread, AlignedBuffer pooled, int documents, int[] labels, bool trained, bool below)
    {
        products.Forward(thread, pooled, documents, weight, stateWidth, logitWidth, logits.Value);
        if (thread == 0)
        {
            for (int document = 0; document < documents; document++)
            {
                Span<float> row = logits.Slice(document * logitWidth, logitWidth);
                kernels.Sum(row, bias.Value.Slice(0, logitWidth), row);
            }

            loss.Settle(logits, logitWidth, documents, labels);
            if (trained)
            {
                Span<float> sums = bias.Gradient.Slice(0, logitWidth);
                sums.Clear();
                kernels.AddColumns(logits.Value.Span, documents, logitWidth, sums);
            }
        }

        team.Barrier(thread);
        if (trained)
        {
            products.WeightGradient(thread, logits.Value, logitWidth, logitCount, pooled, stateWidth, documents, weight);
        }

        if (below)
        {
            products.InputGradient(thread, logits.Value, logitWidth, logitCount, documents, weight, stateWidth, pooled);
        }
    }

    /// <inheritdoc/>
    public void Save(StateDict state)
    {
        weight.Save(state);
        bias.Save(state);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        weight.Dispose();
        bias.Dispose();
        logits.Dispose();
        products.Dispose();
    }
}
