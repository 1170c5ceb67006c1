using Ulmfit.Metrics;

namespace Ulmfit.Tests.Metrics;

public sealed class PopulationStabilityTests
{
    [Fact]
    public void Of_TheSameShares_IsNone()
    {
        PopulationStability stability = PopulationStability.Of([5000, 3000, 2000], [500, 300, 200]);

        Assert.Equal(0, stability.Index, 1e-4);
        Assert.All(stability.Parts, part => Assert.Equal(0, part, 1e-4));
    }

    // By hand: (0.5 − 0.8) ln (0.5 / 0.8) + (0.5 − 0.2) ln (0.5 / 0.2), of so many that the prior is nothing.
    [Fact]
    public void Of_OtherShares_IsTheSumOverTheClasses()
    {
        PopulationStability stability = PopulationStability.Of([8_000_000, 2_000_000], [5_000_000, 5_000_000]);

        Assert.Equal(-0.3 * Math.Log(0.5 / 0.8), stability.Parts[0], 1e-5);
        Assert.Equal(0.3 * Math.Log(0.5 / 0.2), stability.Parts[1], 1e-5);
        Assert.Equal(stability.Parts.Sum(), stability.Index);
    }

    [Fact]
    public void Of_ClassesThatNobodyHasOrAsksFor_StaysFinite()
    {
        Assert.True(double.IsFinite(PopulationStability.Of([100, 0, 0], [0, 0, 100]).Index));
        Assert.Equal(0, PopulationStability.Of([100, 0], [0, 0]).Index, 1e-12);
        Assert.Equal(0, PopulationStability.Of([0, 0], [0, 0]).Index, 1e-12);
        Assert.Equal((0, 0), (PopulationStability.Of([3], [5]).Index, PopulationStability.Of([3], [5]).ByChance));
    }

    // Both drawn from one distribution: the index is above what it stays below by chance about once in a thousand, and not far below it at best.
    [Theory]
    [InlineData(2, 500, 300)]
    [InlineData(6, 545, 200)]
    [InlineData(77, 1000, 200)]
    [InlineData(77, 1000, 5000)]
    public void ByChance_OfTwoSamplesOfOnePopulation_IsSeldomPassed(int classes, int rows, int texts)
    {
        var random = new Random(classes + rows + texts);
        double[] weights = [.. Enumerable.Range(0, classes).Select(c => 1.0 / (1 + (c % 10)))];
        const int Draws = 2000;
        int passed = 0;
        double greatest = 0;
        for (int i = 0; i < Draws; i++)
        {
            PopulationStability stability = PopulationStability.Of(Drawn(random, weights, rows), Drawn(random, weights, texts));
            passed += stability.Index > stability.ByChance ? 1 : 0;
            greatest = Math.Max(greatest, stability.Index / stability.ByChance);
        }

        Assert.InRange(passed, 0, Draws / 100);
        Assert.InRange(greatest, 0.5, 2);
    }

    [Fact]
    public void Of_OtherNumbersOfClassesOrNegativeCounts_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => PopulationStability.Of([1, 2], [1]));
        Assert.Throws<ArgumentException>(() => PopulationStability.Of([1, 2], [1, -1]));
    }

    private static long[] Drawn(Random random, double[] weights, int count)
    {
        double[] upTo = new double[weights.Length];
        double sum = 0;
        for (int c = 0; c < weights.Length; c++)
        {
            upTo[c] = sum += weights[c];
        }

        var counts = new long[weights.Length];
        for (int i = 0; i < count; i++)
        {
            int found = Array.BinarySearch(upTo, random.NextDouble() * sum);
            counts[found < 0 ? ~found : found]++;
        }

        return counts;
    }
}
