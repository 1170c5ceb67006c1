using Ulmfit.Training;

namespace Ulmfit.Cli;

/// <summary>
/// How long a number of trainings will take yet: each epoch weighs as many tokens as it reads, and a token of a phase takes as
/// long as those of that phase have taken so far.
/// </summary>
internal sealed class RemainingWork
{
    private readonly Dictionary<StageKind, double> seconds = [];
    private readonly Dictionary<StageKind, double> tokens = [];
    private readonly Dictionary<StageKind, double> left = [];
    private double planned;

    /// <summary>The share of what was planned that is done, 0 to 1.</summary>
    public double Done => planned > 0 ? Math.Clamp(1 - (left.Values.Sum() / planned), 0, 1) : 0;

    /// <summary>Adds what is still to be done, or takes away what will not be.</summary>
    public void Plan(StageKind phase, double count)
    {
        double before = left.GetValueOrDefault(phase);
        left[phase] = Math.Max(0, before + count);
        planned += left[phase] - before;
    }

    /// <summary>Notes an epoch that was trained.</summary>
    public void Train(StageKind phase, double count, double took)
    {
        seconds[phase] = seconds.GetValueOrDefault(phase) + took;
        tokens[phase] = tokens.GetValueOrDefault(phase) + count;
        left[phase] = Math.Max(0, left.GetValueOrDefault(phase) - count);
    }

    /// <summary>As things will stand with a part of an epoch that is being trained.</summary>
    public RemainingWork With(StageKind phase, double count, double took)
    {
        var later = new RemainingWork { planned = planned };
        foreach (StageKind kind in left.Keys)
        {
            later.left[kind] = left[kind];
        }

        foreach (StageKind kind in tokens.Keys)
        {
            (later.tokens[kind], later.seconds[kind]) = (tokens[kind], seconds[kind]);
        }

        later.Train(phase, count, took);
        return later;
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
        return TimeSpan.FromSeconds(left.Sum(pair => pair.Value * (tokens.TryGetValue(pair.Key, out double measured) && measured > 0 ? seconds[pair.Key] / measured : overall)));
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
