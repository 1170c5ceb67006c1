namespace Ulmfit.Features;

/// <summary>The end of a minimisation.</summary>
/// <param name="Point">Where.</param>
/// <param name="Value">The function there.</param>
/// <param name="GradientNorm">ℓ2 norm of its gradient there.</param>
/// <param name="Iterations">Steps taken.</param>
internal sealed record Minimum(double[] Point, double Value, double GradientNorm, int Iterations);

/// <summary>
/// L-BFGS (Nocedal &amp; Wright 2006, algorithm 7.5) for smooth convex functions. The line search halves from the full step
/// until the function falls enough (Armijo) or, where that fall drowns in rounding, until the slope says so (Hager &amp;
/// Zhang 2005's approximate Wolfe condition).
/// </summary>
internal static class LimitedMemoryBfgs
{
    private const int Memory = 20;
    private const int MostHalvings = 50;
    private const double EnoughFall = 1e-4;
    private const double Rounding = 1e-13;

    /// <summary>A function's value at a point; its gradient is written.</summary>
    public delegate double Function(double[] point, double[] gradient);

    /// <summary>Minimises a function.</summary>
    /// <param name="function">The function.</param>
    /// <param name="point">Where to start.</param>
    /// <param name="tolerance">Norm of the gradient at which to stop.</param>
    /// <param name="iterations">Steps after which to stop.</param>
    /// <returns>Where it stopped: the caller judges its gradient.</returns>
    public static Minimum Minimize(Function function, double[] point, double tolerance, int iterations)
    {
        int size = point.Length;
        double[] gradient = new double[size], direction = new double[size], next = new double[size], nextGradient = new double[size];
        var pairs = new List<(double[] Step, double[] Change, double Inverse)>(Memory);
        double value = function(point, gradient), norm = Norm(gradient);
        int iteration = 0;
        while (norm > tolerance && iteration < iterations)
        {
            Direct(pairs, gradient, direction);
            double slope = Dot(gradient, direction);
            double length = pairs.Count == 0 ? Math.Min(1, 1 / norm) : 1;
            if (!Search(function, point, value, direction, slope, length, next, nextGradient, out double nextValue))
            {
                if (pairs.Count == 0)
                {
                    break;
                }

                // The curvature that was remembered misleads: begin anew with the gradient alone.
                pairs.Clear();
                continue;
            }

            Remember(pairs, point, next, gradient, nextGradient);
            (point, next) = (next, point);
            (gradient, nextGradient) = (nextGradient, gradient);
            value = nextValue;
            norm = Norm(gradient);
            iteration++;
        }

        return new Minimum(point, value, norm, iteration);
    }

    private static bool Search(Function function, double[] point, double value, double[] direction, double slope, double length, double[] next, double[] nextGradient, out double nextValue)
    {
        for (int halving = 0; halving < MostHalvings; halving++, length /= 2)
        {
            for (int i = 0; i < point.Length; i++)
            {
                next[i] = point[i] + (length * direction[i]);
            }

            nextValue = function(next, nextGradient);
            bool level = Math.Abs(nextValue - value) <= Rounding * Math.Abs(value);
            if (nextValue <= value + (EnoughFall * length * slope) || (level && Dot(nextGradient, direction) <= ((2 * EnoughFall) - 1) * slope))
            {
                return true;
            }
        }

        nextValue = value;
        return false;
    }

    private static void Remember(List<(double[] Step, double[] Change, double Inverse)> pairs, double[] point, double[] next, double[] gradient, double[] nextGradient)
    {
        // The oldest pair's arrays are used again.
        bool full = pairs.Count == Memory;
        double[] step = full ? pairs[0].Step : new double[point.Length], change = full ? pairs[0].Change : new double[point.Length];
        if (full)
        {
            pairs.RemoveAt(0);
        }

        for (int i = 0; i < step.Length; i++)
        {
            step[i] = next[i] - point[i];
            change[i] = nextGradient[i] - gradient[i];
        }

        double curvature = Dot(step, change);
        if (curvature > 0 && double.IsFinite(1 / curvature))
        {
            pairs.Add((step, change, 1 / curvature));
        }
    }

    private static void Direct(List<(double[] Step, double[] Change, double Inverse)> pairs, double[] gradient, double[] direction)
    {
        for (int i = 0; i < direction.Length; i++)
        {
            direction[i] = -gradient[i];
        }

        if (pairs.Count == 0)
        {
            return;
        }

        var shares = new double[pairs.Count];
        for (int k = pairs.Count - 1; k >= 0; k--)
        {
            shares[k] = pairs[k].Inverse * Dot(pairs[k].Step, direction);
            Add(direction, -shares[k], pairs[k].Change);
        }

        (_, double[] change, double inverse) = pairs[^1];
        double scale = 1 / (inverse * Dot(change, change));
        for (int i = 0; i < direction.Length; i++)
        {
            direction[i] *= scale;
        }

        for (int k = 0; k < pairs.Count; k++)
        {
            double back = pairs[k].Inverse * Dot(pairs[k].Change, direction);
            Add(direction, shares[k] - back, pairs[k].Step);
        }
    }

    private static void Add(double[] target, double scale, double[] source)
    {
        for (int i = 0; i < target.Length; i++)
        {
            target[i] += scale * source[i];
        }
    }

    private static double Norm(double[] vector) => Math.Sqrt(Dot(vector, vector));

    private static double Dot(double[] a, double[] b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }
}
