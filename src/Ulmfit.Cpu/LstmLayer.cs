using Ulmfit.Cpu.Kernels;
using Ulmfit.Model;

namespace Ulmfit.Cpu;

/// <summary>What an LSTM layer keeps of a chunk between forward and backward.</summary>
internal sealed class LstmActivations : IDisposable
{
    /// <summary>Input <c>[rows, input]</c>; the gradient of the input after the backward pass.</summary>
    public GrowingBuffer Input { get; } = new();

    /// <summary>Gates <c>[rows, 4·units]</c>: before activation, activated, and in the end their gradients.</summary>
    public GrowingBuffer Gates { get; } = new();

    /// <summary>Cell states <c>[lanes + rows, units]</c>, the initial ones first.</summary>
    public GrowingBuffer Cell { get; } = new();

    /// <summary>Hidden states <c>[lanes + rows, units]</c>, the initial ones first.</summary>
    public GrowingBuffer Hidden { get; } = new();

    /// <summary>Units of the layer, padded.</summary>
    public int Units { get; private set; }

    /// <summary>Makes room for a chunk.</summary>
    public void Reserve(LstmLayer layer, int lanes, int rows)
    {
        Units = layer.Units;
        Input.Reserve((long)rows * layer.InputWidth);
        Gates.Reserve((long)rows * 4 * layer.Units);
        Cell.Reserve((long)(lanes + rows) * layer.Units);
        Hidden.Reserve((long)(lanes + rows) * layer.Units);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Input.Dispose();
        Gates.Dispose();
        Cell.Dispose();
        Hidden.Dispose();
    }
}

/// <summary>Buffers that the layers of a network use one after another.</summary>
internal sealed class LstmScratch : IDisposable
{
    /// <summary>A packed right operand.</summary>
    public GrowingBuffer Right { get; } = new();

    /// <summary>The left operand of the recurrent product, packed, of even times.</summary>
    public GrowingBuffer Even { get; } = new();

    /// <summary>The left operand of the recurrent product, packed, of odd times.</summary>
    public GrowingBuffer Odd { get; } = new();

    /// <summary>Gradient of the hidden state by way of the next time <c>[lanes, units]</c>.</summary>
    public GrowingBuffer RecurrentGradient { get; } = new();

    /// <summary>Gradient of the cell state <c>[lanes, units]</c>.</summary>
    public GrowingBuffer CellGradient { get; } = new();

    /// <summary>Makes room for a layer and a chunk.</summary>
    public void Reserve(LstmLayer layer, int lanes, int rows, bool backward)
    {
        int width = Math.Max(layer.InputWidth, layer.Units);
        Even.Reserve((long)lanes * layer.Units * (backward ? 4 : 1));
        Odd.Reserve((long)lanes * layer.Units * (backward ? 4 : 1));
        if (backward)
        {
            Right.Reserve(Math.Max((long)rows * width, 4L * layer.Units * layer.InputWidth));
            RecurrentGradient.Reserve((long)lanes * layer.Units);
            CellGradient.Reserve((long)lanes * layer.Units);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Right.Dispose();
        Even.Dispose();
        Odd.Dispose();
        RecurrentGradient.Dispose();
        CellGradient.Dispose();
    }
}

/// <summary>
/// One LSTM layer with DropConnect on its hidden-to-hidden weights (Merity et al. 2017). Made of input and recurrent
/// weights, both packed once per update, with the gates of sixteen units side by side: the thread that finishes them
/// activates them while they are in its cache.
/// </summary>
internal sealed class LstmLayer : IDisposable
{
    private const int Group = 4 * KernelSet.Lanes;
    private const int BackwardDepthBlock = 1024;

    private readonly ComputeTeam team;
    private readonly KernelSet kernels;
    private readonly MatrixProduct product;
    private readonly int index;
    private readonly int logicalUnits;
    private readonly AlignedBuffer inputPack;
    private readonly AlignedBuffer recurrentPack;
    private readonly GrowingBuffer backwardPack = new();
    private readonly AlignedBuffer bias;
    private readonly AlignedBuffer[] rowScratch;
    private readonly ushort[] keep;
    private bool packInput = true;
    private bool packRecurrent = true;
    private bool packedWithDrop;
    private bool packedForBackward;
    private Philox dropStream;
    private float dropRate;

