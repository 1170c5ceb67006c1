namespace Ulmfit.Features;

/// <summary>
/// The exponential in plain multiplications and additions: <see cref="Math.Exp(double)"/> may differ in the last bit between
/// platforms, and fitted weights must not.
/// </summary>
internal static class PortableExponential
{
    // ln 2 cut in two (Cody and Waite): a multiple of the first part is exact.
    private const double Ln2High = 0.6931471803691238, Ln2Low = 1.9082149292705877e-10, InverseLn2 = 1.4426950408889634;
    private const double Lowest = -745, Highest = 709;

    // 1/n! for n = 13 down to 0: at |r| ≤ ln 2 / 2 what is left out is below 5e-18.
    private static ReadOnlySpan<double> Taylor =>
    [
        1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
        1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 1.0 / 2, 1, 1,
    ];

    /// <summary>eˣ to a few units in the last place, x taken into [−745, 709].</summary>
    public static double Of(double x)
    {
        x = x < Lowest ? Lowest : x > Highest ? Highest : x;
        double n = Math.Floor((x * InverseLn2) + 0.5);
        double r = x - (n * Ln2High) - (n * Ln2Low), sum = 0;
        foreach (double coefficient in Taylor)
        {
            sum = (sum * r) + coefficient;
        }

        return Math.ScaleB(sum, (int)n);
    }
}
