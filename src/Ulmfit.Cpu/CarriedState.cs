using Ulmfit.Cpu.Kernels;
using Ulmfit.Model;

namespace Ulmfit.Cpu;

/// <summary>Hidden and cell state of every layer and lane, carried from one window of a language model to the next.</summary>
internal sealed class CarriedState : IDisposable
{
    private readonly AwdLstmConfig config;
    private readonly AlignedBuffer?[] hidden;
    private readonly AlignedBuffer?[] cell;
    private int lanes;

    /// <summary>A state without lanes.</summary>
    public CarriedState(AwdLstmConfig config)
    {
        this.config = config;
        hidden = new AlignedBuffer?[config.Layers];
        cell = new AlignedBuffer?[config.Layers];
    }

    /// <summary>Sees to it that there are that many lanes: a state without lanes begins at zero.</summary>
    /// <exception cref="ArgumentException">There is a state of another number of lanes.</exception>
    public void Reserve(int lanes)
    {
        if (this.lanes == lanes)
        {
            return;
        }

        if (this.lanes != 0)
        {
            throw new ArgumentException($"The carried state has {this.lanes} lanes, but the batch has {lanes}; reset the state before another width.");
        }

        for (int i = 0; i < hidden.Length; i++)
        {
            int length = lanes * Units(i);
            if (hidden[i] is null || hidden[i]!.Length != length)
            {
                hidden[i]?.Dispose();
                cell[i]?.Dispose();
                hidden[i] = new AlignedBuffer(length);
                cell[i] = new AlignedBuffer(length);
            }
            else
            {
                hidden[i]!.Span.Clear();
                cell[i]!.Span.Clear();
            }
        }

        this.lanes = lanes;
    }

    /// <summary>Forgets the state.</summary>
    public void Clear() => lanes = 0;

    /// <summary>Zeroes one lane.</summary>
    public void ClearLane(int lane)
    {
        for (int i = 0; i < hidden.Length; i++)
        {
            hidden[i]!.Slice(lane * Units(i), Units(i)).Clear();
            cell[i]!.Slice(lane * Units(i), Units(i)).Clear();
        }
    }

    /// <summary>Takes the state from a checkpoint where it has one.</summary>
    /// <exception cref="InvalidDataException">A tensor is missing or has another shape.</exception>
    public void Import(StateDict state, int batch)
    {
        if (!state.Contains(TrainingStateNames.CarriedHidden(0)))
        {
            return;
        }

        Reserve(batch);
        for (int i = 0; i < hidden.Length; i++)
        {
            int size = config.OutputSizeOf(i);
            ParameterLayout layout = ParameterLayout.Matrix(batch, size);
            layout.Import(state.Require(TrainingStateNames.CarriedHidden(i), batch, size).Data, hidden[i]!.Span);
            layout.Import(state.Require(TrainingStateNames.CarriedCell(i), batch, size).Data, cell[i]!.Span);
        }
    }

    /// <summary>Adds the state to a checkpoint, if there is one.</summary>
    public void Export(StateDict state)
    {
        for (int i = 0; i < hidden.Length && lanes > 0; i++)
        {
            int size = config.OutputSizeOf(i);
            ParameterLayout layout = ParameterLayout.Matrix(lanes, size);
            Tensor h = Tensor.Zeros(lanes, size), c = Tensor.Zeros(lanes, size);
            layout.Export(hidden[i]!.Span, h.Data);
            layout.Export(cell[i]!.Span, c.Data);
            state[TrainingStateNames.CarriedHidden(i)] = h;
            state[TrainingStateNames.CarriedCell(i)] = c;
        }
    }

    /// <summary>Makes it the initial state of a chunk.</summary>
    public void Restore(ChunkActivations chunk)
    {
        for (int i = 0; i < hidden.Length; i++)
        {
            hidden[i]!.Span.CopyTo(chunk.Layers[i].Hidden.Value.Span);
            cell[i]!.Span.CopyTo(chunk.Layers[i].Cell.Value.Span);
        }
    }

    /// <summary>Takes the final state of a chunk.</summary>
    public void Keep(ChunkActivations chunk)
    {
        for (int i = 0; i < hidden.Length; i++)
        {
            int units = Units(i), last = chunk.Shape.Rows * units;
            chunk.Layers[i].Hidden.Slice(last, lanes * units).CopyTo(hidden[i]!.Span);
            chunk.Layers[i].Cell.Slice(last, lanes * units).CopyTo(cell[i]!.Span);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        for (int i = 0; i < hidden.Length; i++)
        {
            hidden[i]?.Dispose();
            cell[i]?.Dispose();
        }
    }

    private int Units(int layer) => KernelSet.Padded(config.OutputSizeOf(layer));
}
