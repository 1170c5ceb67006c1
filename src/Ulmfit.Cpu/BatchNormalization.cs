using Ulmfit.Cpu.Kernels;
using Ulmfit.Model;

namespace Ulmfit.Cpu;

/// <summary>
/// BatchNorm followed by dropout, over the documents of a batch. In training the batch's own mean and biased variance
/// normalise, and the running statistics move; a batch of one document, which has no variance, and prediction are
/// normalised with the running statistics, which then stay. Every method works on a range of columns, so that threads
/// share the columns and each column's sums run over the documents in their order.
/// </summary>
internal sealed class BatchNormalization : IDisposable
{
    private readonly KernelSet kernels;
    private readonly int width;
    private readonly ParameterLayout layout;
    private readonly string meanName;
    private readonly string varianceName;
    private readonly AlignedBuffer runningMean;
    private readonly AlignedBuffer runningVariance;
    private readonly AlignedBuffer mean;
    private readonly AlignedBuffer variance;
    private readonly AlignedBuffer inverse;
    private readonly AlignedBuffer scratch;

    /// <summary>Head block <paramref name="block"/>'s BatchNorm with weights and statistics from a state.</summary>
    public BatchNormalization(KernelSet kernels, StateDict state, int block, int group, ParameterLayout layout)
    {
        this.kernels = kernels;
        this.layout = layout;
        int features = layout.Parts * layout.PartSize;
        width = layout.Stride;
        meanName = AwdLstmNames.RunningMean(block);
        varianceName = AwdLstmNames.RunningVariance(block);
        Weight = new Parameter(state, AwdLstmNames.BatchNormWeight(block), group, layout, features);
        Bias = new Parameter(state, AwdLstmNames.BatchNormBias(block), group, layout, features);
        runningMean = new AlignedBuffer(width);
        runningVariance = new AlignedBuffer(width);
        layout.Import(state.Require(meanName, features).Data, runningMean.Span);
        layout.Import(state.Require(varianceName, features).Data, runningVariance.Span);
        mean = new AlignedBuffer(width);
        variance = new AlignedBuffer(width);
        inverse = new AlignedBuffer(width);
        scratch = new AlignedBuffer(2 * width);
    }

    /// <summary>Scale.</summary>
    public Parameter Weight { get; }

    /// <summary>Shift.</summary>
    public Parameter Bias { get; }

    /// <summary>Normalised input <c>[documents, width]</c>, kept for the backward pass.</summary>
    public GrowingBuffer Normalised { get; } = new();

    /// <summary>Output after dropout <c>[documents, width]</c>.</summary>
    public GrowingBuffer Output { get; } = new();

    /// <summary>Dropout mask <c>[documents, width]</c>.</summary>
    public GrowingBuffer Mask { get; } = new();

    /// <summary>Makes room for a batch.</summary>
    public void Reserve(int documents)
    {
        Normalised.Reserve((long)documents * width);
        Output.Reserve((long)documents * width);
        Mask.Reserve((long)documents * width);
    }

    /// <summary>Draws the mask of one document: element document · features + j of the stream.</summary>
    public void DrawMask(Philox stream, float rate, int document)
    {
        Span<float> mask = Mask.Slice(document * width, width);
        if (rate <= 0f)
        {
            mask.Fill(1f);
            return;
        }

        int padded = KernelSet.Padded(layout.PartSize);
        for (int part = 0; part < layout.Parts; part++)
        {
            Span<float> place = mask.Slice(part * padded, padded);
            DropoutMask.Fill(stream, rate, ((long)document * layout.Parts * layout.PartSize) + (part * layout.PartSize), place[..layout.PartSize]);
            place[layout.PartSize..].Clear();
        }
    }

    /// <summary>Normalises the columns of a batch, and drops them in training.</summary>
    public void Forward(ReadOnlySpan<float> input, int documents, int column, int count, bool training)
    {
        if (training)
        {
            ForwardTraining(input, documents, column, count);
        }
        else
        {
            ForwardPrediction(input, documents, column, count);
        }
    }

