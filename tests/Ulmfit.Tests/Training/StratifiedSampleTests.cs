using Ulmfit.Training;

namespace Ulmfit.Tests.Training;

public sealed class StratifiedSampleTests
{
    // 60 of one class, 25, 10, 4 and 1, in a fixed mixture.
    private static readonly string[] Labels = [.. Enumerable.Range(0, 100).Select(row => (row * 37 % 100) switch { < 60 => "a", < 85 => "b", < 95 => "c", < 99 => "d", _ => "e" })];

    [Fact]
    public void Rows_EverySize_HoldsEveryClassAndTheSmallerSample()
    {
        var sample = new StratifiedSample(Labels, 1);
        IReadOnlyList<int> smaller = [];
        for (int size = sample.Classes; size <= Labels.Length; size++)
        {
            IReadOnlyList<int> rows = sample.Rows(size);
            Assert.Equal(size, rows.Count);
            Assert.Equal(rows.Distinct().Order(), rows);
            Assert.Equal(5, rows.Select(row => Labels[row]).Distinct().Count());
            Assert.Subset(rows.ToHashSet(), smaller.ToHashSet());
            smaller = rows;
        }

        Assert.Equal(Enumerable.Range(0, 100), smaller);
    }

    [Theory]
    [InlineData(20)]
    [InlineData(50)]
    [InlineData(80)]
    public void Rows_AnySize_HasTheSharesOfTheWholeToWithinARow(int size)
    {
        var shares = Labels.GroupBy(label => label).ToDictionary(rows => rows.Key, rows => rows.Count() / 100.0);

        Assert.All(new StratifiedSample(Labels, 2).Rows(size).GroupBy(row => Labels[row]), rows => Assert.InRange(rows.Count(), Math.Max(1, (shares[rows.Key] * size) - 1), (shares[rows.Key] * size) + 1));
    }

    [Fact]
    public void Rows_BalancedClasses_StayBalanced()
    {
        string[] balanced = [.. Enumerable.Range(0, 60).Select(row => $"{row % 3}")];

        Assert.All(new StratifiedSample(balanced, 5).Rows(21).GroupBy(row => balanced[row]), rows => Assert.Equal(7, rows.Count()));
    }

    [Fact]
    public void Rows_Seed_ChoosesWhichAndNothingElseDoes()
    {
        Assert.Equal(new StratifiedSample(Labels, 3).Rows(20), new StratifiedSample(Labels, 3).Rows(20));
        Assert.NotEqual(new StratifiedSample(Labels, 3).Rows(20), new StratifiedSample(Labels, 4).Rows(20));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(101)]
    public void Rows_SizeThatCannotBe_IsRefused(int size) => Assert.Throws<ArgumentOutOfRangeException>(() => new StratifiedSample(Labels, 1).Rows(size));
}
