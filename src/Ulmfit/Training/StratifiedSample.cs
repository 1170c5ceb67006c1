using Ulmfit.Model;

namespace Ulmfit.Training;

/// <summary>
/// Samples in which the classes have the shares of the whole, drawn by a seed. They are nested: the smaller sample of a
/// seed is part of the larger one, so that a curve over the number of labels differs by the labels that were added alone.
/// </summary>
public sealed class StratifiedSample
{
    private readonly int[] order;

    /// <summary>Orders all rows; every sample is a beginning of that order.</summary>
    /// <param name="labels">The class of each row.</param>
    /// <param name="seed">Chooses which rows of a class come first.</param>
    public StratifiedSample(IReadOnlyList<string> labels, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(labels);
        int[][] classes = [.. Enumerable.Range(0, labels.Count).GroupBy(row => labels[row], StringComparer.Ordinal)
            .OrderByDescending(rows => rows.Count()).ThenBy(rows => rows.Key, StringComparer.Ordinal)
            .Select((rows, index) => Shuffled([.. rows], seed, index))];
        Classes = classes.Length;
        order = new int[labels.Count];
        var taken = new int[classes.Length];
        for (int place = 0; place < order.Length; place++)
        {
            // One of each class first; then, as Sainte-Laguë gives out seats, always the class that lags behind its share most.
            int next = place < classes.Length ? place : 0;
            for (int c = 1; c < classes.Length && place >= classes.Length; c++)
            {
                next = Claim(c, next) > 0 ? c : next;
            }

            order[place] = classes[next][taken[next]++];
        }

        long Claim(int one, int other) => ((long)classes[one].Length * ((2 * taken[other]) + 1)) - ((long)classes[other].Length * ((2 * taken[one]) + 1));
    }

    /// <summary>How many classes there are, the size of the smallest sample.</summary>
    public int Classes { get; }

    /// <summary>The rows of the sample of a size, in their own order.</summary>
    /// <param name="size">How many rows: at least one of each class, at most all.</param>
    /// <exception cref="ArgumentOutOfRangeException">There cannot be a sample of that size.</exception>
    public IReadOnlyList<int> Rows(int size) => size >= Classes && size <= order.Length
        ? [.. order.Take(size).Order()]
        : throw new ArgumentOutOfRangeException(nameof(size), size, $"A sample holds one row of each of the {Classes} classes at least and all {order.Length} rows at most.");

    // Before the first stage: no training of that seed draws there.
    private static int[] Shuffled(int[] rows, ulong seed, int index) =>
        [.. Shuffle.Order(rows.Length, new RandomKey(seed, Stage: -1, 0, 0), index).Select(place => rows[place])];
}
