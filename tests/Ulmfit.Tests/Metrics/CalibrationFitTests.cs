using Ulmfit.Metrics;

namespace Ulmfit.Tests.Metrics;

public sealed class CalibrationFitTests
{
    [Fact]
    public void Of_ProbabilitiesThatAreTooSure_AreMendedOnRowsThatTheFitHasNotSeenToo()
    {
        (int[] expected, float[] said) = TemperatureScalingTests.Drawn(4000, 3);

        CalibrationFit fit = CalibrationFit.Of(5, expected, said)!;

        Assert.Equal(3, fit.Temperature, 0.3);
        Assert.Equal(4000, fit.Rows);
        Assert.True(fit.Before.ExpectedError > 0.1, $"{fit}");
        Assert.True(fit.After.ExpectedError < 3 * fit.ErrorByChance, $"{fit}");
        Assert.True(fit.After.LogLoss < fit.Before.LogLoss, $"{fit}");
        Assert.True(fit.CrossFitted!.ExpectedError < 3 * fit.ErrorByChance, $"{fit}");

        // The rows of the fit flatter: no other temperature does better on them.
        Assert.True(fit.CrossFitted.LogLoss >= fit.After.LogLoss, $"{fit}");
        Assert.All(fit.CrossFitted.Temperatures, temperature => Assert.Equal(3, temperature, 0.4));
    }

    // Three rows at even places that are right, three at odd ones that are wrong: each half is measured with what the other says.
    [Fact]
    public void Of_HalvesThatDisagree_MeasuresEachWithTheTemperatureOfTheOther()
    {
        int[] expected = [0, 1, 0, 1, 0, 1];
        float[] said = [.. expected.SelectMany(_ => new[] { 0.8f, 0.2f })];

        CalibrationFit fit = CalibrationFit.Of(2, expected, said)!;

        Assert.True(fit.CrossFitted!.Temperatures[0] < 1 && fit.CrossFitted.Temperatures[1] > 1, $"{fit}");
        Assert.True(fit.CrossFitted.LogLoss > fit.Before.LogLoss, $"{fit}");
    }

    // The error that perfect probabilities show by chance, held against draws from them.
    [Theory]
    [InlineData(200)]
    [InlineData(2000)]
    public void ErrorByChance_OfPerfectProbabilities_IsTheirErrorOnAverage(int rows)
    {
        CalibrationFit[] fits = [.. Enumerable.Range(0, 40).Select(seed =>
        {
            (int[] expected, float[] said) = TemperatureScalingTests.Drawn(rows, 1, seed);
            return CalibrationFit.Of(5, expected, said)!;
        })];

        double found = fits.Average(fit => fit.Before.ExpectedError), expectedOnes = fits.Average(fit => fit.ErrorByChance);

        Assert.Equal(1, found / expectedOnes, 0.15);
    }

    [Fact]
    public void Of_NoRowsOrOne_GivesWhatThereIs()
    {
        Assert.Null(CalibrationFit.Of(2, [], []));
        Assert.Null(CalibrationFit.Of(2, [0], [.6f, .4f])!.CrossFitted);
    }
}
