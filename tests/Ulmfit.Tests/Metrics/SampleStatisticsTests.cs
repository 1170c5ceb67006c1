using Ulmfit.Metrics;

namespace Ulmfit.Tests.Metrics;

public sealed class SampleStatisticsTests
{
    // statistics.stdev([2, 4, 4, 4, 5, 5, 7, 9]) in Python.
    [Fact]
    public void Of_Values_HasTheSampleStandardDeviation()
    {
        SampleStatistics statistics = SampleStatistics.Of(2, 4, 4, 4, 5, 5, 7, 9);

        Assert.Equal((8, 5.0, 2.0, 9.0), (statistics.Count, statistics.Mean, statistics.Minimum, statistics.Maximum));
        Assert.Equal(2.138089935299395, statistics.StandardDeviation!.Value, 1e-15);
    }

    [Fact]
    public void Of_EqualValues_HasNoSpreadAtAll() => Assert.Equal(new SampleStatistics(3, 0.1, 0, 0.1, 0.1), SampleStatistics.Of(0.1, 0.1, 0.1));

    [Fact]
    public void Of_NearlyEqualLargeValues_KeepsItsDigits() => Assert.Equal(1, SampleStatistics.Of(1e9, 1e9 + 1, 1e9 + 2).StandardDeviation!.Value, 1e-9);

    [Fact]
    public void Of_OneValue_HasNoStandardDeviation() => Assert.Null(SampleStatistics.Of(3).StandardDeviation);

    [Fact]
    public void Of_NoValue_IsRefused() => Assert.Throws<ArgumentException>(() => SampleStatistics.Of());
}
