namespace Ulmfit.Metrics;

/// <summary>
/// Temperature scaling (Guo et al. 2017, On Calibration of Modern Neural Networks, section 4.2): probabilities are raised to
/// 1/T and renormalised, which is the softmax of ln p / T. Above 1, T takes certainty away; below 1 it adds some. The ranking
/// of the classes stays.
/// </summary>
public static class TemperatureScaling
{
    /// <summary>The temperature that changes nothing.</summary>
    public const double None = 1;

    /// <summary>The lowest temperature that is fitted or used.</summary>
    public const double Lowest = 0.1;

    /// <summary>The highest temperature that is fitted or used.</summary>
    public const double Highest = 10;

    /// <summary>
    /// How many rows the model's own word weighs in the fit: so many rows are added that are labelled as it says, for which T = 1
    /// is best. They keep a handful of rows that all are right from making every answer certain, and vanish among hundreds.
    /// </summary>
    public const double RowsOfItsOwn = 10;

    // As in the logarithmic loss of the metrics: one certain error is not infinite.
    private const double SmallestProbability = 1e-15;

    private const int MaxSteps = 200;
    private const double Precision = 1e-12;
    private const int SignificantDigits = 4;

    /// <summary>Whether a number can be a temperature.</summary>
    public static bool IsValid(double temperature) => temperature is >= Lowest and <= Highest;

    /// <summary>Scales the probabilities of one text in place. With T = 1 they keep their bits.</summary>
    /// <param name="probabilities">[classes], adding up to about 1. The first of the greatest is that afterwards, too.</param>
    /// <param name="temperature">T.</param>
    /// <exception cref="ArgumentOutOfRangeException">The temperature lies outside of <see cref="Lowest"/> and <see cref="Highest"/>.</exception>
    public static void Apply(Span<float> probabilities, double temperature)
    {
        Check(temperature);
        if (temperature == None || probabilities.IsEmpty)
        {
            return;
        }

        int best = ArgMax(probabilities);
        double greatest = probabilities[best];
        if (!(greatest > 0))
        {
            return;
        }

        // Against the greatest, so that nothing overflows and the sum is at least 1. Each class is computed from its own
        // probability, one after the other: a text gets the same bits wherever its row lies.
        double exponent = 1 / temperature, sum = 0;
        foreach (float probability in probabilities)
        {
            sum += Math.Pow(probability / greatest, exponent);
        }

        float next = 0;
        for (int c = 0; c < probabilities.Length; c++)
        {
            probabilities[c] = (float)(Math.Pow(probabilities[c] / greatest, exponent) / sum);
            next = c < best ? Math.Max(next, probabilities[c]) : next;
        }

        // A difference of one bit may have been rounded away, and a class before the best one have caught up with it.
        if (next >= probabilities[best])
        {
            probabilities[best] = MathF.BitIncrement(next);
        }
    }

    /// <summary>The temperature with the least mean negative logarithm of the probability of the true class.</summary>
    /// <remarks>
    /// In β = 1/T this is convex: Newton's method on the slope, within a bracket that shrinks with every step, cannot miss the
    /// minimum. The result is rounded to four digits, which the loss does not feel, so that it does not depend on the last bits
    /// of the probabilities. The loss is never greater than with T = 1.
    /// </remarks>
    /// <param name="classes">How many classes.</param>
    /// <param name="expected">The true class of each text.</param>
    /// <param name="probabilities">[texts, classes], each row adding up to about 1.</param>
    /// <returns>T between <see cref="Lowest"/> and <see cref="Highest"/>; 1 if there is no text.</returns>
    /// <exception cref="ArgumentException">Sizes do not fit, or a class is out of range.</exception>
    public static double Fit(int classes, ReadOnlySpan<int> expected, ReadOnlySpan<float> probabilities)
    {
        Check(classes, expected, probabilities);
        if (expected.IsEmpty || classes < 2)
        {
            return None;
        }

        double low = 1 / Highest, high = 1 / Lowest, beta = None;
        for (int step = 0; step < MaxSteps && high - low > Precision; step++)
        {
            TemperatureLoss at = LossAt(classes, expected, probabilities, beta);
            if (at.Slope > 0)
            {
                high = beta;
            }
            else if (at.Slope < 0)
            {
                low = beta;
            }
            else
            {
                break;
            }

            double newton = beta - (at.Slope / at.Curvature);
            double next = newton > low && newton < high ? newton : (low + high) / 2;
            if (Math.Abs(next - beta) <= Precision * beta)
            {
                break;
            }

            beta = next;
        }

        double fitted = Math.Clamp(Rounded(1 / beta), Lowest, Highest);
        return LossAt(classes, expected, probabilities, 1 / fitted).OfRows < LossAt(classes, expected, probabilities, None).OfRows ? fitted : None;
    }

