using Ulmfit.Model;

namespace Ulmfit.Engine;

/// <summary>
/// Settings of one Adam step with decoupled weight decay (Loshchilov &amp; Hutter 2019), for one weight w of group k with
/// gradient g: <c>m = β1·m + (1 − β1)·g; v = β2·v + (1 − β2)·g²; w -= lr_k·wd·w;
/// w -= lr_k · (m / (1 − β1^n)) / (sqrt(v / (1 − β2^n)) + ε)</c>.
/// </summary>
/// <param name="Key">Where the step's random numbers come from.</param>
/// <param name="Number">n: which step since the moments were zero, from 1.</param>
/// <param name="Groups">One entry a parameter group of <see cref="ParameterGroups"/>, lowest first.</param>
public sealed record OptimizerStep(RandomKey Key, int Number, IReadOnlyList<GroupStep> Groups)
{
    /// <summary>β1; 0.7 in the paper, cycled by the one-cycle schedule.</summary>
    public float Beta1 { get; init; } = 0.7f;

    /// <summary>β2.</summary>
    public float Beta2 { get; init; } = 0.99f;

    /// <summary>ε, added after the root.</summary>
    public float Epsilon { get; init; } = 1e-5f;

    /// <summary>Decoupled weight decay; not on biases and BatchNorm (<see cref="AwdLstmNames.HasWeightDecay"/>).</summary>
    public float WeightDecay { get; init; } = 0.01f;

    /// <summary>Gradients are scaled down to this ℓ2 norm over all trained weights when they exceed it; 0 for never.</summary>
    public float ClipNorm { get; init; }
}

/// <summary>What a step does to one parameter group.</summary>
/// <param name="Trained">False: frozen. Its weights and moments stay, and its gradients need not be computed.</param>
/// <param name="LearningRate">η of the group.</param>
public readonly record struct GroupStep(bool Trained, float LearningRate);