    /// <summary>
    /// From the gradient of the output to that of the input, in its place, and to those of the weights.
    /// </summary>
    public void Backward(Span<float> gradient, int documents, int column, int count, bool trained)
    {
        for (int document = 0; document < documents; document++)
        {
            int start = (document * width) + column;
            kernels.Multiply(gradient.Slice(start, count), Mask.Slice(start, count), gradient.Slice(start, count));
        }

        Span<float> sum = scratch.Slice(column, count), productSum = scratch.Slice(width + column, count);
        sum.Clear();
        productSum.Clear();
        kernels.AddColumns(gradient[column..], documents, width, sum);
        kernels.AddProductColumns(gradient[column..], Normalised.From(column), documents, width, productSum);
        if (trained)
        {
            sum.CopyTo(Bias.Gradient.Slice(column, count));
            productSum.CopyTo(Weight.Gradient.Slice(column, count));
        }

        // With one document the statistics are constants, so only the direct term is left.
        float inverseCount = documents > 1 ? 1f / documents : 0f;
        for (int document = 0; document < documents; document++)
        {
            int start = (document * width) + column;
            kernels.BatchNormBackward(
                gradient.Slice(start, count), Normalised.Slice(start, count), Weight.Value.Slice(column, count), inverse.Slice(column, count), sum, productSum, inverseCount,
                gradient.Slice(start, count));
        }
    }

    /// <summary>Adds weights and statistics to a state.</summary>
    public void Save(StateDict state)
    {
        Weight.Save(state);
        Bias.Save(state);
        int features = layout.Parts * layout.PartSize;
        Tensor m = Tensor.Zeros(features), v = Tensor.Zeros(features);
        layout.Export(runningMean.Span, m.Data);
        layout.Export(runningVariance.Span, v.Data);
        state[meanName] = m;
        state[varianceName] = v;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Weight.Dispose();
        Bias.Dispose();
        runningMean.Dispose();
        runningVariance.Dispose();
        mean.Dispose();
        variance.Dispose();
        inverse.Dispose();
        scratch.Dispose();
        Normalised.Dispose();
        Output.Dispose();
        Mask.Dispose();
    }

    private void ForwardTraining(ReadOnlySpan<float> input, int documents, int column, int count)
    {
        Span<float> m = mean.Slice(column, count), v = variance.Slice(column, count), inv = inverse.Slice(column, count);
        if (documents > 1)
        {
            Span<float> sums = scratch.Slice(column, count);
            sums.Clear();
            kernels.AddColumns(input[column..], documents, width, sums);
            kernels.Scale(sums, 1f / documents, m);
            sums.Clear();
            kernels.AddSquaredDeviations(input[column..], documents, width, m, sums);
            kernels.Scale(sums, 1f / documents, v);
            Move(runningMean.Slice(column, count), m, 1f);
            Move(runningVariance.Slice(column, count), sums, 1f / (documents - 1));
        }
        else
        {
            runningMean.Slice(column, count).CopyTo(m);
            runningVariance.Slice(column, count).CopyTo(v);
        }

        kernels.InverseDeviation(v, 1f, ClassifierConfig.BatchNormEpsilon, inv);
        for (int document = 0; document < documents; document++)
        {
            int start = (document * width) + column;
            Span<float> normalised = Normalised.Slice(start, count), output = Output.Slice(start, count);
            kernels.Normalise(input.Slice(start, count), m, inv, normalised);
            kernels.ScaleAndShift(normalised, Weight.Value.Slice(column, count), Bias.Value.Slice(column, count), output);
            kernels.Multiply(output, Mask.Slice(start, count), output);
        }
    }

    private void ForwardPrediction(ReadOnlySpan<float> input, int documents, int column, int count)
    {
        Span<float> inv = inverse.Slice(column, count);
        kernels.InverseDeviation(runningVariance.Slice(column, count), 1f, ClassifierConfig.BatchNormEpsilon, inv);
        for (int document = 0; document < documents; document++)
        {
            int start = (document * width) + column;
            Span<float> output = Output.Slice(start, count);
            kernels.Normalise(input.Slice(start, count), runningMean.Slice(column, count), inv, output);
            kernels.ScaleAndShift(output, Weight.Value.Slice(column, count), Bias.Value.Slice(column, count), output);
        }
    }

    private static void Move(Span<float> running, ReadOnlySpan<float> batch, float factor)
    {
        const float Momentum = ClassifierConfig.BatchNormMomentum;
        for (int j = 0; j < running.Length; j++)
        {
            running[j] = ((1f - Momentum) * running[j]) + (Momentum * (batch[j] * factor));
        }
    }
}
