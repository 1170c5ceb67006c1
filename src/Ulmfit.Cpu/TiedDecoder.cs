using Ulmfit.Cpu.Kernels;

namespace Ulmfit.Cpu;

/// <summary>
/// The decoder that is tied to the embedding, with softmax and cross-entropy, in blocks of rows: logits of one block
/// become probabilities, gradients and sums over the vocabulary before the next block is computed, so the logits of a
/// window are never whole in memory.
/// </summary>
internal sealed class TiedDecoder : IDisposable
{
    /// <summary>Logits held at a time, in floats.</summary>
    private const int BlockFloats = 13 << 20;

    private const int MinBlockRows = 64;
    private const int RowsPerTask = 4;

    private readonly ComputeTeam team;
    private readonly KernelSet kernels;
    private readonly MatrixProduct product;
    private readonly Parameter weight;
    private readonly Parameter bias;
    private readonly int vocabulary;
    private readonly int width;
    private readonly AlignedBuffer forwardPack;
    private readonly GrowingBuffer backwardPack = new();
    private readonly GrowingBuffer outputPack = new();
    private readonly GrowingBuffer logits = new();
    private bool packed;
    private bool packedForBackward;
    private bool packBackward;
    private int blockRows;

    /// <summary>A decoder with the embedding as its weight <c>[vocabulary, width]</c>.</summary>
    public TiedDecoder(ComputeTeam team, KernelSet kernels, MatrixProduct product, Parameter weight, Parameter bias, int vocabulary, int width)
    {
        this.team = team;
        this.kernels = kernels;
        this.product = product;
        this.weight = weight;
        this.bias = bias;
        this.vocabulary = vocabulary;
        this.width = width;
        forwardPack = new AlignedBuffer(KernelSet.PackedRightLength(vocabulary, width));
    }

    private int LogitWidth => KernelSet.Padded(vocabulary);

    /// <summary>The weight has changed, so what is packed is old.</summary>
    public void Changed()
    {
        packed = false;
        packedForBackward = false;
    }

    /// <summary>Before the team runs: makes room for <paramref name="rows"/> rows.</summary>
    public void Prepare(int rows, bool backward)
    {
        // Whole strips, as many for each thread: the products with the logits have few columns to share out.
        int unit = kernels.MaxStripRows * team.Threads;
        int most = Math.Max(Math.Max(MinBlockRows, BlockFloats / LogitWidth) / unit, 1) * unit;
        int blocks = (rows + most - 1) / most;
        blockRows = Math.Min(rows, ((rows + blocks - 1) / blocks + unit - 1) / unit * unit);
        logits.Reserve((long)blockRows * LogitWidth);
        packBackward = backward && !packedForBackward;
        if (backward)
        {
            backwardPack.Reserve(KernelSet.PackedRightLength(width, vocabulary));
            outputPack.Reserve(KernelSet.PackedRightLength(width, blockRows));
        }
    }

    /// <summary>After the team ran.</summary>
    public void Packed(bool backward)
    {
        packed = true;
        packedForBackward |= backward;
    }

    /// <summary>Packs the weight for this update. All threads call it; it ends with a barrier.</summary>
    public void Begin(int thread)
    {
        if (!packed)
        {
            product.PackTransposed(thread, weight.Value.Span, width, vocabulary, width, forwardPack);
            team.Barrier(thread);
        }

        if (packBackward)
        {
            product.Pack(thread, weight.Value.Span, width, width, vocabulary, default, backwardPack.Value);
            team.Barrier(thread);
        }

        team.Lap(thread, StepPart.Packing);
    }

