using TorchSharp;
using TorchSharp.Modules;
using Ulmfit.Model;

namespace Ulmfit.Torch;

/// <summary>Hidden and cell state of one LSTM layer, <c>[1, lanes, units]</c> each.</summary>
internal readonly record struct LstmState(Tensor Hidden, Tensor Cell);

/// <summary>
/// One LSTM layer with DropConnect on its hidden-to-hidden weights (Merity et al. 2017, 2). libtorch's layer reads its own
/// copy of those weights, into which the dropped-out ones are written before each pass; its gradient goes through the mask
/// to the weights themselves.
/// </summary>
internal sealed class LstmLayer : IDisposable
{
    private readonly LSTM module;
    private readonly Device device;
    private readonly Tensor dropped;
    private readonly Parameter inputWeight;
    private readonly Parameter hiddenWeight;
    private readonly Parameter inputBias;
    private readonly Parameter hiddenBias;
    private readonly int layer;
    private Tensor? mask;
    private bool undropped;

    /// <summary>A layer with weights from a state.</summary>
    public LstmLayer(StateDict state, string prefix, int layer, int group, int input, int output, Device device)
    {
        this.device = device;
        this.layer = layer;
        Inputs = input;
        Units = output;
        module = torch.nn.LSTM(input, output, device: device);
        dropped = Weight("weight_hh_l0");
        inputWeight = new Parameter(state, AwdLstmNames.InputWeight(prefix, layer), group, device, Weight("weight_ih_l0"), false, 4 * output, input);
        hiddenWeight = new Parameter(state, AwdLstmNames.HiddenWeight(prefix, layer), group, device, dropped, true, 4 * output, output);
        inputBias = new Parameter(state, AwdLstmNames.InputBias(prefix, layer), group, device, Weight("bias_ih_l0"), false, 4 * output);
        hiddenBias = new Parameter(state, AwdLstmNames.HiddenBias(prefix, layer), group, device, Weight("bias_hh_l0"), false, 4 * output);
    }

    /// <summary>Width of the input.</summary>
    public int Inputs { get; }

    /// <summary>Width of the output.</summary>
    public int Units { get; }

    /// <summary>All weights.</summary>
    public IEnumerable<Parameter> Parameters => [inputWeight, hiddenWeight, inputBias, hiddenBias];

    /// <summary>Before a pass: writes the hidden-to-hidden weights, dropped out at a rate.</summary>
    public void Prepare(float rate, RandomKey key)
    {
        using IDisposable still = torch.no_grad();
        mask = rate > 0f ? HostData.Mask(new Philox(key, RandomPurpose.WeightDrop, layer), rate, device, 4L * Units, Units) : null;
        if (mask is null)
        {
            // A language model that writes token by token comes here for each.
            if (!undropped)
            {
                dropped.copy_(hiddenWeight.Value);
                undropped = true;
            }

            return;
        }

        undropped = false;
        using Tensor product = hiddenWeight.Value.mul(mask);
        dropped.copy_(product);
    }

    /// <summary>From the input <c>[time, lanes, inputs]</c> and a state to the output <c>[time, lanes, units]</c> and the state after it.</summary>
    public (Tensor Output, LstmState After) Forward(Tensor input, LstmState before)
    {
        (Tensor output, Tensor hidden, Tensor cell) = module.call(input, (before.Hidden, before.Cell));
        return (output, new LstmState(hidden, cell));
    }

    /// <summary>After the last backward pass of a step, before the optimiser: the gradient goes through the mask.</summary>
    public void FinishGradient()
    {
        undropped = false;
        if (mask is not null)
        {
            using IDisposable still = torch.no_grad();
            hiddenWeight.Gradient.mul_(mask);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Parameter parameter in Parameters)
        {
            parameter.Dispose();
        }

        module.Dispose();
    }

    private Tensor Weight(string name)
    {
        Tensor weight = module.get_parameter(name) ?? throw new InvalidOperationException($"libtorch's LSTM has no weight '{name}'.");
        return weight.DetachFromDisposeScope();
    }
}