    /// <summary>A layer with weights from a state.</summary>
    public LstmLayer(ComputeTeam team, KernelSet kernels, MatrixProduct product, StateDict state, string encoder, int index, int group, int input, int units)
    {
        this.team = team;
        this.kernels = kernels;
        this.product = product;
        this.index = index;
        logicalUnits = units;
        InputWidth = KernelSet.Padded(input);
        Units = KernelSet.Padded(units);
        InputWeight = new Parameter(state, AwdLstmNames.InputWeight(encoder, index), group, ParameterLayout.Gates(units, input), 4 * units, input);
        HiddenWeight = new Parameter(state, AwdLstmNames.HiddenWeight(encoder, index), group, ParameterLayout.Gates(units, units), 4 * units, units);
        InputBias = new Parameter(state, AwdLstmNames.InputBias(encoder, index), group, ParameterLayout.GateBias(units), 4 * units);
        HiddenBias = new Parameter(state, AwdLstmNames.HiddenBias(encoder, index), group, ParameterLayout.GateBias(units), 4 * units);
        inputPack = new AlignedBuffer(KernelSet.PackedRightLength(4 * Units, InputWidth));
        recurrentPack = new AlignedBuffer(KernelSet.PackedRightLength(4 * Units, Units));
        bias = new AlignedBuffer(4 * Units);
        keep = new ushort[4 * Units * Units / KernelSet.Lanes];
        rowScratch = new AlignedBuffer[team.Threads];
        for (int i = 0; i < rowScratch.Length; i++)
        {
            rowScratch[i] = new AlignedBuffer((Group + 1) * Units);
        }
    }

    /// <summary>Input width, padded.</summary>
    public int InputWidth { get; }

    /// <summary>Output width, padded.</summary>
    public int Units { get; }

    /// <summary>Input weights <c>[4·units, input]</c>.</summary>
    public Parameter InputWeight { get; }

    /// <summary>Hidden-to-hidden weights before weight drop <c>[4·units, units]</c>.</summary>
    public Parameter HiddenWeight { get; }

    /// <summary>Input bias.</summary>
    public Parameter InputBias { get; }

    /// <summary>Hidden bias.</summary>
    public Parameter HiddenBias { get; }

    /// <summary>All weights.</summary>
    public IEnumerable<Parameter> Parameters => [InputWeight, HiddenWeight, InputBias, HiddenBias];

    /// <summary>The weights have changed, so what is packed is old.</summary>
    public void Changed()
    {
        packInput = true;
        packRecurrent = true;
    }

    /// <summary>Before the team runs: settles what <see cref="Pack"/> has to do for a pass with weight drop, or without (rate 0).</summary>
    public void Prepare(RandomKey key, float rate, bool backward)
    {
        dropRate = rate;
        dropStream = new Philox(key, RandomPurpose.WeightDrop, index);
        packRecurrent |= rate > 0f || packedWithDrop || (backward && !packedForBackward);
        packedWithDrop = rate > 0f;
        if (backward)
        {
            backwardPack.Reserve(KernelSet.PackedRightLength(Units, 4 * Units));
        }

        packedForBackward = backward || (packedForBackward && !packRecurrent);
    }

    /// <summary>After the team ran <see cref="Pack"/>.</summary>
    public void Packed()
    {
        packInput = false;
        packRecurrent = false;
    }

    /// <summary>Packs the weights for this update. All threads call it; it ends with a barrier.</summary>
    public void Pack(int thread)
    {
        if (packInput)
        {
            product.PackTransposed(thread, InputWeight.Value.Span, InputWeight.Layout.Stride, 4 * Units, InputWidth, inputPack);
            team.Barrier(thread);
        }

        if (packInput || packRecurrent)
        {
            while (team.Take(thread, Units / KernelSet.Lanes, out int group))
            {
                PackGroup(thread, group);
            }

            team.Barrier(thread);
        }

        team.Lap(thread, StepPart.Packing);
    }