    /// <summary>What the fit minimises, in β = 1/T, with its first two derivatives.</summary>
    internal static TemperatureLoss LossAt(int classes, ReadOnlySpan<int> expected, ReadOnlySpan<float> probabilities, double beta)
    {
        double ofRows = 0, ofItsOwn = 0, slope = 0, curvature = 0;
        double own = RowsOfItsOwn / expected.Length;
        for (int i = 0; i < expected.Length; i++)
        {
            ReadOnlySpan<float> row = probabilities.Slice(i * classes, classes);

            // z = ln p relative to the greatest. E is the mean of z under the scaled probabilities, "said" that under the model's own.
            double highest = Logarithm(row[ArgMax(row)]), sum = 0, weighted = 0, squares = 0, said = 0, mass = 0;
            foreach (float probability in row)
            {
                double z = Logarithm(probability) - highest, weight = Math.Exp(beta * z);
                sum += weight;
                weighted += weight * z;
                squares += weight * z * z;
                said += probability * z;
                mass += probability;
            }

            double normalizer = Math.Log(sum), mean = weighted / sum, ofTrue = Logarithm(row[expected[i]]) - highest;
            said = mass > 0 ? said / mass : 0;
            ofRows += normalizer - (beta * ofTrue);
            ofItsOwn += normalizer - (beta * said);
            slope += mean - ofTrue + (own * (mean - said));
            curvature += (1 + own) * Math.Max(0, (squares / sum) - (mean * mean));
        }

        int rows = expected.Length;
        return new TemperatureLoss(ofRows / rows, (ofRows + (own * ofItsOwn)) / rows, slope / rows, curvature / rows);
    }

    private static double Logarithm(float probability) => Math.Log(Math.Max(probability, SmallestProbability));

    private static double Rounded(double value) => Math.Round(value, SignificantDigits - 1 - (int)Math.Floor(Math.Log10(value)));

    private static int ArgMax(ReadOnlySpan<float> row)
    {
        int best = 0;
        for (int c = 1; c < row.Length; c++)
        {
            best = row[c] > row[best] ? c : best;
        }

        return best;
    }

    private static void Check(double temperature)
    {
        if (!IsValid(temperature))
        {
            throw new ArgumentOutOfRangeException(nameof(temperature), temperature, $"A temperature lies in [{Lowest}, {Highest}].");
        }
    }

    private static void Check(int classes, ReadOnlySpan<int> expected, ReadOnlySpan<float> probabilities)
    {
        if (probabilities.Length != (long)expected.Length * classes)
        {
            throw new ArgumentException(
                $"{expected.Length} rows of {classes} probabilities were expected, {probabilities.Length} values were given.", nameof(probabilities));
        }

        int outside = expected.IndexOfAnyExceptInRange(0, classes - 1);
        if (outside >= 0)
        {
            throw new ArgumentException($"Text {outside}: class {expected[outside]} is outside 0…{classes - 1}.", nameof(expected));
        }
    }
}

/// <summary>The loss at a temperature.</summary>
/// <param name="OfRows">Mean negative logarithm of the probability of the true class.</param>
/// <param name="Total">What is minimised: that, and the part of the rows that are labelled as the model says.</param>
/// <param name="Slope">The derivative of the total with respect to β = 1/T.</param>
/// <param name="Curvature">The second derivative; never negative.</param>
internal readonly record struct TemperatureLoss(double OfRows, double Total, double Slope, double Curvature);
