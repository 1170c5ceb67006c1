using Ulmfit.Training;

namespace Ulmfit.Tests.Training;

public sealed class ScheduleTests
{
    // Howard & Ruder 2018, eq. 3 with T = 1000, cut_frac = 0.1, ratio = 32: cut = 100.
    [Theory]
    [InlineData(0, 1.0 / 32)]
    [InlineData(50, (1 + (0.5 * 31)) / 32)]
    [InlineData(100, 1)]
    [InlineData(550, (1 + (0.5 * 31)) / 32)]
    [InlineData(999, (1 + ((1 - (899.0 / 900)) * 31)) / 32)]
    public void SlantedTriangular_Step_IsEquationThree(int step, double factor) =>
        Assert.Equal(factor, new SlantedTriangularSchedule(1000).At(step).RateFactor, 1e-12);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(9)]
    [InlineData(10)]
    [InlineData(19)]
    [InlineData(1234)]
    public void SlantedTriangular_AnyLength_StaysBetweenTheRatioAndOneAndPeaks(int iterations)
    {
        var schedule = new SlantedTriangularSchedule(iterations);
        double[] factors = [.. Enumerable.Range(0, iterations).Select(step => schedule.At(step).RateFactor)];

        Assert.All(factors, factor => Assert.InRange(factor, 1.0 / 32, 1));
        Assert.Equal(1, factors.Max(), 1e-12);
    }

    // fastai: sched = combine_cos(0.25, 1/25, 1, 1e-5); [sched(p) for p in (0, .125, .25, .625)]; momenta combine_cos(0.25, .8, .7, .8)
    [Theory]
    [InlineData(0, 0.04, 0.8)]
    [InlineData(125, 0.52, 0.75)]
    [InlineData(250, 1, 0.7)]
    [InlineData(625, 0.500005, 0.75)]
    public void OneCycle_Step_FollowsFastai(int step, double factor, double momentum)
    {
        SchedulePoint point = new OneCycleSchedule(1000).At(step);

        Assert.Equal(factor, point.RateFactor, 1e-9);
        Assert.Equal(momentum, point.Momentum!.Value, 1e-9);
    }

    [Fact]
    public void Cosine_EveryStep_IsHalfACosine()
    {
        var schedule = new CosineSchedule(400);

        Assert.All(Enumerable.Range(0, 400), step => Assert.Equal((1 + Math.Cos(Math.PI * step / 400)) / 2, schedule.At(step).RateFactor, 1e-12));
    }

    [Fact]
    public void Constant_EveryStep_IsTheMaximalRate() =>
        Assert.All(Enumerable.Range(0, 400), step => Assert.Equal(new SchedulePoint(1, null), new ConstantSchedule().At(step)));

    [Fact]
    public void DiscriminativeLearningRates_FiveGroups_FallByTwoPointSix() =>
        Assert.Equal([0.01 / 2.6 / 2.6 / 2.6 / 2.6, 0.01 / 2.6 / 2.6 / 2.6, 0.01 / 2.6 / 2.6, 0.01 / 2.6, 0.01], DiscriminativeLearningRates.Of(0.01, 5, 2.6));
}
