using System.Globalization;

namespace Ulmfit.Reports;

/// <summary>Round numbers along an axis.</summary>
internal static class AxisTicks
{
    /// <summary>Multiples of 1, 2 or 5 times a power of ten, of which the first is not above and the last not below the data.</summary>
    /// <param name="minimum">The least value of the data.</param>
    /// <param name="maximum">The greatest.</param>
    /// <param name="wanted">About how many there shall be.</param>
    public static double[] Linear(double minimum, double maximum, int wanted = 5)
    {
        if (!(maximum > minimum))
        {
            double half = minimum == 0 ? 0.5 : Math.Abs(minimum) / 2;
            (minimum, maximum) = (minimum - half, minimum + half);
        }

        double rough = (maximum - minimum) / wanted, power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        double step = power * ((rough / power) switch { <= 1.0001 => 1, <= 2.0001 => 2, <= 5.0001 => 5, _ => 10 });
        long first = (long)Math.Floor((minimum / step) + 1e-9), last = (long)Math.Ceiling((maximum / step) - 1e-9);
        return [.. Enumerable.Range(0, (int)(last - first) + 1).Select(i => (first + i) * step)];
    }

    /// <summary>The same on a logarithmic axis: powers of ten, where these would be few also twice and five times them.</summary>
    public static double[] Logarithmic(double minimum, double maximum)
    {
        bool few = maximum < 50 * minimum;
        int lowest = (int)Math.Floor(Math.Log10(minimum)), highest = (int)Math.Ceiling(Math.Log10(maximum));
        double[] all = [.. Enumerable.Range(lowest, highest - lowest + 1).SelectMany(power => (few ? new[] { 1.0, 2, 5 } : [1.0]).Select(factor => factor * Math.Pow(10, power)))];
        int from = Math.Max(0, Array.FindLastIndex(all, tick => tick <= minimum * (1 + 1e-9))), to = Array.FindIndex(all, tick => tick >= maximum * (1 - 1e-9));
        return all[from..((to < 0 ? all.Length - 1 : to) + 1)];
    }

    /// <summary>A tick as text, as short as the distance to its neighbours allows.</summary>
    public static string Text(double tick, double step)
    {
        if (tick == 0)
        {
            return "0";
        }

        double size = Math.Abs(tick);
        if (size < 1e-3 || size >= 1e6)
        {
            return tick.ToString("0.##e0", CultureInfo.InvariantCulture);
        }

        int decimals = Math.Clamp((int)Math.Ceiling(-Math.Log10(step) - 1e-9), 0, 6);
        return tick.ToString("N" + decimals, CultureInfo.InvariantCulture);
    }
}
