namespace Ulmfit.Training;

/// <summary>How the learning rate (and, with one-cycle, the momentum) moves over the steps of a stage.</summary>
public interface ISchedule
{
    /// <summary>The point of step <paramref name="step"/>, from 0. It uses only correctly rounded arithmetic, so that it is the same on every machine.</summary>
    SchedulePoint At(int step);
}

/// <summary>A point of a schedule.</summary>
/// <param name="RateFactor">Share of the maximal learning rate.</param>
/// <param name="Momentum">Adam's β1, or null where the schedule leaves it alone.</param>
public readonly record struct SchedulePoint(double RateFactor, double? Momentum);
