namespace Ulmfit.Training;

/// <summary>
/// The one-cycle policy (Smith 2018) as fastai's <c>fit_one_cycle</c>: the rate rises along a cosine from
/// max / <paramref name="Divisor"/> to max over the first <paramref name="RiseFraction"/> of the steps and falls to
/// max / <paramref name="FinalDivisor"/>; the momentum mirrors it.
/// </summary>
/// <param name="Iterations">T, at least one.</param>
/// <param name="RiseFraction"><c>pct_start</c>.</param>
/// <param name="Divisor"><c>div</c>.</param>
/// <param name="FinalDivisor"><c>div_final</c>.</param>
/// <param name="HighMomentum">β1 at both ends.</param>
/// <param name="LowMomentum">β1 at the peak.</param>
public sealed record OneCycleSchedule(int Iterations, double RiseFraction = 0.25, double Divisor = 25, double FinalDivisor = 1e5, double HighMomentum = 0.8, double LowMomentum = 0.7) : ISchedule
{
    /// <inheritdoc/>
    public SchedulePoint At(int step)
    {
        double position = (double)step / Iterations;
        if (position < RiseFraction)
        {
            double rise = position / RiseFraction;
            return new SchedulePoint(CosineSchedule.Anneal(1 / Divisor, 1, rise), CosineSchedule.Anneal(HighMomentum, LowMomentum, rise));
        }

        double fall = (position - RiseFraction) / (1 - RiseFraction);
        return new SchedulePoint(CosineSchedule.Anneal(1, 1 / FinalDivisor, fall), CosineSchedule.Anneal(LowMomentum, HighMomentum, fall));
    }
}