    /// <summary>
    /// Runs the layer over a chunk: from the input and the initial states to gates and states. All threads call it; it
    /// ends with a barrier.
    /// </summary>
    public void Forward(int thread, SequenceShape shape, LstmActivations activations, LstmScratch scratch)
    {
        AlignedBuffer gates = activations.Gates.Value, cell = activations.Cell.Value, hidden = activations.Hidden.Value;
        int width = 4 * Units;
        product.Multiply(
            thread, new LeftOperand(activations.Input.Value, 0, InputWidth, shape.Rows, InputWidth, Transposed: false), inputPack, width,
            gates, 0, width, ChainStart.Zero, bias.Span);
        var layout = new StripLayout(shape.Lanes, kernels.MaxStripRows);
        if (!shape.StartsAtZero && thread == 0)
        {
            Packing.Scatter(layout, shape.Lanes, hidden.Span, Units, 0, scratch.Odd.Value.Span, Units, 0, Units);
        }

        team.Barrier(thread);
        team.Lap(thread, StepPart.InputProducts, 2L * shape.Rows * width * InputWidth);
        int groups = Units / KernelSet.Lanes;
        int parts = RowParts(layout.Count, groups);
        for (int t = 0; t < shape.Time; t++)
        {
            bool recurs = t > 0 || !shape.StartsAtZero;
            int count = shape.Counts[t], offset = shape.Offsets[t];
            int before = t == 0 ? 0 : shape.Lanes + shape.Offsets[t - 1], now = shape.Lanes + offset;
            bool packs = t + 1 < shape.Time;
            AlignedBuffer from = (t & 1) == 0 ? scratch.Odd.Value : scratch.Even.Value, to = (t & 1) == 0 ? scratch.Even.Value : scratch.Odd.Value;
            while (team.Take(thread, groups * parts, out int item))
            {
                int group = item / parts, part = item % parts;
                int firstStrip = layout.Count * part / parts, endStrip = layout.Count * (part + 1) / parts;
                int firstRow = layout.Start(firstStrip);
                int rows = Math.Min(layout.Start(endStrip), count) - firstRow;
                if (rows <= 0)
                {
                    continue;
                }

                Span<float> z = gates.From(((offset + firstRow) * width) + (group * Group));
                if (recurs)
                {
                    for (int half = 0; half < Group; half += KernelSet.PanelWidth)
                    {
                        ReadOnlySpan<float> panel = recurrentPack.Slice(((group * Group) + half) * Units, KernelSet.PanelWidth * Units);
                        kernels.MultiplyStrips(layout, firstStrip, endStrip, count, from.From(firstRow * Units), Units, 0, Units, panel, KernelSet.PanelWidth, z[half..], width, z[half..], width, KernelSet.PanelWidth * Units);
                    }
                }

                int column = group * KernelSet.Lanes;
                Span<float> h = hidden.From(((now + firstRow) * Units) + column);
                kernels.LstmForward(rows, z, width, cell.From(((before + firstRow) * Units) + column), cell.From(((now + firstRow) * Units) + column), h, Units);
                if (packs)
                {
                    Packing.Scatter(layout, firstRow + rows, h, Units, firstRow, to.Span, Units, column, KernelSet.Lanes);
                }
            }

            team.Barrier(thread);
        }

        team.Lap(thread, StepPart.Recurrence, 2L * (shape.StartsAtZero ? shape.Rows - shape.Lanes : shape.Rows) * width * Units);
    }

