using Ulmfit.Model;

namespace Ulmfit.Training;

/// <summary>
/// Randomised BPTT windows (Merity et al. 2017, 5): a window's length is drawn about <c>bptt</c> with probability 0.95
/// and about half of it otherwise, with a deviation of 5; the learning rate is scaled by length / bptt, so that short
/// windows do not weigh more.
/// </summary>
public static class BackpropagationThroughTime
{
    private const int Shortest = 5;
    private const int Spread = 15;

    /// <summary>The longest window that is ever drawn.</summary>
    public static int MaximumLength(int bptt) => bptt + Spread;

    /// <summary>The windows that cut <paramref name="length"/> tokens of a lane, in order; the last takes what is left.</summary>
    /// <param name="length">Tokens to predict in a lane.</param>
    /// <param name="bptt">Base length.</param>
    /// <param name="key">Where the numbers come from; step 0 of the epoch.</param>
    public static IReadOnlyList<int> Windows(int length, int bptt, RandomKey key)
    {
        var windows = new List<int>();
        var random = new Philox(key, RandomPurpose.BpttLength);
        for (int left = length; left > 0;)
        {
            int window = Math.Min(left, Draw(random, windows.Count, bptt));
            windows.Add(window);
            left -= window;
        }

        return windows;
    }

    private static int Draw(Philox random, int index, int bptt)
    {
        const int WordsPerWindow = 13;
        long word = (long)index * WordsPerWindow;
        double mean = random.Uniform(word) < 0.95f ? bptt : bptt / 2.0;

        // The sum of twelve uniforms is close to normal and, unlike a logarithm, the same on every machine.
        double normal = -6;
        for (int i = 1; i < WordsPerWindow; i++)
        {
            normal += random.Uniform(word + i);
        }

        return Math.Clamp((int)(mean + (5 * normal)), Math.Min(Shortest, bptt), MaximumLength(bptt));
    }
}
