using Ulmfit.Features;

namespace Ulmfit.Tests.Features;

public sealed class LinearDiscriminantsTests
{
    // Two classes that differ along (1, −1) alone, while both vary far more along (1, 1).
    [Fact]
    public void Of_ClassesApartAlongOneDirection_FindsIt()
    {
        var features = new FeatureMatrix(400, 2);
        int[] labels = [.. Enumerable.Range(0, 400).Select(row => row % 2)];
        for (int row = 0; row < 400; row++)
        {
            double along = ((row / 2 % 20) - 9.5) * 5, across = ((row / 40) - 4.5) * 0.1, apart = labels[row] == 0 ? 1 : -1;
            features.Row(row)[0] = (float)(along + across + apart);
            features.Row(row)[1] = (float)(along - across - apart);
        }

        var discriminants = LinearDiscriminants.Of(features, labels, 2, LinearDiscriminants.LeastShrinkage);

        Assert.Single(discriminants.Ratios);
        Assert.Equal(-1, discriminants.Directions[1] / discriminants.Directions[0], 0.01);
        Assert.True(discriminants.Directions[0] > 0);
    }

    [Theory]
    [InlineData(300, 20, 5, null)]
    [InlineData(300, 20, 5, 0.3)]
    [InlineData(24, 40, 4, null)]
    public void Of_AnyRows_SolvesTheGeneralisedEigenproblem(int rows, int columns, int classes, double? shrinkage)
    {
        (FeatureMatrix features, int[] labels) = Made.Classes(rows, columns, classes);
        var discriminants = LinearDiscriminants.Of(features, labels, classes, shrinkage);
        (double[] within, double[] between) = Scatter(features, labels, classes, discriminants.Shrinkage);

        Assert.Equal(classes - 1, discriminants.Ratios.Length);
        for (int k = 0; k < discriminants.Ratios.Length; k++)
        {
            double[] v = discriminants.Directions[(k * columns)..((k + 1) * columns)];
            double[] left = Times(between, v), right = [.. Times(within, v).Select(value => value * discriminants.Ratios[k])];
            double size = right.Max(Math.Abs);
            Assert.All(left.Zip(right), pair => Assert.Equal(pair.First, pair.Second, 1e-8 * size));
            Assert.Equal(1, Times(within, v).Zip(v, (a, b) => a * b).Sum(), 1e-8);
        }
    }

    [Fact]
    public void Of_GoldenRows_AgreesWithNumpy()
    {
        var golden = FeatureGolden.Load();
        var discriminants = LinearDiscriminants.Of(golden.Matrix(), golden.Labels, golden.Classes, null);

        Assert.Equal(golden.Shrinkage, discriminants.Shrinkage, 1e-12);
        Assert.All(golden.Ratios.Zip(discriminants.Ratios), pair => Assert.Equal(pair.First, pair.Second, 1e-8));
        (double[] within, double[] between) = Scatter(golden.Matrix(), golden.Labels, golden.Classes, golden.Shrinkage);
        Assert.All(golden.Within.Zip(within), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
        Assert.All(golden.Between.Zip(between), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
    }

    [Fact]
    public void Of_OneRowAClass_StillGivesFiniteDirections()
    {
        (FeatureMatrix features, int[] labels) = Made.Classes(3, 10, 3);
        var discriminants = LinearDiscriminants.Of(features, labels, 3, null);

        Assert.Equal(2, discriminants.Ratios.Length);
        Assert.All(discriminants.Directions, value => Assert.True(double.IsFinite(value)));
    }

    [Fact]
    public void Of_AClassWithoutRows_AddsNoDirection()
    {
        (FeatureMatrix features, int[] labels) = Made.Classes(90, 10, 3);

        Assert.Equal(2, LinearDiscriminants.Of(features, labels, 4, null).Ratios.Length);
    }

    [Fact]
    public void Of_AFeatureThatDoesNotVary_IsNotSingular()
    {
        (FeatureMatrix features, int[] labels) = Made.Classes(90, 10, 3);
        for (int row = 0; row < features.Rows; row++)
        {
            features.Row(row)[4] = 0;
        }

        Assert.All(LinearDiscriminants.Of(features, labels, 3, LinearDiscriminants.LeastShrinkage).Directions, value => Assert.True(double.IsFinite(value)));
    }

    /// <summary>Shrunk within-class and between-class covariance as their definitions say.</summary>
    private static (double[] Within, double[] Between) Scatter(FeatureMatrix features, int[] labels, int classes, double shrinkage)
    {
        int width = features.Columns;
        double[] Mean(Func<int, bool> of)
        {
            int[] rows = [.. Enumerable.Range(0, features.Rows).Where(of)];
            return [.. Enumerable.Range(0, width).Select(j => rows.Average(row => (double)features.Row(row)[j]))];
        }

        double[] all = Mean(_ => true);
        double[][] own = [.. Enumerable.Range(0, classes).Select(c => Mean(row => labels[row] == c))];
        double[] within = new double[width * width], between = new double[width * width];
        for (int row = 0; row < features.Rows; row++)
        {
            double[] mean = own[labels[row]];
            for (int i = 0; i < width; i++)
            {
                for (int j = 0; j < width; j++)
                {
                    within[(i * width) + j] += (features.Row(row)[i] - mean[i]) * (features.Row(row)[j] - mean[j]) / features.Rows;
                    between[(i * width) + j] += (mean[i] - all[i]) * (mean[j] - all[j]) / features.Rows;
                }
            }
        }

        double average = Enumerable.Range(0, width).Average(j => within[j * (width + 1)]);
        for (int i = 0; i < within.Length; i++)
        {
            within[i] = ((1 - shrinkage) * within[i]) + (i % (width + 1) == 0 ? shrinkage * average : 0);
        }

        return (within, between);
    }

    private static double[] Times(double[] matrix, double[] vector) =>
        [.. Enumerable.Range(0, vector.Length).Select(i => Enumerable.Range(0, vector.Length).Sum(j => matrix[(i * vector.Length) + j] * vector[j]))];
}
