using Ulmfit.Model;

namespace Ulmfit.Features;

/// <summary>
/// k-means clusters of rows (Lloyd 1982, begun as Arthur &amp; Vassilvitskii's k-means++ does). Every sum has one order, so that equal
/// rows give equal clusters on any machine and any number of threads.
/// </summary>
/// <param name="Centroids"><c>[clusters, columns]</c>.</param>
/// <param name="ClusterOf">The cluster of each row: that of the nearest centroid, of equally near ones the first.</param>
/// <param name="Distances">Squared distance of each row from that centroid.</param>
internal sealed record KMeans(FeatureMatrix Centroids, int[] ClusterOf, float[] Distances)
{
    private const int MostRounds = 50;

    /// <summary>Clusters of the rows of a matrix: so many, or as many as there are different rows where these are fewer.</summary>
    /// <param name="rows">The rows, one at least.</param>
    /// <param name="clusters">How many clusters, one at least.</param>
    /// <param name="key">Draws the rows that the centroids begin at.</param>
    public static KMeans Fit(FeatureMatrix rows, int clusters, RandomKey key)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows.Rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(clusters, 1);
        KMeans found = Begin(rows, clusters, key);
        for (int round = 0; round < MostRounds; round++)
        {
            KMeans next = found.MoveOn(rows);
            bool settled = next.ClusterOf.AsSpan().SequenceEqual(found.ClusterOf);
            found = next;
            if (settled)
            {
                break;
            }
        }

        return found;
    }

    // Each further centroid at a row, drawn with a probability that goes with its squared distance from the nearest one so far.
    private static KMeans Begin(FeatureMatrix rows, int clusters, RandomKey key)
    {
        var random = new Philox(key, RandomPurpose.Clustering);
        var begun = new List<int>();
        var clusterOf = new int[rows.Rows];
        float[] distances = [.. Enumerable.Repeat(float.PositiveInfinity, rows.Rows)];
        for (int row = random.Below(rows.Rows, 0); row >= 0 && begun.Count < clusters; row = Draw(distances, random.Uniform(begun.Count)))
        {
            int cluster = begun.Count;
            begun.Add(row);
            Parallel.For(0, rows.Rows, other =>
            {
                float distance = Distance(rows.Row(other), rows.Row(row));
                if (distance < distances[other])
                {
                    (distances[other], clusterOf[other]) = (distance, cluster);
                }
            });
        }

        var centroids = new FeatureMatrix(begun.Count, rows.Columns);
        for (int cluster = 0; cluster < begun.Count; cluster++)
        {
            rows.Row(begun[cluster]).CopyTo(centroids.Row(cluster));
        }

        return new KMeans(centroids, clusterOf, distances);
    }

    // −1 where every row lies on a centroid.
    private static int Draw(float[] distances, float random)
    {
        double sum = 0;
        foreach (float distance in distances)
        {
            sum += distance;
        }

        double left = random * sum;
        int drawn = -1;
        for (int row = 0; row < distances.Length && (drawn < 0 || left >= 0); row++)
        {
            if (distances[row] > 0)
            {
                drawn = row;
                left -= distances[row];
            }
        }

        return drawn;
    }

    // Eight sums side by side: a processor need not wait for one addition before the next, and the order is the same on all.
    private static float Distance(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        const int Sums = 8;
        Span<float> sums = stackalloc float[Sums];
        for (int j = 0; j < a.Length; j++)
        {
            float difference = a[j] - b[j];
            sums[j % Sums] += difference * difference;
        }

        float sum = 0;
        foreach (float part in sums)
        {
            sum += part;
        }

        return sum;
    }

    // A cluster that has lost its rows keeps its centroid.
    private KMeans MoveOn(FeatureMatrix rows)
    {
        var sums = new double[Centroids.Data.Length];
        var counts = new int[Centroids.Rows];
        for (int row = 0; row < rows.Rows; row++)
        {
            ReadOnlySpan<float> x = rows.Row(row);
            Span<double> sum = sums.AsSpan(ClusterOf[row] * rows.Columns, rows.Columns);
            for (int j = 0; j < x.Length; j++)
            {
                sum[j] += x[j];
            }

            counts[ClusterOf[row]]++;
        }

        var centroids = new FeatureMatrix(Centroids.Rows, rows.Columns);
        for (int i = 0; i < sums.Length; i++)
        {
            int count = counts[i / rows.Columns];
            centroids.Data[i] = count == 0 ? Centroids.Data[i] : (float)(sums[i] / count);
        }

        var clusterOf = new int[rows.Rows];
        var distances = new float[rows.Rows];
        Parallel.For(0, rows.Rows, row =>
        {
            (int nearest, float least) = (0, float.PositiveInfinity);
            for (int cluster = 0; cluster < centroids.Rows; cluster++)
            {
                float distance = Distance(rows.Row(row), centroids.Row(cluster));
                (nearest, least) = distance < least ? (cluster, distance) : (nearest, least);
            }

            (clusterOf[row], distances[row]) = (nearest, least);
        });
        return new KMeans(centroids, clusterOf, distances);
    }
}
