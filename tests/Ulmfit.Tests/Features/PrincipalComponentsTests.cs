using Ulmfit.Features;

namespace Ulmfit.Tests.Features;

public sealed class PrincipalComponentsTests
{
    private static readonly FeatureMatrix Features = Made.Classes(300, 37, 4).Features;

    [Fact]
    public void Of_AnyRows_GivesOrthonormalDirections()
    {
        var components = PrincipalComponents.Of(Features);

        for (int a = 0; a < 37; a++)
        {
            for (int b = 0; b < 37; b++)
            {
                double product = Enumerable.Range(0, 37).Sum(j => components.Directions[(a * 37) + j] * components.Directions[(b * 37) + j]);
                Assert.Equal(a == b ? 1 : 0, product, 1e-12);
            }
        }
    }

    [Fact]
    public void Of_AnyRows_GivesDescendingVariancesThatSumToTheTotal()
    {
        var components = PrincipalComponents.Of(Features);
        double[] covariance = Covariance.Of(Features).Matrix;

        Assert.Equal(components.Variances.OrderDescending(), components.Variances);
        double total = Enumerable.Range(0, 37).Sum(j => covariance[j * 38]);
        Assert.Equal(total, components.Variances.Sum(), total * 1e-12);
    }

    [Fact]
    public void Of_AnyRows_GivesDirectionsInWhichTheyHaveThatVariance()
    {
        var components = PrincipalComponents.Of(Features);
        foreach (int component in (int[])[0, 1, 20, 36])
        {
            double[] places = [.. Enumerable.Range(0, Features.Rows).Select(row => Enumerable.Range(0, 37).Sum(j => components.Directions[(component * 37) + j] * Features.Row(row)[j]))];
            double mean = places.Average(), variance = places.Average(place => (place - mean) * (place - mean));
            Assert.Equal(variance, components.Variances[component], components.Variances[0] * 1e-12);
        }
    }

    [Fact]
    public void Of_AllComponents_ReconstructsTheCovariance()
    {
        var components = PrincipalComponents.Of(Features);
        double[] covariance = Covariance.Of(Features).Matrix;
        for (int i = 0; i < 37; i++)
        {
            for (int j = 0; j < 37; j++)
            {
                double made = Enumerable.Range(0, 37).Sum(k => components.Variances[k] * components.Directions[(k * 37) + i] * components.Directions[(k * 37) + j]);
                Assert.Equal(covariance[(i * 37) + j], made, components.Variances[0] * 1e-12);
            }
        }
    }

    [Fact]
    public void First_AllComponents_LosesNothingOfARow()
    {
        Projection projection = PrincipalComponents.Of(Features).First(37);
        var projected = new float[37];
        projection.Apply(Features.Row(5), projected);

        for (int j = 0; j < 37; j++)
        {
            double back = Enumerable.Range(0, 37).Sum(k => (double)projected[k] * projection.Weights[(k * 37) + j]);
            Assert.Equal(Features.Row(5)[j], back, 1e-5);
        }
    }

    [Fact]
    public void Of_Directions_HaveTheirLargestEntryPositive()
    {
        var components = PrincipalComponents.Of(Features);
        Assert.All(Enumerable.Range(0, 37), k => Assert.True(components.Directions[(k * 37)..((k + 1) * 37)].MaxBy(Math.Abs) > 0));
    }

    [Fact]
    public void CountFor_AShare_IsTheFewestThatExplainIt()
    {
        var components = new PrincipalComponents([6, 3, 1, 0], new double[16]);

        Assert.Equal((1, 2, 2, 3, 3), (components.CountFor(0.6), components.CountFor(0.61), components.CountFor(0.9), components.CountFor(0.91), components.CountFor(1)));
    }

    [Fact]
    public void First_MoreThanTheRowsVaryIn_GivesAsManyAsTheyDo()
    {
        FeatureMatrix few = Made.Copy(Features, [1, 2, 3, 4, 5]);

        Assert.Equal(4, PrincipalComponents.Of(few).First(10).Components);
    }

    [Fact]
    public void Of_GoldenRows_AgreesWithNumpy()
    {
        var golden = FeatureGolden.Load();
        var components = PrincipalComponents.Of(golden.Matrix());

        Assert.Equal(golden.Variances.Length, components.Variances.Length);
        Assert.All(golden.Variances.Zip(components.Variances), pair => Assert.Equal(pair.First, pair.Second, 1e-10));
    }
}
