using Ulmfit.Cpu.Kernels;
using Ulmfit.Model;

namespace Ulmfit.Cpu;

/// <summary>
/// How a weight lies in the engine: rows and columns padded to whole vectors with zeros, the gates of an LSTM interleaved
/// as <c>i16 f16 g16 o16</c> for each sixteen units, a concatenation of vectors with each part padded. The state dict's
/// order is the logical one.
/// </summary>
/// <param name="Rows">Logical rows.</param>
/// <param name="Parts">Parts that a row is concatenated of.</param>
/// <param name="PartSize">Logical columns of a part.</param>
/// <param name="Units">Of gates: the layer's units, rows being 4·units; else 0.</param>
/// <param name="Dense">One number a row, without padding between them: the bias of gates.</param>
internal readonly record struct ParameterLayout(int Rows, int Parts, int PartSize, int Units, bool Dense = false)
{
    /// <summary>Rows in the engine.</summary>
    public int PaddedRows => Units == 0 ? Rows : 4 * KernelSet.Padded(Units);

    /// <summary>Floats from one row to the next; 1 for the bias of gates.</summary>
    public int Stride => Dense ? 1 : Parts * KernelSet.Padded(PartSize);

    /// <summary>Floats in the engine.</summary>
    public int Length => checked(PaddedRows * Stride);

    /// <summary>A matrix or, with one row, a vector.</summary>
    public static ParameterLayout Matrix(int rows, int columns) => new(rows, 1, columns, 0);

    /// <summary>Weights into the gates of a layer.</summary>
    public static ParameterLayout Gates(int units, int columns) => new(4 * units, 1, columns, units);

    /// <summary>Bias of the gates of a layer.</summary>
    public static ParameterLayout GateBias(int units) => new(4 * units, 1, 1, units, Dense: true);

    /// <summary>Rows that are concatenations of equal parts.</summary>
    public static ParameterLayout Concatenated(int rows, int parts, int partSize) => new(rows, parts, partSize, 0);

    /// <summary>Where a logical row lies.</summary>
    public int RowOf(int row)
    {
        if (Units == 0)
        {
            return row;
        }

        int gate = row / Units, unit = row % Units;
        return (unit / KernelSet.Lanes * 4 * KernelSet.Lanes) + (gate * KernelSet.Lanes) + (unit % KernelSet.Lanes);
    }

    /// <summary>The logical row that lies at a row, or −1 for padding.</summary>
    public int LogicalRow(int row)
    {
        if (Units == 0)
        {
            return row;
        }

        const int Group = 4 * KernelSet.Lanes;
        int unit = (row / Group * KernelSet.Lanes) + (row % KernelSet.Lanes);
        return unit < Units ? (row % Group / KernelSet.Lanes * Units) + unit : -1;
    }

    /// <summary>From the state dict's order.</summary>
    public void Import(ReadOnlySpan<float> logical, Span<float> target)
    {
        target.Clear();
        int columns = Parts * PartSize, pad = Dense ? 1 : KernelSet.Padded(PartSize);
        for (int row = 0; row < Rows; row++)
        {
            for (int part = 0; part < Parts; part++)
            {
                logical.Slice((row * columns) + (part * PartSize), PartSize).CopyTo(target[((RowOf(row) * Stride) + (part * pad))..]);
            }
        }
    }

    /// <summary>To the state dict's order.</summary>
    public void Export(ReadOnlySpan<float> source, Span<float> logical)
    {
        int columns = Parts * PartSize, pad = Dense ? 1 : KernelSet.Padded(PartSize);
        for (int row = 0; row < Rows; row++)
        {
            for (int part = 0; part < Parts; part++)
            {
                source.Slice((RowOf(row) * Stride) + (part * pad), PartSize).CopyTo(logical[((row * columns) + (part * PartSize))..]);
            }
        }
    }
}

/// <summary>A trained weight with its gradient and Adam's moments, which are made when it is first trained.</summary>
internal sealed class Parameter : IDisposable
{
    private readonly int[] shape;
    private AlignedBuffer? gradient;
    private AlignedBuffer? first;
    private AlignedBuffer? second;

    /// <summary>The weight of that name, copied from the state with its moments, if it has any.</summary>
    /// <exception cref="InvalidDataException">It is missing or has another shape.</exception>
    public Parameter(StateDict state, string name, int group, ParameterLayout layout, params int[] shape)
    {
        Name = name;
        Group = group;
        Layout = layout;
        this.shape = shape;
        Decays = AwdLstmNames.HasWeightDecay(name);
        Tensor weight = state.Require(name, shape);
        Value = new AlignedBuffer(KernelSet.Padded(layout.Length));
        layout.Import(weight.Data, Value.Slice(0, layout.Length));
        if (state.Contains(TrainingStateNames.FirstMoment(name)) || state.Contains(TrainingStateNames.SecondMoment(name)))
        {
            Tensor m = state.Require(TrainingStateNames.FirstMoment(name), shape), v = state.Require(TrainingStateNames.SecondMoment(name), shape);
            Prepare();
            layout.Import(m.Data, First.Slice(0, layout.Length));
            layout.Import(v.Data, Second.Slice(0, layout.Length));
        }
    }

    /// <summary>Name in the state dict.</summary>
    public string Name { get; }

    /// <summary>Parameter group.</summary>
    public int Group { get; }

    /// <summary>Whether weight decay applies.</summary>
    public bool Decays { get; }

    /// <summary>How it lies.</summary>
    public ParameterLayout Layout { get; }

    /// <summary>The weight.</summary>
    public AlignedBuffer Value { get; }

    /// <summary>Its gradient.</summary>
    public AlignedBuffer Gradient => gradient ?? throw new InvalidOperationException($"'{Name}' is not trained.");

    /// <summary>Adam's first moment.</summary>
    public AlignedBuffer First => first ?? throw new InvalidOperationException($"'{Name}' is not trained.");

    /// <summary>Adam's second moment.</summary>
    public AlignedBuffer Second => second ?? throw new InvalidOperationException($"'{Name}' is not trained.");

    /// <summary>Makes gradient and moments where there are none yet.</summary>
    public void Prepare()
    {
        gradient ??= new AlignedBuffer(Value.Length);
        first ??= new AlignedBuffer(Value.Length);
        second ??= new AlignedBuffer(Value.Length);
    }

    /// <summary>Adds a copy of the weight alone.</summary>
    public void SaveWeight(StateDict state) => state[Name] = Export(Value);

    /// <summary>Adds copies of the weight and of its moments, if it has been trained.</summary>
    public void Save(StateDict state)
    {
        SaveWeight(state);
        if (first is not null && second is not null)
        {
            state[TrainingStateNames.FirstMoment(Name)] = Export(first);
            state[TrainingStateNames.SecondMoment(Name)] = Export(second);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Value.Dispose();
        gradient?.Dispose();
        first?.Dispose();
        second?.Dispose();
    }

    private Tensor Export(AlignedBuffer buffer)
    {
        Tensor tensor = Tensor.Zeros(shape);
        Layout.Export(buffer.Slice(0, Layout.Length), tensor.Data);
        return tensor;
    }
}
