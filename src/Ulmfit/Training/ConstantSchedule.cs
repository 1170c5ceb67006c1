namespace Ulmfit.Training;

/// <summary>The maximal rate at every step.</summary>
public sealed record ConstantSchedule : ISchedule
{
    /// <inheritdoc/>
    public SchedulePoint At(int step) => new(1, null);
}
