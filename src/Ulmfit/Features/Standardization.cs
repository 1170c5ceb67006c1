namespace Ulmfit.Features;

/// <summary>Takes the mean off each feature and divides it by its deviation, both of the rows that it was fitted on.</summary>
/// <param name="Mean">Mean of each feature.</param>
/// <param name="Deviation">Deviation (over all rows, not one fewer) of each feature; 1 for a feature that does not vary.</param>
internal sealed record Standardization(float[] Mean, float[] Deviation)
{
    // Below this share of the mean's size a deviation is rounding, not variation.
    private const double LeastVariation = 1e-6;

    /// <summary>Fits to the rows of a matrix, summing them in their order.</summary>
    public static Standardization Fit(FeatureMatrix features)
    {
        double[] mean = new double[features.Columns], square = new double[features.Columns];
        for (int row = 0; row < features.Rows; row++)
        {
            Span<float> x = features.Row(row);
            for (int j = 0; j < x.Length; j++)
            {
                mean[j] += x[j];
            }
        }

        for (int j = 0; j < mean.Length; j++)
        {
            mean[j] /= features.Rows;
        }

        for (int row = 0; row < features.Rows; row++)
        {
            Span<float> x = features.Row(row);
            for (int j = 0; j < x.Length; j++)
            {
                double distance = x[j] - mean[j];
                square[j] += distance * distance;
            }
        }

        var deviation = new float[mean.Length];
        for (int j = 0; j < deviation.Length; j++)
        {
            double found = Math.Sqrt(square[j] / features.Rows);
            deviation[j] = found > LeastVariation * Math.Abs(mean[j]) && (float)found > 0 ? (float)found : 1f;
        }

        return new Standardization([.. mean.Select(value => (float)value)], deviation);
    }

    /// <summary>Standardises one row in place, in single precision as a served model does.</summary>
    public void Apply(Span<float> row)
    {
        for (int j = 0; j < row.Length; j++)
        {
            row[j] = (row[j] - Mean[j]) / Deviation[j];
        }
    }

    /// <summary>Standardises every row in place.</summary>
    public void Apply(FeatureMatrix features)
    {
        for (int row = 0; row < features.Rows; row++)
        {
            Apply(features.Row(row));
        }
    }
}
