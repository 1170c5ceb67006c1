using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.EngineContract;

/// <summary>
/// Compares what different arithmetic makes of the same training. Every engine computes in 32-bit floats and orders its sums
/// in its own way, and training multiplies what that makes. Measured over ten steps: the CPU engine beside itself, started
/// at weights that are off by up to 10⁻⁷ of themselves, and beside libtorch on a processor. A language model's weights come
/// to differ by 4·10⁻⁷ and 3·10⁻⁷ of their norm, its moments by 5·10⁻⁷ and 6·10⁻⁷; a classifier's, whose BatchNorm divides by the
/// deviation of four to six documents, by 8·10⁻⁶ and 2·10⁻⁵, its moments by 6·10⁻⁵ and 1.2·10⁻⁴. The tolerances, 10⁻⁴ and for
/// moments 10⁻³, are the power of ten above.
/// </summary>
internal static class Closeness
{
    private const double Tolerance = 1e-4, OfMoments = 10;

    /// <summary>
    /// Every tensor by ‖Δ‖ / ‖w‖: Adam divides by the root of the second moment, so where a gradient is near zero it
    /// makes a whole step of its rounding, and single elements are not compared.
    /// </summary>
    public static void AssertStates(StateDict expected, StateDict actual, double tolerance = Tolerance)
    {
        Assert.Equal(expected.Names, actual.Names);
        foreach ((string name, Tensor tensor) in expected)
        {
            Assert.Equal(tensor.Shape, actual[name].Shape);
            bool moment = name.StartsWith("optimizer.", StringComparison.Ordinal);
            AssertTensors(name, tensor.Data, actual[name].Data, moment ? OfMoments * tolerance : tolerance);
        }
    }

    /// <summary>Two tensors by ‖Δ‖ / ‖w‖.</summary>
    public static void AssertTensors(string name, ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double tolerance = Tolerance)
    {
        double difference = 0, norm = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double d = (double)expected[i] - actual[i];
            difference += d * d;
            norm += (double)expected[i] * expected[i];
        }

        Assert.True(Math.Sqrt(difference) <= tolerance * Math.Sqrt(norm), $"{name}: relative difference {Math.Sqrt(difference / norm):g3}");
    }

    /// <summary>Results of a step: losses by value, for they are of the order of one, the norm of the gradient by its size.</summary>
    public static void AssertSteps(StepResult expected, StepResult actual)
    {
        Assert.Equal(expected.Loss, actual.Loss, Tolerance);
        Assert.Equal(expected.Regularization, actual.Regularization, Tolerance);
        Assert.Equal(expected.GradientNorm, actual.GradientNorm, Tolerance * Math.Max(1, expected.GradientNorm));
        Assert.Equal(expected.Count, actual.Count);
        Assert.Equal(expected.Correct, actual.Correct);
    }

    /// <summary>Probabilities or outputs of the order of one, by value.</summary>
    public static void AssertNumbers(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], actual[i], (float)Tolerance);
        }
    }
}
