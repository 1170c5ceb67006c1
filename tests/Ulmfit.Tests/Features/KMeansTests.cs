using Ulmfit.Features;
using Ulmfit.Model;

namespace Ulmfit.Tests.Features;

public sealed class KMeansTests
{
    private const int Columns = 19;

    private static readonly RandomKey Key = new(1, -1, 0, 0);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Fit_GroupsFarApart_FindsThem(ulong seed)
    {
        FeatureMatrix rows = Groups(groups: 7, rowsOfEach: 40, spread: 0.1f);

        var clusters = KMeans.Fit(rows, 7, Key with { Seed = seed });

        Assert.All(Enumerable.Range(0, rows.Rows).GroupBy(row => row % 7), group => Assert.Single(group.Select(row => clusters.ClusterOf[row]).Distinct()));
        Assert.Equal(7, clusters.ClusterOf.Distinct().Count());
    }

    [Fact]
    public void Fit_AnyRows_EndsWhereEachRowIsAtItsNearestCentroidAndEachCentroidInTheMeanOfItsRows()
    {
        FeatureMatrix rows = Groups(groups: 5, rowsOfEach: 60, spread: 2f);

        var clusters = KMeans.Fit(rows, 9, Key);

        for (int row = 0; row < rows.Rows; row++)
        {
            double[] distances = [.. Enumerable.Range(0, 9).Select(cluster => Distance(rows.Row(row), clusters.Centroids.Row(cluster)))];
            Assert.Equal(distances.Min(), distances[clusters.ClusterOf[row]], 1e-4);
            Assert.Equal(distances.Min(), clusters.Distances[row], 1e-4);
        }

        foreach (IGrouping<int, int> cluster in Enumerable.Range(0, rows.Rows).GroupBy(row => clusters.ClusterOf[row]))
        {
            for (int j = 0; j < Columns; j++)
            {
                Assert.Equal(cluster.Average(row => (double)rows.Row(row)[j]), clusters.Centroids.Row(cluster.Key)[j], 1e-5);
            }
        }
    }

    [Fact]
    public void Fit_MoreClusters_LeavesLessDistance()
    {
        FeatureMatrix rows = Groups(groups: 5, rowsOfEach: 60, spread: 2f);

        double[] sums = [.. new[] { 1, 4, 16, 64 }.Select(count => KMeans.Fit(rows, count, Key).Distances.Sum(distance => (double)distance))];

        Assert.Equal(sums.OrderDescending(), sums);
        Assert.Equal(4, sums.Distinct().Count());
    }

    [Fact]
    public void Fit_EqualRows_HasNoMoreClustersThanDifferentOnes()
    {
        var rows = new FeatureMatrix(30, Columns);
        for (int row = 0; row < 30; row++)
        {
            rows.Row(row).Fill(row % 3);
        }

        var clusters = KMeans.Fit(rows, 8, Key);

        Assert.Equal(3, clusters.Centroids.Rows);
        Assert.All(clusters.Distances, distance => Assert.Equal(0f, distance));
    }

    [Fact]
    public void Fit_Again_GivesTheSameBitsAndAnotherSeedOthers()
    {
        FeatureMatrix rows = Groups(groups: 5, rowsOfEach: 60, spread: 2f);

        KMeans one = KMeans.Fit(rows, 9, Key), two = KMeans.Fit(rows, 9, Key), other = KMeans.Fit(rows, 9, Key with { Seed = 2 });

        Assert.Equal(one.Centroids.Data, two.Centroids.Data);
        Assert.Equal(one.ClusterOf, two.ClusterOf);
        Assert.Equal(one.Distances, two.Distances);
        Assert.NotEqual(one.Centroids.Data, other.Centroids.Data);
    }

    // Row r belongs to group r mod groups, whose centre is at 10 in one column.
    private static FeatureMatrix Groups(int groups, int rowsOfEach, float spread)
    {
        var random = new Philox(Key, RandomPurpose.Initialisation);
        var rows = new FeatureMatrix(groups * rowsOfEach, Columns);
        for (int row = 0; row < rows.Rows; row++)
        {
            for (int j = 0; j < Columns; j++)
            {
                rows.Row(row)[j] = (j == row % groups ? 10f : 0f) + (spread * (random.Uniform((row * Columns) + j) - 0.5f));
            }
        }

        return rows;
    }

    private static double Distance(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int j = 0; j < a.Length; j++)
        {
            sum += ((double)a[j] - b[j]) * ((double)a[j] - b[j]);
        }

        return sum;
    }
}
