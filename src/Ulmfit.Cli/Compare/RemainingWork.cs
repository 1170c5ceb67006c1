using Ulmfit.Training;

namespace Ulmfit.Cli.Compare;

/// <summary>
/// How long a number of trainings will take yet: each epoch weighs as many tokens as it reads, and a token of a phase takes as
/// long as those of that phase have taken so far.
/// </summary>
internal sealed class RemainingWork
{
    private readonly Dictionary<StageKind, double> seconds = [];
    private readonly Dictionary<StageKind, double> tokens = [];
    private readonly Dictionary<StageKind, double> left = [];

    /// <summary>Adds what is still to be done, or takes away what will not be.</summary>
    public void Plan(StageKind phase, double count) => left[phase] = Math.Max(0, left.GetValueOrDefault(phase) + count);

    /// <summary>Notes an epoch that was trained.</summary>
    public void Done(StageKind phase, double count, double took)
    {
        seconds[phase] = seconds.GetValueOrDefault(phase) + took;
        tokens[phase] = tokens.GetValueOrDefault(phase) + count;
        Plan(phase, -count);
    }

    /// <summary>The time that is left; null as long as nothing was measured.</summary>
    public TimeSpan? Estimate()
    {
        double all = tokens.Values.Sum();
        if (all == 0)
        {
            return null;
        }

        double overall = seconds.Values.Sum() / all;
        return TimeSpan.FromSeconds(left.Sum(pair => pair.Value * (tokens.TryGetValue(pair.Key, out double measured) ? seconds[pair.Key] / measured : overall)));
    }

    /// <summary>A time as people say it.</summary>
    public static string Text(TimeSpan? time) => time switch
    {
        null => "–",
        { TotalHours: >= 1 } t => FormattableString.Invariant($"{(int)t.TotalHours} h {t.Minutes} min"),
        { TotalMinutes: >= 1 } t => FormattableString.Invariant($"{(int)t.TotalMinutes} min"),
        { } t => FormattableString.Invariant($"{t.TotalSeconds:F0} s"),
    };
}
