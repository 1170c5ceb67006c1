using FsCheck;
using FsCheck.Fluent;
using Ulmfit.Metrics;

namespace Ulmfit.Tests.Metrics;

public sealed class CalibrationTests
{
    // Of k · 10 texts predicted with probability p in tenths, exactly p · k · 10 are right: nothing is off.
    [Theory]
    [InlineData(10)]
    [InlineData(15)]
    public void FromProbabilities_RightAsOftenAsItSays_HasNoError(int bins)
    {
        var expected = new List<int>();
        var probabilities = new List<float>();
        for (int tenth = 5; tenth <= 10; tenth++)
        {
            for (int i = 0; i < 10; i++)
            {
                expected.Add(i < tenth ? 0 : 1);
                probabilities.AddRange([tenth / 10f, 1 - (tenth / 10f)]);
            }
        }

        Calibration calibration = Calibration.FromProbabilities(2, expected.ToArray(), probabilities.ToArray(), bins);

        Assert.Equal(0, calibration.ExpectedError, 7);
        Assert.Equal(0, calibration.MaximumError, 7);
        Assert.Equal(60, calibration.Bins.Sum(bin => bin.Count));
    }

    // Always 0.95 sure and right in three of four: 0.95 − 0.75.
    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(15)]
    public void FromProbabilities_AlwaysTooSure_ErrsByTheDifference(int bins)
    {
        int[] expected = [0, 0, 0, 1];

        Calibration calibration = Calibration.FromProbabilities(2, expected, [.. expected.SelectMany(_ => new[] { 0.95f, 0.05f })], bins);

        Assert.Equal(0.2, calibration.ExpectedError, 6);
        Assert.Equal(0.2, calibration.MaximumError, 6);
        CalibrationBin bin = Assert.Single(calibration.Bins, bin => bin.Count > 0);
        Assert.Equal((4, 0.75), (bin.Count, bin.Accuracy));
        Assert.Equal(0.95, bin.Confidence, 6);
    }

    // Two bins: 3 texts at 0.6 with 1 right, 1 text at 0.9 that is right: (3 · |1/3 − 0.6| + 1 · |1 − 0.9|) / 4.
    [Fact]
    public void FromProbabilities_TwoBins_WeighsThemByTheirTexts()
    {
        Calibration calibration = Calibration.FromProbabilities(2, [0, 1, 1, 0], [.6f, .4f, .6f, .4f, .6f, .4f, .9f, .1f]);

        Assert.Equal(((3 * (0.6 - (1.0 / 3))) + 0.1) / 4, calibration.ExpectedError, 6);
        Assert.Equal(0.6 - (1.0 / 3), calibration.MaximumError, 6);
    }

    [Fact]
    public void FromProbabilities_AnyPredictions_EveryTextIsInItsBinAndTheErrorWithinBounds() =>
        Check.QuickThrowOnFailure(Prop.ForAll(
            ArbMap.Default.ArbFor<byte[]>(),
            values =>
            {
                int[] expected = [.. values.Select(value => value % 2)];
                float[] probabilities = [.. values.SelectMany(value => new[] { value / 255f, 1 - (value / 255f) })];
                Calibration calibration = Calibration.FromProbabilities(2, expected, probabilities);
                return calibration.Bins.Sum(bin => bin.Count) == values.Length
                    && calibration.ExpectedError <= calibration.MaximumError + 1e-12 && calibration.MaximumError <= 1
                    && calibration.Bins.All(bin => bin.Count == 0 || (bin.Confidence > bin.Lower - 1e-6 && bin.Confidence <= bin.Upper + 1e-6));
            }));

    [Fact]
    public void FromProbabilities_NoText_GivesZeros() => Assert.Equal(0, Calibration.FromProbabilities(3, [], []).ExpectedError);

    [Fact]
    public void FromProbabilities_WrongSize_IsRefused() =>
        Assert.Throws<ArgumentException>(() => Calibration.FromProbabilities(2, [0, 1], [1f]));
}
