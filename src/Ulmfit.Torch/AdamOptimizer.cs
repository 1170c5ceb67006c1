using TorchSharp;
using Ulmfit.Engine;

namespace Ulmfit.Torch;

/// <summary>
/// Adam with decoupled weight decay and clipping of the global norm over all trained weights, written out in tensor
/// operations so that it is <see cref="OptimizerStep"/>'s formula and nothing else.
/// </summary>
internal sealed class AdamOptimizer
{
    private readonly Parameter[] parameters;

    /// <summary>An optimiser of these weights.</summary>
    public AdamOptimizer(IEnumerable<Parameter> parameters) => this.parameters = [.. parameters];

    /// <summary>Before the forward pass: only the weights of trained groups get gradients.</summary>
    /// <returns>Whether there are any.</returns>
    public bool Prepare(OptimizerStep step)
    {
        bool any = false;
        foreach (Parameter parameter in parameters)
        {
            bool trained = step.Groups[parameter.Group].Trained;
            parameter.ClearGradient();
            parameter.Train(trained);
            any |= trained;
        }

        return any;
    }

    /// <summary>Moves the trained weights by their gradients and frees those.</summary>
    /// <returns>ℓ2 norm over all trained gradients, before clipping.</returns>
    public double Step(OptimizerStep step)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using IDisposable still = torch.no_grad();
        Parameter[] trained = [.. parameters.Where(parameter => step.Groups[parameter.Group].Trained)];
        Tensor[] gradients = [.. trained.Select(parameter => parameter.Gradient)];

        // One transfer for all: each would wait for the device.
        double norm = Math.Sqrt(HostData.Copy(torch.stack(gradients.Select(gradient => gradient.norm()))).Sum(x => (double)x * x));
        if (step.ClipNorm > 0f && norm > step.ClipNorm)
        {
            foreach (Tensor gradient in gradients)
            {
                gradient.mul_((float)(step.ClipNorm / norm));
            }
        }

        double correction1 = 1 - Math.Pow(step.Beta1, step.Number), correction2 = 1 - Math.Pow(step.Beta2, step.Number);
        for (int i = 0; i < trained.Length; i++)
        {
            using DisposeScope inner = torch.NewDisposeScope();
            Tensor weight = trained[i].Value, gradient = gradients[i];
            (Tensor first, Tensor second) = trained[i].Moments();
            float rate = step.Groups[trained[i].Group].LearningRate;
            first.mul_(step.Beta1).add_(gradient, 1f - step.Beta1);
            second.mul_(step.Beta2).addcmul_(gradient, gradient, 1f - step.Beta2);
            if (trained[i].Decays)
            {
                weight.add_(weight, -rate * step.WeightDecay);
            }

            weight.addcdiv_(first, second.mul((float)(1 / correction2)).sqrt_().add_(step.Epsilon), (float)(-rate / correction1));
            trained[i].ClearGradient();
        }

        return norm;
    }
}
