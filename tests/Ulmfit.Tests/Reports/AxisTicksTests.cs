using FsCheck;
using FsCheck.Fluent;
using Ulmfit.Reports;

namespace Ulmfit.Tests.Reports;

public sealed class AxisTicksTests
{
    [Theory]
    [InlineData(0, 1, "0 0.2 0.4 0.6 0.8 1.0")]
    [InlineData(0.3, 2.9, "0 1 2 3")]
    [InlineData(0, 0.0098, "0 0.002 0.004 0.006 0.008 0.010")]
    [InlineData(0, 0.00042, "0 1e-4 2e-4 3e-4 4e-4 5e-4")]
    [InlineData(98.6, 103.9, "98 100 102 104")]
    [InlineData(0, 12345, "0 5,000 10,000 15,000")]
    [InlineData(3, 3, "1 2 3 4 5")]
    [InlineData(0, 0, "-0.6 -0.4 -0.2 0 0.2 0.4 0.6")]
    public void Linear_OfARange_AreRoundAndShort(double minimum, double maximum, string expected)
    {
        double[] ticks = AxisTicks.Linear(minimum, maximum);

        Assert.Equal(expected, string.Join(' ', ticks.Select(tick => AxisTicks.Text(tick, ticks[1] - ticks[0]))));
    }

    [Theory]
    [InlineData(80, 900, "50 100 200 500 1,000")]
    [InlineData(1, 40000, "1 10 100 1,000 10,000 100,000")]
    [InlineData(0.02, 0.3, "0.02 0.05 0.1 0.2 0.5")]
    public void Logarithmic_OfARange_AreRound(double minimum, double maximum, string expected) =>
        Assert.Equal(expected, string.Join(' ', AxisTicks.Logarithmic(minimum, maximum).Select(tick => AxisTicks.Text(tick, tick))));

    [Fact]
    public void Linear_AnyRange_CoversItWithAFewTicksEquallyFar() =>
        Check.QuickThrowOnFailure(Prop.ForAll(
            ArbMap.Default.ArbFor<(NormalFloat, NormalFloat)>().Filter(pair => Math.Abs(pair.Item1.Get) < 1e12 && Math.Abs(pair.Item2.Get) < 1e12 && Math.Abs(pair.Item1.Get - pair.Item2.Get) > 1e-6 * (Math.Abs(pair.Item1.Get) + Math.Abs(pair.Item2.Get))),
            pair =>
            {
                (double minimum, double maximum) = (Math.Min(pair.Item1.Get, pair.Item2.Get), Math.Max(pair.Item1.Get, pair.Item2.Get));
                double[] ticks = AxisTicks.Linear(minimum, maximum);
                double slack = 1e-6 * (ticks[1] - ticks[0]);
                return ticks.Length is >= 3 and <= 8 && ticks[0] <= minimum + slack && ticks[^1] >= maximum - slack;
            }));

    [Fact]
    public void Fit_AnyText_IsItOrAShorterBeginningThatFits() =>
        Check.QuickThrowOnFailure(Prop.ForAll(
            ArbMap.Default.ArbFor<(string, PositiveInt)>().Filter(pair => pair.Item1 is not null),
            pair =>
            {
                double width = 20 + (pair.Item2.Get % 200);
                string fitted = MarkupText.Fit(pair.Item1, width, 12);
                return MarkupText.WidthOf(fitted, 12) <= width && (fitted == pair.Item1 || (fitted[^1] == '…' && pair.Item1.StartsWith(fitted[..^1], StringComparison.Ordinal)));
            }));
}
