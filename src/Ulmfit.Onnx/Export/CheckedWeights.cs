using Ulmfit.Model;

namespace Ulmfit.Onnx.Export;

/// <summary>Weights, each checked for its shape and for being finite: a model of NaN must never be published.</summary>
/// <param name="direction">The direction, for messages.</param>
/// <param name="weights">The weights.</param>
internal sealed class CheckedWeights(string direction, StateDict weights)
{
    /// <summary>The values of a tensor of that name and shape.</summary>
    /// <exception cref="InvalidDataException">It is missing, has another shape or is not finite.</exception>
    public float[] Read(string name, params int[] shape)
    {
        float[] data = weights.Require(name, shape).Data;
        foreach (float value in data)
        {
            if (!float.IsFinite(value))
            {
                throw new InvalidDataException($"The tensor '{name}' of the {direction} direction holds {value}: the training diverged.");
            }
        }

        return data;
    }
}
