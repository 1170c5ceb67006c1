namespace Ulmfit.Features;

/// <summary>Mean and covariance of the rows of a matrix.</summary>
/// <param name="Mean">Mean of each feature.</param>
/// <param name="Matrix">Covariance over all rows (not one fewer) <c>[features, features]</c>, symmetric.</param>
internal sealed record Covariance(double[] Mean, double[] Matrix)
{
    private const int RowsPerBlock = 256;
    private const int Tile = 4;

    /// <summary>
    /// Measures the rows. Each element is a sum over blocks of rows in their order, whichever thread adds it up.
    /// </summary>
    public static Covariance Of(FeatureMatrix features)
    {
        int columns = features.Columns, padded = (columns + Tile - 1) / Tile * Tile, tiles = padded / Tile;
        var mean = new double[columns];
        var products = new double[padded * padded];
        var block = new double[padded * RowsPerBlock];
        for (int first = 0; first < features.Rows; first += RowsPerBlock)
        {
            int rows = Math.Min(RowsPerBlock, features.Rows - first);
            Transpose(features, first, rows, block, mean);
            Parallel.For(0, tiles, tile => AddProducts(block, rows, tile, padded, products));
        }

        for (int j = 0; j < columns; j++)
        {
            mean[j] /= features.Rows;
        }

        var covariance = new double[columns * columns];
        for (int i = 0; i < columns; i++)
        {
            for (int j = i; j < columns; j++)
            {
                covariance[(i * columns) + j] = covariance[(j * columns) + i] = (products[(i * padded) + j] / features.Rows) - (mean[i] * mean[j]);
            }
        }

        return new Covariance(mean, covariance);
    }

    private static void Transpose(FeatureMatrix features, int first, int rows, double[] block, double[] sums)
    {
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<float> x = features.Row(first + row);
            for (int j = 0; j < x.Length; j++)
            {
                block[(j * RowsPerBlock) + row] = x[j];
                sums[j] += x[j];
            }
        }
    }

    /// <summary>Adds the products of four features with those from them on, each sum in the order of the rows.</summary>
    private static void AddProducts(double[] block, int rows, int tile, int padded, double[] products)
    {
        int i = tile * Tile;
        ReadOnlySpan<double> a0 = block.AsSpan(i * RowsPerBlock, rows), a1 = block.AsSpan((i + 1) * RowsPerBlock, rows);
        ReadOnlySpan<double> a2 = block.AsSpan((i + 2) * RowsPerBlock, rows), a3 = block.AsSpan((i + 3) * RowsPerBlock, rows);
        for (int j = i; j < padded; j++)
        {
            ReadOnlySpan<double> b = block.AsSpan(j * RowsPerBlock, rows);
            double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
            for (int row = 0; row < b.Length; row++)
            {
                double value = b[row];
                s0 += a0[row] * value;
                s1 += a1[row] * value;
                s2 += a2[row] * value;
                s3 += a3[row] * value;
            }

            products[(i * padded) + j] += s0;
            products[((i + 1) * padded) + j] += s1;
            products[((i + 2) * padded) + j] += s2;
            products[((i + 3) * padded) + j] += s3;
        }
    }
}
