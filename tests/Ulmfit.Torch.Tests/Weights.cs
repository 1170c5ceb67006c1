using Ulmfit.Model;

namespace Ulmfit.Torch.Tests;

/// <summary>Compares states as two engines leave them.</summary>
internal static class Weights
{
    /// <summary>
    /// Every tensor by ‖Δ‖ / ‖w‖: Adam amplifies what a gradient near zero is off by, so elements are not compared.
    /// </summary>
    public static void AssertClose(StateDict expected, StateDict actual, double tolerance = 1e-4)
    {
        Assert.Equal(expected.Names, actual.Names);
        foreach ((string name, Tensor tensor) in expected)
        {
            Assert.Equal(tensor.Shape, actual[name].Shape);
            double difference = 0, norm = 0;
            for (int i = 0; i < tensor.Data.Length; i++)
            {
                double d = (double)tensor.Data[i] - actual[name].Data[i];
                difference += d * d;
                norm += (double)tensor.Data[i] * tensor.Data[i];
            }

            Assert.True(Math.Sqrt(difference) <= tolerance * Math.Sqrt(norm), $"{name}: relative difference {Math.Sqrt(difference / norm):g3}");
        }
    }
}
