using Ulmfit.Pipeline.Runs;
using Ulmfit.Training;

namespace Ulmfit.Functions.Http;

/// <summary>As much of a run's epochs as an answer holds.</summary>
internal static class EpochHistory
{
    /// <summary>The most epochs of an answer: more than a curve has points on a screen.</summary>
    public const int Most = 500;

    /// <summary>
    /// The epochs as they are; of more than <see cref="Most"/>, the first and last of each stage and direction, and of the others as many as
    /// there is room for, evenly out of all.
    /// </summary>
    public static IReadOnlyList<EpochRecord> Shortened(IReadOnlyList<EpochRecord> epochs)
    {
        if (epochs.Count <= Most)
        {
            return epochs;
        }
        var kept = new bool[epochs.Count];
        var last = new Dictionary<(Direction, int), int>();
        for (int i = 0; i < epochs.Count; i++)
        {
            // The first of its stage stays; which is the last is known at the end.
            kept[i] = last.TryAdd((epochs[i].Direction, epochs[i].StageIndex), i);
            last[(epochs[i].Direction, epochs[i].StageIndex)] = i;
        }
        foreach (int i in last.Values)
        {
            kept[i] = true;
        }
        int[] others = [.. Enumerable.Range(0, epochs.Count).Where(i => !kept[i])];
        int room = Most - (epochs.Count - others.Length);
        for (int k = 0; k < room; k++)
        {
            kept[others[(int)((long)k * others.Length / room)]] = true;
        }
        return [.. epochs.Where((_, i) => kept[i])];
    }
}
