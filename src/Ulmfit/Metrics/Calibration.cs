using System.Text.Json.Serialization;

namespace Ulmfit.Metrics;

/// <summary>
/// Whether a classifier is right as often as it says: predictions are sorted into bins of equal width by the probability of
/// the predicted class, and in each the mean of it is held against the share of right answers (Guo et al. 2017, On
/// Calibration of Modern Neural Networks, section 2).
/// </summary>
/// <param name="ExpectedError">Expected calibration error: Σ (texts of the bin / texts) · |accuracy − confidence|; 0 if there is no text.</param>
/// <param name="MaximumError">Maximum calibration error: the greatest |accuracy − confidence| of a bin that is not empty.</param>
/// <param name="Bins">The bins, least confident first; empty ones are there too.</param>
public sealed record Calibration(
    [property: JsonPropertyName("expectedError")] double ExpectedError,
    [property: JsonPropertyName("maximumError")] double MaximumError,
    [property: JsonPropertyName("bins")] IReadOnlyList<CalibrationBin> Bins)
{
    /// <summary>The usual number of bins, that of the paper.</summary>
    public const int DefaultBins = 15;

    /// <summary>The calibration of predicted probabilities; the prediction is the most probable class, of equal ones the first.</summary>
    /// <param name="classes">How many classes.</param>
    /// <param name="expected">The true class of each text.</param>
    /// <param name="probabilities">[texts, classes], each row adding up to about 1.</param>
    /// <param name="bins">How many bins, at least 1.</param>
    /// <exception cref="ArgumentException">Sizes do not fit.</exception>
    public static Calibration FromProbabilities(int classes, ReadOnlySpan<int> expected, ReadOnlySpan<float> probabilities, int bins = DefaultBins)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bins, 1);
        if (probabilities.Length != (long)expected.Length * classes)
        {
            throw new ArgumentException(
                $"{expected.Length} rows of {classes} probabilities were expected, {probabilities.Length} values were given.", nameof(probabilities));
        }

        int[] counts = new int[bins], right = new int[bins];
        var confidences = new double[bins];
        for (int i = 0; i < expected.Length; i++)
        {
            ReadOnlySpan<float> row = probabilities.Slice(i * classes, classes);
            int predicted = 0;
            for (int c = 1; c < classes; c++)
            {
                predicted = row[c] > row[predicted] ? c : predicted;
            }

            int bin = BinOf(row[predicted], bins);
            counts[bin]++;
            right[bin] += predicted == expected[i] ? 1 : 0;
            confidences[bin] += row[predicted];
        }

        var found = new CalibrationBin[bins];
        double sum = 0, greatest = 0;
        for (int bin = 0; bin < bins; bin++)
        {
            double confidence = counts[bin] == 0 ? 0 : confidences[bin] / counts[bin], accuracy = counts[bin] == 0 ? 0 : (double)right[bin] / counts[bin];
            found[bin] = new CalibrationBin((double)bin / bins, (double)(bin + 1) / bins, counts[bin], confidence, accuracy);
            sum += counts[bin] * Math.Abs(accuracy - confidence);
            greatest = Math.Max(greatest, Math.Abs(accuracy - confidence));
        }

        return new Calibration(expected.Length == 0 ? 0 : sum / expected.Length, greatest, found);
    }

    // A bin is (lower, upper], as in the paper; a probability may exceed 1 by rounding.
    internal static int BinOf(double probability, int bins) => Math.Clamp((int)Math.Ceiling(probability * bins) - 1, 0, bins - 1);
}

/// <summary>The texts whose predicted class has a probability within (lower, upper].</summary>
/// <param name="Lower">The lower bound, outside.</param>
/// <param name="Upper">The upper bound, inside.</param>
/// <param name="Count">How many texts.</param>
/// <param name="Confidence">The mean probability of the predicted class; 0 if the bin is empty.</param>
/// <param name="Accuracy">The share of right answers; 0 if the bin is empty.</param>
public sealed record CalibrationBin(
    [property: JsonPropertyName("lower")] double Lower,
    [property: JsonPropertyName("upper")] double Upper,
    [property: JsonPropertyName("count")] int Count,
    [property: JsonPropertyName("confidence")] double Confidence,
    [property: JsonPropertyName("accuracy")] double Accuracy);
