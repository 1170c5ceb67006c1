using Ulmfit.Metrics;

namespace Ulmfit.Pipeline.Drift;

/// <summary>What a version was asked on a day, held against what it was trained and measured on.</summary>
/// <param name="Day">The day, in UTC.</param>
/// <param name="Requests">Requests that were answered.</param>
/// <param name="Texts">Texts in them.</param>
/// <param name="Tokens">Tokens of those texts.</param>
/// <param name="Words">Tokens that stand for a word.</param>
/// <param name="UnknownWords">Words that the vocabulary does not have.</param>
/// <param name="UnknownRate">Their share; null where there is no word.</param>
/// <param name="PopulationStability">The population stability index of the predicted classes; null for a model without a reference.</param>
/// <param name="ByChance">What the index stays below in 999 of 1000 days if nothing has shifted.</param>
/// <param name="Alarms">What has shifted beyond its threshold.</param>
/// <param name="Classes">How often each label was the best one.</param>
/// <param name="Shifts">The labels that add most to the index, at most <see cref="ShiftsShown"/>, the greatest first.</param>
public sealed record DriftDay(
    DateOnly Day,
    long Requests,
    long Texts,
    long Tokens,
    long Words,
    long UnknownWords,
    double? UnknownRate,
    double? PopulationStability,
    double? ByChance,
    IReadOnlyList<DriftAlarm> Alarms,
    IReadOnlyList<ClassFrequency> Classes,
    IReadOnlyList<ClassShift> Shifts)
{
    /// <summary>How many labels are named that have shifted most.</summary>
    public const int ShiftsShown = 5;

    /// <summary>Holds counts against a reference.</summary>
    /// <param name="day">The day.</param>
    /// <param name="counts">What was counted.</param>
    /// <param name="reference">The version's reference; null for none.</param>
    /// <param name="options">The thresholds.</param>
    public static DriftDay Of(DateOnly day, ServedCounts counts, DriftReference? reference, DriftOptions options)
    {
        ArgumentNullException.ThrowIfNull(counts);
        ArgumentNullException.ThrowIfNull(options);
        double? unknownRate = counts.Words == 0 ? null : (double)counts.UnknownWords / counts.Words;
        var drift = new DriftDay(
            day, counts.Requests, counts.Texts, counts.Tokens, counts.Words, counts.UnknownWords, unknownRate, null, null, [],
            [.. counts.Classes.OrderBy(frequency => frequency.Label, StringComparer.Ordinal)], []);
        if (reference is null)
        {
            return drift;
        }

        Dictionary<string, long> observed = counts.Classes.ToDictionary(frequency => frequency.Label, frequency => frequency.Count, StringComparer.Ordinal);
        long[] expected = [.. reference.Classes.Select(frequency => frequency.Count)];
        double[] shares = Metrics.PopulationStability.SharesOf(expected);
        var stability = Metrics.PopulationStability.Of(expected, [.. reference.Classes.Select(frequency => observed.GetValueOrDefault(frequency.Label))]);

        // Beyond the threshold, and beyond what so few texts show by chance: with many classes a few hundred texts pass 0.2 on any day.
        bool enough = counts.Texts >= options.MinimumTexts;
        bool moved = stability.Index >= options.PopulationStability && stability.Index > stability.ByChance;
        bool strange = unknownRate - reference.UnknownRate() >= options.UnknownWords;
        return drift with
        {
            PopulationStability = stability.Index,
            ByChance = stability.ByChance,
            Alarms = [.. enough && moved ? [DriftAlarm.PopulationStability] : Array.Empty<DriftAlarm>(), .. enough && strange ? [DriftAlarm.UnknownWords] : Array.Empty<DriftAlarm>()],
            Shifts =
            [
                .. reference.Classes
                    .Select((frequency, c) => new ClassShift(
                        frequency.Label, counts.Texts == 0 ? 0 : (double)observed.GetValueOrDefault(frequency.Label) / counts.Texts, shares[c], stability.Parts[c]))
                    .Where(shift => counts.Texts > 0 && shift.Part > 0)
                    .OrderByDescending(shift => shift.Part)
                    .Take(ShiftsShown),
            ],
        };
    }
}

/// <summary>What can have shifted.</summary>
public enum DriftAlarm
{
    /// <summary>The predicted classes.</summary>
    PopulationStability,

    /// <summary>The share of unknown words.</summary>
    UnknownWords,
}

/// <summary>How a label's share has shifted.</summary>
/// <param name="Label">The label.</param>
/// <param name="Share">Its share of the day's texts.</param>
/// <param name="Reference">Its share of the reference, where none is 0.</param>
/// <param name="Part">What it adds to the population stability index.</param>
public sealed record ClassShift(string Label, double Share, double Reference, double Part);
