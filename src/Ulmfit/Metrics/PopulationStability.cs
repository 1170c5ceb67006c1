using System.Text.Json.Serialization;

namespace Ulmfit.Metrics;

/// <summary>
/// How far the classes of some texts are from those of a reference: the population stability index of credit scoring,
/// Σ (q − p) · ln (q / p) over the classes' shares q of the texts and p of the reference (the symmetrised Kullback–Leibler
/// divergence, in nats). 0 is the same shares; by custom 0.1 is a small shift and 0.2 one to act on.
/// </summary>
/// <param name="Index">The index.</param>
/// <param name="ByChance">
/// What the index stays below in 999 of 1000 cases if nothing has shifted: so few texts, and so few rows of reference, differ by
/// chance. The index times n · m / (n + m) is then distributed as χ² with one degree of freedom less than classes (Yurdakul
/// 2018, Statistical Properties of Population Stability Index).
/// </param>
/// <param name="Parts">What each class adds to the index, in the order of the classes.</param>
public sealed record PopulationStability(
    [property: JsonPropertyName("index")] double Index,
    [property: JsonPropertyName("byChance")] double ByChance,
    [property: JsonPropertyName("parts")] IReadOnlyList<double> Parts)
{
    /// <summary>Rows that each class of the reference counts beyond those that it has, so that none has a share of 0 (Jeffreys' prior).</summary>
    private const double PriorOfClass = 0.5;

    // The standard normal's quantile of 0.999.
    private const double Quantile = 3.090232306167813;

    /// <summary>The share of each class in the reference, none of them 0.</summary>
    /// <param name="reference">How many rows each class has.</param>
    public static double[] SharesOf(IReadOnlyList<long> reference)
    {
        ArgumentNullException.ThrowIfNull(reference);
        double total = reference.Sum() + (PriorOfClass * reference.Count);
        return [.. reference.Select(count => (count + PriorOfClass) / total)];
    }

    /// <summary>The index of counted classes.</summary>
    /// <param name="reference">How many rows each class has in the reference.</param>
    /// <param name="observed">How many texts each class has; one entry a class.</param>
    /// <exception cref="ArgumentException">The two have different numbers of classes, or a count is negative.</exception>
    public static PopulationStability Of(IReadOnlyList<long> reference, IReadOnlyList<long> observed)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(observed);
        if (reference.Count != observed.Count)
        {
            throw new ArgumentException($"{reference.Count} classes were expected, {observed.Count} were given.", nameof(observed));
        }

        if (reference.Any(count => count < 0) || observed.Any(count => count < 0))
        {
            throw new ArgumentException("A class cannot be counted less than 0 times.", nameof(observed));
        }

        int classes = reference.Count;
        double[] shares = SharesOf(reference);
        long rows = reference.Sum(), texts = observed.Sum();

        // Half a text a class is added as the reference has them: a class that nobody asked about yet draws towards no shift.
        double prior = PriorOfClass * classes, total = texts + prior;
        double[] parts = new double[classes];
        for (int c = 0; c < classes; c++)
        {
            double share = (observed[c] + (prior * shares[c])) / total;
            parts[c] = (share - shares[c]) * Math.Log(share / shares[c]);
        }

        double n = rows + prior, byChance = classes < 2 ? 0 : ChiSquaredQuantile(classes - 1) * ((1 / n) + (1 / total));
        return new PopulationStability(parts.Sum(), byChance, parts);
    }

    // Wilson and Hilferty 1931: the cube root of χ² divided by its degrees of freedom is nearly normal.
    private static double ChiSquaredQuantile(int degrees)
    {
        double spread = 2.0 / (9.0 * degrees);
        return degrees * Math.Pow(1 - spread + (Quantile * Math.Sqrt(spread)), 3);
    }
}