    /// <summary>
    /// Cross-entropy of all rows and, with a <paramref name="scale"/> other than zero, the gradients of scale · Σ losses.
    /// All threads call it; it ends with a barrier.
    /// </summary>
    /// <param name="thread">The calling thread.</param>
    /// <param name="output">Rows to decode <c>[rows, width]</c>.</param>
    /// <param name="outputStart">Their first element.</param>
    /// <param name="targets">Token of each row.</param>
    /// <param name="rows">How many.</param>
    /// <param name="scale">Factor of the gradients, or 0 for none.</param>
    /// <param name="losses">Filled with the loss of each row.</param>
    /// <param name="outputGradient">Filled with the gradient of <paramref name="output"/>.</param>
    /// <param name="trained">Whether weight and bias are trained: their gradients are written.</param>
    public void Run(int thread, AlignedBuffer output, int outputStart, int[] targets, int rows, float scale, double[] losses, AlignedBuffer? outputGradient, bool trained)
    {
        AlignedBuffer block = logits.Value;
        int stride = LogitWidth;
        for (int first = 0; first < rows; first += blockRows)
        {
            int count = Math.Min(blockRows, rows - first);
            int start = outputStart + (first * width);
            Logits(thread, output, start, count);
            while (team.Take(thread, (count + RowsPerTask - 1) / RowsPerTask, out int task))
            {
                for (int row = task * RowsPerTask; row < Math.Min(count, (task + 1) * RowsPerTask); row++)
                {
                    losses[first + row] = kernels.SoftmaxCrossEntropy(block.Slice(row * stride, vocabulary), targets[first + row], scale);
                }
            }

            team.Barrier(thread);
            team.Lap(thread, StepPart.Softmax);
            if (scale == 0f)
            {
                continue;
            }

            product.Multiply(
                thread, new LeftOperand(block, 0, stride, count, vocabulary, Transposed: false), backwardPack.Value, width,
                outputGradient!, first * width, width, ChainStart.Zero, default);
            team.Barrier(thread);
            team.Lap(thread, StepPart.DecoderInputGradient, 2L * count * stride * width);
            if (trained)
            {
                Accumulate(thread, output, start, count, first == 0);
            }
        }
    }

    /// <summary>Probabilities of all rows. All threads call it; it ends with a barrier.</summary>
    /// <param name="thread">The thread.</param>
    /// <param name="output">Output of the encoder.</param>
    /// <param name="outputStart">Its first element.</param>
    /// <param name="rows">How many.</param>
    /// <param name="probabilities">Filled with <c>[rows, vocabulary]</c>.</param>
    public void Predict(int thread, AlignedBuffer output, int outputStart, int rows, float[] probabilities)
    {
        AlignedBuffer block = logits.Value;
        for (int first = 0; first < rows; first += blockRows)
        {
            int count = Math.Min(blockRows, rows - first);
            Logits(thread, output, outputStart + (first * width), count);
            while (team.Take(thread, count, out int row))
            {
                Softmax(block.Slice(row * LogitWidth, vocabulary), probabilities.AsSpan((first + row) * vocabulary, vocabulary));
            }

            team.Barrier(thread);
            team.Lap(thread, StepPart.Softmax);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        bias.Dispose();
        forwardPack.Dispose();
        backwardPack.Dispose();
        outputPack.Dispose();
        logits.Dispose();
    }

    /// <summary>The logits of a block of rows. All threads call it; it ends with a barrier.</summary>
    private void Logits(int thread, AlignedBuffer output, int start, int count)
    {
        int stride = LogitWidth;
        product.Multiply(
            thread, new LeftOperand(output, start, width, count, width, Transposed: false), forwardPack, stride,
            logits.Value, 0, stride, ChainStart.Zero, bias.Value.Span);
        team.Barrier(thread);
        team.Lap(thread, StepPart.Decoder, 2L * count * stride * width);
    }

    /// <summary>Summed in double precision: tens of thousands of small terms would be lost beside a float's sum.</summary>
    private static void Softmax(ReadOnlySpan<float> logits, Span<float> probabilities)
    {
        float max = logits[0];
        foreach (float logit in logits)
        {
            max = logit > max ? logit : max;
        }

        double sum = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            probabilities[i] = Transcendental.Exp(logits[i] - max);
            sum += probabilities[i];
        }

        for (int i = 0; i < logits.Length; i++)
        {
            probabilities[i] = (float)(probabilities[i] / sum);
        }
    }

    private void Accumulate(int thread, AlignedBuffer output, int start, int count, bool begin)
    {
        int stride = LogitWidth;
        AlignedBuffer block = logits.Value;
        product.Pack(thread, output.From(start), width, width, count, default, outputPack.Value);
        team.Barrier(thread);
        product.Multiply(
            thread, new LeftOperand(block, 0, stride, vocabulary, count, Transposed: true), outputPack.Value, width,
            weight.Gradient, 0, width, begin ? ChainStart.Zero : ChainStart.Output, default, bias.Gradient.Span);
        team.Barrier(thread);
        team.Lap(thread, StepPart.DecoderWeightGradient, 2L * count * stride * width);
    }
}
