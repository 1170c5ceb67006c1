using TorchSharp;
using Ulmfit.Model;

namespace Ulmfit.Torch;

/// <summary>A trained weight with Adam's moments, which are made when it is first trained.</summary>
internal sealed class Parameter : IDisposable
{
    private readonly Tensor leaf;
    private readonly int[] shape;
    private Tensor? first;
    private Tensor? second;

    /// <summary>The weight of that name, copied from the state with its moments, if it has any.</summary>
    /// <param name="state">Where it is.</param>
    /// <param name="name">Name in the state dict.</param>
    /// <param name="group">Parameter group.</param>
    /// <param name="device">Where it is to lie.</param>
    /// <param name="inModule">The tensor of a module that computes with it; null for one of its own.</param>
    /// <param name="computesWithCopy">
    /// Whether the module computes with what is made from the weight, as weight drop does: then the weight lies apart from
    /// the module's tensor, and only the gradient is taken from there.
    /// </param>
    /// <param name="shape">Shape.</param>
    /// <exception cref="InvalidDataException">It is missing or has another shape.</exception>
    public Parameter(StateDict state, string name, int group, Device device, Tensor? inModule, bool computesWithCopy, params int[] shape)
    {
        Name = name;
        Group = group;
        this.shape = shape;
        Decays = AwdLstmNames.HasWeightDecay(name);
        Tensor imported = HostData.Import(state.Require(name, shape), device);
        if (inModule is not null && !computesWithCopy)
        {
            using IDisposable still = torch.no_grad();
            inModule.copy_(imported);
            imported.Dispose();
            imported = inModule;
        }

        Value = imported;
        leaf = inModule ?? imported;
        if (state.Contains(TrainingStateNames.FirstMoment(name)) || state.Contains(TrainingStateNames.SecondMoment(name)))
        {
            first = HostData.Import(state.Require(TrainingStateNames.FirstMoment(name), shape), device);
            second = HostData.Import(state.Require(TrainingStateNames.SecondMoment(name), shape), device);
        }
    }

    /// <summary>Name in the state dict.</summary>
    public string Name { get; }

    /// <summary>Parameter group.</summary>
    public int Group { get; }

    /// <summary>Whether weight decay applies.</summary>
    public bool Decays { get; }

    /// <summary>The weight.</summary>
    public Tensor Value { get; }

    /// <summary>What the backward pass left.</summary>
    public Tensor Gradient => leaf.grad ?? throw new InvalidOperationException($"The backward pass gave '{Name}' no gradient.");

    /// <summary>Adam's moments, zero where there are none yet.</summary>
    public (Tensor First, Tensor Second) Moments()
    {
        first ??= torch.zeros_like(Value).requires_grad_(false).DetachFromDisposeScope();
        second ??= torch.zeros_like(Value).requires_grad_(false).DetachFromDisposeScope();
        return (first, second);
    }

    /// <summary>Whether the backward pass of this step is to give it a gradient.</summary>
    public void Train(bool trained) => leaf.requires_grad = trained;

    /// <summary>Frees the gradient.</summary>
    public void ClearGradient() => leaf.grad = null;

    /// <summary>Adds copies of the weight and of its moments, if it has been trained.</summary>
    public void Save(StateDict state)
    {
        state[Name] = HostData.Export(Value, shape);
        if (first is not null && second is not null)
        {
            state[TrainingStateNames.FirstMoment(Name)] = HostData.Export(first, shape);
            state[TrainingStateNames.SecondMoment(Name)] = HostData.Export(second, shape);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Value.Dispose();
        leaf.Dispose();
        first?.Dispose();
        second?.Dispose();
    }
}
