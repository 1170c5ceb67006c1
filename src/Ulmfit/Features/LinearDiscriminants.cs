namespace Ulmfit.Features;

/// <summary>
/// Linear discriminant analysis (Fisher 1936; Rao 1948): the directions v in which the classes' means lie farthest apart
/// in units of the spread within classes, <c>S_b·v = μ·S_w·v</c>, each scaled to <c>vᵀ·S_w·v = 1</c>. The within-class
/// covariance is shrunk towards a multiple of the identity, <c>(1 − γ)·S_w + γ·(tr S_w / features)·I</c>, which keeps it
/// regular where classes have fewer rows than there are features (Ledoit &amp; Wolf 2004).
/// </summary>
/// <param name="Ratios">Between-class over within-class variance μ in each direction, descending; at most classes − 1, and none that is zero.</param>
/// <param name="Directions">The directions, one a row <c>[ratios, features]</c>, each with its entry of the largest magnitude positive.</param>
/// <param name="Features">Features.</param>
/// <param name="Shrinkage">γ.</param>
internal sealed record LinearDiscriminants(double[] Ratios, double[] Directions, int Features, double Shrinkage)
{
    /// <summary>The least γ: a feature that does not vary within classes would otherwise make the covariance singular.</summary>
    public const double LeastShrinkage = 1e-6;

    // Smaller shares of the largest ratio are rounding.
    private const double LeastRatio = 1e-10;

    // Less of the total variance within classes is rounding: each class is one point, and space is as it is.
    private const double LeastVariance = 1e-9;

    /// <summary>The discriminants of labelled rows.</summary>
    /// <param name="features">The rows.</param>
    /// <param name="labels">Their classes.</param>
    /// <param name="classes">Number of classes; some may have no row.</param>
    /// <param name="shrinkage">γ; null for that of Ledoit and Wolf.</param>
    public static LinearDiscriminants Of(FeatureMatrix features, IReadOnlyList<int> labels, int classes, double? shrinkage)
    {
        int columns = features.Columns;
        Covariance total = Covariance.Of(features);
        (double[] means, int[] counts) = ClassMeans(features, labels, classes);

        // Between-class covariance is M·Mᵀ with √(rows of the class / rows)·(its mean − the mean) as columns of M.
        var between = new double[classes * columns];
        for (int c = 0; c < classes; c++)
        {
            double share = Math.Sqrt((double)counts[c] / features.Rows);
            for (int j = 0; j < columns; j++)
            {
                between[(c * columns) + j] = counts[c] == 0 ? 0 : share * (means[(c * columns) + j] - total.Mean[j]);
            }
        }

        double[] within = Within(total.Matrix, between, columns, classes);
        bool none = Trace(within, columns) <= LeastVariance * Trace(total.Matrix, columns);
        double gamma = none ? 1 : Math.Max(LeastShrinkage, shrinkage ?? LedoitWolf(features, labels, means, within));
        Shrink(within, columns, gamma, none ? 1 : Trace(within, columns) / columns);

        // With X = S_w⁻¹·M and MᵀX = U·diag(μ)·Uᵀ the directions are X·u / √μ: a problem of as many rows as classes.
        var solved = (double[])between.Clone();
        SymmetricMatrices.SolvePositiveDefinite(within, columns, solved, classes);
        var small = new double[classes * classes];
        for (int i = 0; i < classes; i++)
        {
            for (int j = i; j < classes; j++)
            {
                small[(i * classes) + j] = small[(j * classes) + i] = Dot(between.AsSpan(i * columns, columns), solved.AsSpan(j * columns, columns));
            }
        }

        (double[] values, double[] vectors) = SymmetricMatrices.Eigen(small, classes);
        int most = Math.Min(classes - 1, columns);
        double[] ratios = [.. values.Take(most).TakeWhile(value => value > LeastRatio * values[0] && value > 0)];
        var directions = new double[ratios.Length * columns];
        for (int component = 0; component < ratios.Length; component++)
        {
            Span<double> direction = directions.AsSpan(component * columns, columns);
            for (int c = 0; c < classes; c++)
            {
                double weight = vectors[(component * classes) + c] / Math.Sqrt(ratios[component]);
                for (int j = 0; j < columns; j++)
                {
                    direction[j] += weight * solved[(c * columns) + j];
                }
            }

            SymmetricMatrices.Orient(direction);
        }

        return new LinearDiscriminants(ratios, directions, columns, gamma);
    }

    /// <summary>The projection on the first components, as many as there are.</summary>
    public Projection First(int components) => Projection.Of(Directions, Math.Min(components, Ratios.Length), Features);

    private static (double[] Means, int[] Counts) ClassMeans(FeatureMatrix features, IReadOnlyList<int> labels, int classes)
    {
        var means = new double[classes * features.Columns];
        var counts = new int[classes];
        for (int row = 0; row < features.Rows; row++)
        {
            ReadOnlySpan<float> x = features.Row(row);
            Span<double> mean = means.AsSpan(labels[row] * features.Columns, features.Columns);
            counts[labels[row]]++;
            for (int j = 0; j < x.Length; j++)
            {
                mean[j] += x[j];
            }
        }

        for (int i = 0; i < means.Length; i++)
        {
            means[i] /= Math.Max(1, counts[i / features.Columns]);
        }

        return (means, counts);
    }

    private static double[] Within(double[] total, double[] between, int columns, int classes)
    {
        var within = new double[total.Length];
        for (int i = 0; i < columns; i++)
        {
            for (int j = i; j < columns; j++)
            {
                double value = total[(i * columns) + j];
                for (int c = 0; c < classes; c++)
                {
                    value -= between[(c * columns) + i] * between[(c * columns) + j];
                }

                within[(i * columns) + j] = within[(j * columns) + i] = value;
            }
        }

        return within;
    }

    private static void Shrink(double[] within, int columns, double gamma, double target)
    {
        for (int i = 0; i < within.Length; i++)
        {
            within[i] = ((1 - gamma) * within[i]) + (i % (columns + 1) == 0 ? gamma * target : 0);
        }
    }

    // γ = (Σ‖x‖⁴ / n² − ‖S‖² / n) / ‖S − (tr S / p)·I‖², with the rows x taken from their class's mean.
    private static double LedoitWolf(FeatureMatrix features, IReadOnlyList<int> labels, double[] means, double[] within)
    {
        int columns = features.Columns;
        double rows = features.Rows, fourth = 0;
        for (int row = 0; row < features.Rows; row++)
        {
            ReadOnlySpan<float> x = features.Row(row);
            ReadOnlySpan<double> mean = means.AsSpan(labels[row] * columns, columns);
            double square = 0;
            for (int j = 0; j < x.Length; j++)
            {
                double distance = x[j] - mean[j];
                square += distance * distance;
            }

            fourth += square * square;
        }

        double trace = Trace(within, columns), norm = Dot(within, within), spread = norm - (trace * trace / columns);
        return spread > 0 ? Math.Clamp(((fourth / rows) - norm) / rows / spread, 0, 1) : 1;
    }

    private static double Trace(double[] matrix, int order)
    {
        double trace = 0;
        for (int i = 0; i < order; i++)
        {
            trace += matrix[(i * order) + i];
        }

        return trace;
    }

    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }
}
