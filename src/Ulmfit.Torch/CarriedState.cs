using TorchSharp;
using Ulmfit.Model;

namespace Ulmfit.Torch;

/// <summary>Hidden and cell state of every layer and lane, carried from one window of a language model to the next.</summary>
internal sealed class CarriedState : IDisposable
{
    private readonly AwdLstmConfig config;
    private readonly Device device;
    private LstmState[] layers = [];
    private int lanes;

    /// <summary>A state without lanes, which begins at zero.</summary>
    public CarriedState(AwdLstmConfig config, Device device)
    {
        this.config = config;
        this.device = device;
    }

    /// <summary>Throws where the state goes on with another number of lanes.</summary>
    /// <exception cref="ArgumentException">It does.</exception>
    public void Check(int batch)
    {
        if (lanes != 0 && lanes != batch)
        {
            throw new ArgumentException($"The carried state has {lanes} lanes, but the batch has {batch}; reset the state before another width.");
        }
    }

    /// <summary>The state before a window, in the caller's scope, some lanes set to zero.</summary>
    public LstmState[] Begin(Encoder encoder, int batch, ReadOnlySpan<bool> reset)
    {
        if (lanes == 0)
        {
            return encoder.ZeroState(batch);
        }

        if (!reset.Contains(true))
        {
            return layers;
        }

        Tensor zeroed = HostData.Flags(reset.ToArray(), device, 1, batch, 1);
        return [.. layers.Select(layer => new LstmState(layer.Hidden.masked_fill(zeroed, 0f), layer.Cell.masked_fill(zeroed, 0f)))];
    }

    /// <summary>Takes the state after a window.</summary>
    public void Keep(LstmState[] after, int batch)
    {
        LstmState[] kept = [.. after.Select(layer => new LstmState(layer.Hidden.DetachFromDisposeScope(), layer.Cell.DetachFromDisposeScope()))];
        Clear();
        layers = kept;
        lanes = batch;
    }

    /// <summary>Forgets the state.</summary>
    public void Clear()
    {
        foreach (LstmState layer in layers)
        {
            layer.Hidden.Dispose();
            layer.Cell.Dispose();
        }

        layers = [];
        lanes = 0;
    }

    /// <summary>Takes the state from a checkpoint where it has one.</summary>
    /// <exception cref="InvalidDataException">A tensor is missing or has another shape.</exception>
    public void Import(StateDict state, int batch)
    {
        if (!state.Contains(TrainingStateNames.CarriedHidden(0)))
        {
            return;
        }

        Keep([.. Enumerable.Range(0, config.Layers).Select(i => new LstmState(Read(TrainingStateNames.CarriedHidden(i), i), Read(TrainingStateNames.CarriedCell(i), i)))], batch);

        Tensor Read(string name, int layer)
        {
            using Tensor tensor = HostData.Import(state.Require(name, batch, config.OutputSizeOf(layer)), device);
            return tensor.unsqueeze(0).contiguous();
        }
    }

    /// <summary>Adds the state to a checkpoint, if there is one.</summary>
    public void Export(StateDict state)
    {
        for (int i = 0; i < layers.Length; i++)
        {
            state[TrainingStateNames.CarriedHidden(i)] = HostData.Export(layers[i].Hidden, lanes, config.OutputSizeOf(i));
            state[TrainingStateNames.CarriedCell(i)] = HostData.Export(layers[i].Cell, lanes, config.OutputSizeOf(i));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Clear();
}
