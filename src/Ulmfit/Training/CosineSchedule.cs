namespace Ulmfit.Training;

/// <summary>Cosine annealing from the maximal rate to zero without restart (Loshchilov &amp; Hutter 2017, eq. 5).</summary>
/// <param name="Iterations">T, at least one.</param>
public sealed record CosineSchedule(int Iterations) : ISchedule
{
    /// <inheritdoc/>
    public SchedulePoint At(int step) => new(Anneal(1, 0, (double)step / Iterations), null);

    /// <summary>From <paramref name="start"/> at 0 to <paramref name="end"/> at 1 along half a cosine.</summary>
    internal static double Anneal(double start, double end, double position) => start + ((1 - HalfCosine(position)) * (end - start) / 2);

    /// <summary>
    /// cos(π·x) for x in [0, 1] from its Taylor series about the nearest quarter, in plain multiplications and additions:
    /// <see cref="Math.Cos"/> may differ in the last bit between platforms.
    /// </summary>
    private static double HalfCosine(double x)
    {
        x = Math.Clamp(x, 0, 1);
        if (x > 0.5)
        {
            return -HalfCosine(1 - x);
        }

        double angle = Math.PI * x, square = angle * angle, term = 1, sum = 1;
        for (int n = 1; n <= 12; n++)
        {
            term *= -square / ((2 * n) * ((2 * n) - 1));
            sum += term;
        }

        return x == 0.5 ? 0 : sum;
    }
}
