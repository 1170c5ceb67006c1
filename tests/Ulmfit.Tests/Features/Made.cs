using Ulmfit.Features;
using Ulmfit.Model;

namespace Ulmfit.Tests.Features;

/// <summary>Matrices for tests.</summary>
internal static class Made
{
    public static FeatureMatrix Matrix(int rows, int columns, IReadOnlyList<double> values)
    {
        var matrix = new FeatureMatrix(rows, columns);
        for (int i = 0; i < values.Count; i++)
        {
            matrix.Data[i] = (float)values[i];
        }

        return matrix;
    }

    /// <summary>Labelled rows: features that lean on each other and on the class, whose offset and scale differ widely.</summary>
    public static (FeatureMatrix Features, int[] Labels) Classes(int rows, int columns, int classes, uint seed = 1)
    {
        var random = new Philox(new RandomKey(seed, 0, 0, 0), RandomPurpose.Initialisation, 0);
        int word = 0;
        double Next() => (random.Word(word++) / (double)uint.MaxValue) - 0.5;
        double[] mix = [.. Enumerable.Range(0, columns * columns).Select(_ => Next())], centres = [.. Enumerable.Range(0, classes * columns).Select(_ => Next())];
        int[] labels = [.. Enumerable.Range(0, rows).Select(row => row % classes)];
        var features = new FeatureMatrix(rows, columns);
        for (int row = 0; row < rows; row++)
        {
            double[] noise = [.. Enumerable.Range(0, columns).Select(_ => Next() + Next() + Next())];
            for (int j = 0; j < columns; j++)
            {
                double value = centres[(labels[row] * columns) + j];
                for (int k = 0; k < columns; k++)
                {
                    value += mix[(j * columns) + k] * noise[k] / Math.Sqrt(columns) * 2;
                }

                features.Row(row)[j] = (float)((value * (1 + (j % 5))) + (j % 3));
            }
        }

        return (features, labels);
    }

    public static FeatureMatrix Copy(FeatureMatrix matrix, IReadOnlyList<int>? order = null)
    {
        order ??= [.. Enumerable.Range(0, matrix.Rows)];
        var copy = new FeatureMatrix(order.Count, matrix.Columns);
        for (int row = 0; row < order.Count; row++)
        {
            matrix.Row(order[row]).CopyTo(copy.Row(row));
        }

        return copy;
    }
}
