namespace Ulmfit.Pipeline.Runs;

/// <summary>
/// How far the training of a run is: by what its directions told last or by the epochs that have ended, whichever is further, since an
/// epoch may end before anything was told of it.
/// </summary>
/// <param name="Done">The share of the plans of the directions that have begun, 0 to 1; null before one has.</param>
/// <param name="RemainingSeconds">How long the training will still take; null before that can be told, and when the run has ended.</param>
/// <param name="End">When the training will be over; null where that cannot be told.</param>
/// <param name="Latest">What was told last of an epoch that goes on; null when nothing was.</param>
public sealed record RunEstimate(double? Done, double? RemainingSeconds, DateTimeOffset? End, RunProgress? Latest)
{
    /// <summary>The estimate of a run.</summary>
    /// <param name="state">The run and its progress.</param>
    public static RunEstimate Of(RunState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        RunManifest run = state.Run;
        Place[] places = [.. run.Plan.Select(plan => PlaceOf(plan, run, state.Progress.FirstOrDefault(note => note.Direction == plan.Direction)))];
        Place? last = run.Status == RunStatus.Running ? places.Where(place => place.End is not null).MaxBy(place => place.End) : null;
        return new RunEstimate(
            places.Length > 0 ? places.Average(place => place.Done) : null,
            last?.RemainingSeconds,
            last?.End,
            places.Select(place => place.Note).MaxBy(note => note?.At));
    }

    private static Place PlaceOf(DirectionPlan plan, RunManifest run, RunProgress? note)
    {
        EpochRecord? ended = run.History.LastOrDefault(epoch => epoch.Direction == plan.Direction);
        double done = ended is null ? 0 : plan.DoneAt(ended.StageIndex, ended.Epoch);
        if (note?.Done > done)
        {
            return new Place(note.Done, note.RemainingSeconds, note.At, note);
        }
        double? remaining = ended is null
            ? null
            : plan.SecondsAfter(ended.StageIndex, ended.Epoch, plan.MeanSeconds(plan.Stages[ended.StageIndex].Kind, run.History) ?? ended.Seconds, run.History);
        return new Place(done, remaining, run.UpdatedAt, Note: null);
    }

    // Where one direction was at a time.
    private sealed record Place(double Done, double? RemainingSeconds, DateTimeOffset At, RunProgress? Note)
    {
        public DateTimeOffset? End { get; } = RemainingSeconds is { } seconds ? At.AddSeconds(seconds) : null;
    }
}
