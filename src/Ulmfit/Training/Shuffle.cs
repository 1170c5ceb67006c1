using Ulmfit.Model;

namespace Ulmfit.Training;

/// <summary>Random orders that are a function of a key.</summary>
public static class Shuffle
{
    /// <summary>A permutation of 0 … count − 1 (Fisher and Yates, Durstenfeld's form).</summary>
    /// <param name="count">How many.</param>
    /// <param name="key">The epoch.</param>
    /// <param name="layer">Tells apart several orders of one epoch.</param>
    public static int[] Order(int count, RandomKey key, int layer = 0)
    {
        var random = new Philox(key, RandomPurpose.Shuffle, layer);
        int[] order = [.. Enumerable.Range(0, count)];
        for (int i = count - 1; i > 0; i--)
        {
            int j = random.Below(i + 1, i);
            (order[i], order[j]) = (order[j], order[i]);
        }

        return order;
    }
}