    /// <summary>
    /// Back through the chunk: from the gradient of the hidden states to that of the gates, which replace the gates. All
    /// threads call it; it ends with a barrier.
    /// </summary>
    /// <param name="thread">The calling thread.</param>
    /// <param name="shape">The chunk.</param>
    /// <param name="activations">What forward kept.</param>
    /// <param name="scratch">Shared buffers.</param>
    /// <param name="outputGradient">Gradient of the layer's output <c>[rows, units]</c>.</param>
    /// <param name="mask">Dropout mask of the layer's output <c>[lanes, units]</c>, or null.</param>
    public void Backward(int thread, SequenceShape shape, LstmActivations activations, LstmScratch scratch, AlignedBuffer outputGradient, AlignedBuffer? mask)
    {
        AlignedBuffer gates = activations.Gates.Value, cell = activations.Cell.Value;
        AlignedBuffer recurrent = scratch.RecurrentGradient.Value, cellGradient = scratch.CellGradient.Value;
        int width = 4 * Units;
        var layout = new StripLayout(shape.Lanes, kernels.MaxStripRows);
        while (team.Take(thread, shape.Lanes, out int lane))
        {
            cellGradient.Slice(lane * Units, Units).Clear();
        }

        team.Barrier(thread);
        int panels = (Units + KernelSet.PanelWidth - 1) / KernelSet.PanelWidth;
        int parts = RowParts(layout.Count, panels);
        for (int t = shape.Time - 1; t >= 0; t--)
        {
            int count = shape.Counts[t], offset = shape.Offsets[t];
            int later = t + 1 < shape.Time ? shape.Counts[t + 1] : 0;
            int before = t == 0 ? 0 : shape.Lanes + shape.Offsets[t - 1], now = shape.Lanes + offset;
            AlignedBuffer from = (t & 1) == 0 ? scratch.Odd.Value : scratch.Even.Value, to = (t & 1) == 0 ? scratch.Even.Value : scratch.Odd.Value;
            while (team.Take(thread, panels * parts, out int item))
            {
                int panel = item / parts, part = item % parts;
                int firstStrip = layout.Count * part / parts, endStrip = layout.Count * (part + 1) / parts;
                int firstRow = layout.Start(firstStrip);
                int rows = Math.Min(layout.Start(endStrip), count) - firstRow;
                if (rows <= 0)
                {
                    continue;
                }

                int column = panel * KernelSet.PanelWidth;
                int panelWidth = Math.Min(KernelSet.PanelWidth, Units - column);
                int laterRows = Math.Clamp(later - firstRow, 0, rows);
                if (laterRows > 0)
                {
                    Span<float> output = recurrent.From((firstRow * Units) + column);
                    for (int k = 0; k < width; k += BackwardDepthBlock)
                    {
                        int depth = Math.Min(BackwardDepthBlock, width - k);
                        kernels.MultiplyStrips(
                            layout, firstStrip, endStrip, later, from.From(firstRow * width), width, k, depth,
                            backwardPack.Slice((column * width) + (k * panelWidth), depth * panelWidth), panelWidth, output, Units, k == 0 ? default : output, Units, depth * panelWidth);
                    }
                }

                for (int c = column; c < column + panelWidth; c += KernelSet.Lanes)
                {
                    int state = (firstRow * Units) + c;
                    kernels.LstmBackward(
                        rows, gates.From(((offset + firstRow) * width) + (c * 4)), width, cell.From((before * Units) + state), cell.From((now * Units) + state),
                        outputGradient.From((offset * Units) + state), mask is null ? default : mask.From(state), recurrent.From(state), laterRows, cellGradient.From(state), Units);
                }

                if (t > 0)
                {
                    Packing.Scatter(layout, firstRow + rows, gates.From(((offset + firstRow) * width) + (column * 4)), width, firstRow, to.Span, width, column * 4, panelWidth * 4);
                }
            }

            team.Barrier(thread);
        }

        team.Lap(thread, StepPart.RecurrenceBackward, 2L * (shape.Rows - shape.Lanes) * width * Units);
    }

    /// <summary>
    /// Adds the chunk's gradients of the weights, or begins with them. All threads call it after <see cref="Backward"/>;
    /// it ends with a barrier.
    /// </summary>
    public void WeightGradients(int thread, SequenceShape shape, LstmActivations activations, LstmScratch scratch, bool begin)
    {
        int width = 4 * Units;
        ChainStart start = begin ? ChainStart.Zero : ChainStart.Output;
        var gates = new LeftOperand(activations.Gates.Value, 0, width, width, shape.Rows, Transposed: true);
        product.Pack(thread, activations.Input.Value.Span, InputWidth, InputWidth, shape.Rows, default, scratch.Right.Value);
        team.Barrier(thread);
        product.Multiply(thread, gates, scratch.Right.Value, InputWidth, InputWeight.Gradient, 0, InputWidth, start, default, InputBias.Gradient.Span);
        team.Barrier(thread);
        product.Pack(thread, activations.Hidden.Value.Span, Units, Units, shape.Rows, shape.Previous.AsSpan(0, shape.Rows), scratch.Right.Value);
        team.Barrier(thread);
        if (thread == 0)
        {
            InputBias.Gradient.Span.CopyTo(HiddenBias.Gradient.Span);
        }

        product.Multiply(thread, gates, scratch.Right.Value, Units, HiddenWeight.Gradient, 0, Units, start, default);
        team.Barrier(thread);
        team.Lap(thread, StepPart.WeightGradients, 2L * shape.Rows * width * (InputWidth + Units));
    }

