namespace Ulmfit.Training;

/// <summary>
/// Slanted triangular learning rates (Howard &amp; Ruder 2018, eq. 3): a short linear rise over the first
/// <c>cut_frac</c> of the T iterations, then a long linear decay. With <c>cut = ⌊T·cut_frac⌋</c>,
/// <c>p = t/cut</c> before the cut and <c>1 − (t − cut)/(cut·(1/cut_frac − 1))</c> after it, the rate is
/// <c>η_max·(1 + p·(ratio − 1))/ratio</c>.
/// </summary>
/// <param name="Iterations">T, at least one.</param>
/// <param name="CutFraction"><c>cut_frac</c>, 0.1 in the paper.</param>
/// <param name="Ratio">How much smaller the lowest rate is than the highest, 32 in the paper.</param>
public sealed record SlantedTriangularSchedule(int Iterations, double CutFraction = 0.1, double Ratio = 32) : ISchedule
{
    /// <inheritdoc/>
    public SchedulePoint At(int step)
    {
        double cut = Math.Floor(Iterations * CutFraction);
        double p;
        if (step < cut)
        {
            p = step / cut;
        }
        else if (cut == 0)
        {
            // Fewer than 1/cut_frac iterations leave no room for the rise: only the decay remains.
            p = 1 - ((double)step / Iterations);
        }
        else
        {
            p = Math.Max(0, 1 - ((step - cut) / (cut * ((1 / CutFraction) - 1))));
        }

        return new SchedulePoint((1 + (p * (Ratio - 1))) / Ratio, null);
    }
}
