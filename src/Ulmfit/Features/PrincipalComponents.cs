namespace Ulmfit.Features;

/// <summary>
/// Principal component analysis: the orthonormal directions in which rows vary most (Jolliffe 2002, 1.1).
/// </summary>
/// <param name="Variances">Variance of the rows in every direction, descending; they sum to the total variance.</param>
/// <param name="Directions">The directions, one a row <c>[features, features]</c>, each with its entry of the largest magnitude positive.</param>
internal sealed record PrincipalComponents(double[] Variances, double[] Directions)
{
    // Smaller shares of the largest variance are rounding: such directions are arbitrary.
    private const double LeastVariance = 1e-12;

    /// <summary>Features.</summary>
    public int Features => Variances.Length;

    /// <summary>Directions in which the rows vary at all, at least 1.</summary>
    public int Rank => Math.Max(1, Variances.Count(variance => variance > LeastVariance * Variances[0]));

    /// <summary>The components of some rows.</summary>
    public static PrincipalComponents Of(FeatureMatrix features)
    {
        (double[] values, double[] vectors) = SymmetricMatrices.Eigen(Covariance.Of(features).Matrix, features.Columns);
        return new PrincipalComponents([.. values.Select(value => Math.Max(value, 0))], vectors);
    }

    /// <summary>The fewest components that explain a share of the total variance.</summary>
    public int CountFor(double share)
    {
        double total = Variances.Sum(), explained = 0;
        int rank = Rank;
        for (int count = 1; count < rank; count++)
        {
            explained += Variances[count - 1];
            if (explained >= share * total)
            {
                return count;
            }
        }

        return rank;
    }

    /// <summary>The projection on the first components, as many as there are variances for.</summary>
    public Projection First(int components) => Projection.Of(Directions, Math.Min(components, Rank), Features);
}