    /// <summary>The gradient of the chunk's input, in its place. All threads call it after <see cref="Backward"/>; it ends with a barrier.</summary>
    public void InputGradient(int thread, SequenceShape shape, LstmActivations activations, LstmScratch scratch)
    {
        int width = 4 * Units;
        product.Pack(thread, InputWeight.Value.Span, InputWidth, InputWidth, width, default, scratch.Right.Value);
        team.Barrier(thread);
        product.Multiply(
            thread, new LeftOperand(activations.Gates.Value, 0, width, shape.Rows, width, Transposed: false), scratch.Right.Value, InputWidth,
            activations.Input.Value, 0, InputWidth, ChainStart.Zero, default);
        team.Barrier(thread);
        team.Lap(thread, StepPart.InputGradients, 2L * shape.Rows * width * InputWidth);
    }

    /// <summary>Weight drop's part of the hidden-to-hidden gradient, after the last chunk. All threads call it; it ends with a barrier.</summary>
    public void FinishWeightGradients(int thread)
    {
        if (dropRate <= 0f)
        {
            return;
        }

        float factor = 1f / (1f - dropRate);
        int words = Units / KernelSet.Lanes;
        while (team.Take(thread, words, out int group))
        {
            KeepBits.Apply(keep.AsSpan(group * Group * words, Group * words), factor, HiddenWeight.Gradient.Slice(group * Group * Units, Group * Units));
        }

        team.Barrier(thread);
        team.Lap(thread, StepPart.WeightGradients);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Parameter parameter in Parameters)
        {
            parameter.Dispose();
        }

        foreach (AlignedBuffer scratch in rowScratch)
        {
            scratch.Dispose();
        }

        inputPack.Dispose();
        recurrentPack.Dispose();
        backwardPack.Dispose();
        bias.Dispose();
    }

    /// <summary>Whether a column of tasks is cut into parts of the rows, so that the busiest thread has least to do.</summary>
    private int RowParts(int strips, int columns)
    {
        int best = 1;
        double least = double.MaxValue;
        for (int parts = 1; parts <= strips; parts++)
        {
            int rounds = ((columns * parts) + team.Threads - 1) / team.Threads;
            double cost = rounds * (((strips + parts - 1) / parts) + 0.7);
            if (cost < least)
            {
                least = cost;
                best = parts;
            }
        }

        return best;
    }

    private void PackGroup(int thread, int group)
    {
        int first = group * Group;
        kernels.Sum(InputBias.Value.Slice(first, Group), HiddenBias.Value.Slice(first, Group), bias.Slice(first, Group));
        Span<float> rows = rowScratch[thread].Slice(0, Group * Units);
        ReadOnlySpan<float> weights = HiddenWeight.Value.Slice(first * Units, Group * Units);
        if (dropRate > 0f)
        {
            Span<float> mask = rowScratch[thread].Slice(Group * Units, Units);
            int words = Units / KernelSet.Lanes;
            for (int r = 0; r < Group; r++)
            {
                int logical = HiddenWeight.Layout.LogicalRow(first + r);
                mask.Clear();
                if (logical >= 0)
                {
                    DropoutMask.Fill(dropStream, dropRate, (long)logical * logicalUnits, mask[..logicalUnits]);
                }

                KeepBits.Set(mask, keep.AsSpan((first + r) * words, words));
                kernels.Multiply(weights.Slice(r * Units, Units), mask, rows.Slice(r * Units, Units));
            }
        }
        else
        {
            weights.CopyTo(rows);
        }

        for (int half = 0; half < Group; half += KernelSet.PanelWidth)
        {
            Packing.Transpose(rows[(half * Units)..], Units, KernelSet.PanelWidth, KernelSet.PanelWidth, Units, recurrentPack.Slice((first + half) * Units, KernelSet.PanelWidth * Units));
        }

        if (packedForBackward)
        {
            int width = 4 * Units;
            for (int column = 0; column < Units; column += KernelSet.PanelWidth)
            {
                int panelWidth = Math.Min(KernelSet.PanelWidth, Units - column);
                Packing.Copy(rows[column..], Units, panelWidth, panelWidth, Group, backwardPack.Slice((column * width) + (first * panelWidth), Group * panelWidth));
            }
        }
    }
}
