using System.Text.Json.Serialization;

namespace Ulmfit.Metrics;

/// <summary>
/// What temperature scaling did for a classifier: the temperature, and how far its probabilities are off without and with it. One number
/// is fitted, so <paramref name="After"/>, measured on the rows of the fit, flatters a little; <paramref name="CrossFitted"/> does not.
/// </summary>
/// <param name="Temperature">T, see <see cref="TemperatureScaling"/>.</param>
/// <param name="Rows">How many rows it was fitted and measured on.</param>
/// <param name="Before">With T = 1.</param>
/// <param name="After">With T, on the rows that it was fitted to.</param>
/// <param name="CrossFitted">
/// Each half of the rows (those at even places and those at odd ones) with the temperature of the other half, both halves measured together;
/// null where there are fewer than two rows.
/// </param>
/// <param name="ErrorByChance">
/// The expected calibration error that so many rows show on average, if every probability is as it should be: with few rows a share of
/// right answers differs from the truth by chance. An error of about this size is none.
/// </param>
public sealed record CalibrationFit(
    [property: JsonPropertyName("temperature")] double Temperature,
    [property: JsonPropertyName("rows")] int Rows,
    [property: JsonPropertyName("before")] CalibrationScores Before,
    [property: JsonPropertyName("after")] CalibrationScores After,
    [property: JsonPropertyName("crossFitted")] CrossFittedScores? CrossFitted,
    [property: JsonPropertyName("errorByChance")] double ErrorByChance)
{
    /// <summary>Fits a temperature to held-out rows; null if there is none.</summary>
    /// <param name="classes">How many classes.</param>
    /// <param name="expected">The true class of each row.</param>
    /// <param name="probabilities">[rows, classes], what the classifier gives without a temperature, each row adding up to about 1.</param>
    /// <exception cref="ArgumentException">Sizes do not fit, or a class is out of range.</exception>
    public static CalibrationFit? Of(int classes, ReadOnlySpan<int> expected, ReadOnlySpan<float> probabilities)
    {
        double temperature = TemperatureScaling.Fit(classes, expected, probabilities);
        if (expected.IsEmpty)
        {
            return null;
        }

        float[] scaled = Scaled(classes, probabilities, _ => temperature);
        return new CalibrationFit(
            temperature,
            expected.Length,
            CalibrationScores.Of(classes, expected, probabilities),
            CalibrationScores.Of(classes, expected, scaled),
            Cross(classes, expected, probabilities),
            ByChance(classes, scaled, expected.Length));
    }

    /// <summary>Fits a temperature to held-out rows, and scales what the classifier says of them with it; null if there is none.</summary>
    /// <param name="labels">The labels in the order of the probabilities.</param>
    /// <param name="expected">The label of each row.</param>
    /// <param name="probabilities">What the classifier gives without a temperature: <c>[rows][labels]</c>. Afterwards, what it gives with it.</param>
    /// <exception cref="ArgumentException">Sizes do not fit, or a row has a label that is not among the labels.</exception>
    public static CalibrationFit? Calibrate(IReadOnlyList<string> labels, IEnumerable<string> expected, IReadOnlyList<float[]> probabilities)
    {
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(expected);
        ArgumentNullException.ThrowIfNull(probabilities);
        Dictionary<string, int> classOf = labels.Select((label, index) => (label, index)).ToDictionary(pair => pair.label, pair => pair.index, StringComparer.Ordinal);
        CalibrationFit? fit = Of(
            labels.Count,
            [.. expected.Select(label => classOf.TryGetValue(label, out int found) ? found : throw new ArgumentException($"The model does not know the label '{label}'.", nameof(expected)))],
            [.. probabilities.SelectMany(row => row)]);
        if (fit is not null)
        {
            foreach (float[] row in probabilities)
            {
                TemperatureScaling.Apply(row, fit.Temperature);
            }
        }

        return fit;
    }

    private static CrossFittedScores? Cross(int classes, ReadOnlySpan<int> expected, ReadOnlySpan<float> probabilities)
    {
        if (expected.Length < 2)
        {
            return null;
        }

        double even = FitOfHalf(classes, expected, probabilities, 0), odd = FitOfHalf(classes, expected, probabilities, 1);
        CalibrationScores scores = CalibrationScores.Of(classes, expected, Scaled(classes, probabilities, row => row % 2 == 0 ? odd : even));
        return new CrossFittedScores(scores.ExpectedError, scores.LogLoss, [even, odd]);
    }

    private static double FitOfHalf(int classes, ReadOnlySpan<int> expected, ReadOnlySpan<float> probabilities, int half)
    {
        var classesOfHalf = new List<int>();
        var rowsOfHalf = new List<float>();
        for (int row = half; row < expected.Length; row += 2)
        {
            classesOfHalf.Add(expected[row]);
            rowsOfHalf.AddRange(probabilities.Slice(row * classes, classes));
        }

        return TemperatureScaling.Fit(classes, [.. classesOfHalf], [.. rowsOfHalf]);
    }

    private static float[] Scaled(int classes, ReadOnlySpan<float> probabilities, Func<int, double> temperatureOf)
    {
        float[] scaled = probabilities.ToArray();
        for (int row = 0; row * classes < scaled.Length; row++)
        {
            TemperatureScaling.Apply(scaled.AsSpan(row * classes, classes), temperatureOf(row));
        }

        return scaled;
    }

    // How many of a bin are right is a sum of independent draws; its mean absolute deviation is that of a normal one, √(2/π) · σ.
    private static double ByChance(int classes, ReadOnlySpan<float> probabilities, int rows)
    {
        var variances = new double[Calibration.DefaultBins];
        for (int row = 0; row < rows; row++)
        {
            double greatest = 0;
            foreach (float probability in probabilities.Slice(row * classes, classes))
            {
                greatest = Math.Max(greatest, Math.Min(1, probability));
            }

            variances[Calibration.BinOf(greatest, variances.Length)] += greatest * (1 - greatest);
        }

        return variances.Sum(variance => Math.Sqrt(2 / Math.PI * variance)) / rows;
    }
}

/// <summary>How far probabilities are off.</summary>
/// <param name="ExpectedError">Expected calibration error over <see cref="Calibration.DefaultBins"/> bins of equal width.</param>
/// <param name="LogLoss">Mean negative logarithm of the probability of the true class, in nats.</param>
public sealed record CalibrationScores(
    [property: JsonPropertyName("expectedError")] double ExpectedError,
    [property: JsonPropertyName("logLoss")] double LogLoss)
{
    internal static CalibrationScores Of(int classes, ReadOnlySpan<int> expected, ReadOnlySpan<float> probabilities)
    {
        string[] labels = [.. Enumerable.Range(0, classes).Select(c => c.ToString(System.Globalization.CultureInfo.InvariantCulture))];
        return new CalibrationScores(
            Calibration.FromProbabilities(classes, expected, probabilities).ExpectedError,
            ClassificationMetrics.FromProbabilities(labels, expected, probabilities).LogLoss ?? 0);
    }
}

/// <summary>How far probabilities are off whose temperature was fitted to other rows.</summary>
/// <param name="ExpectedError">Expected calibration error over <see cref="Calibration.DefaultBins"/> bins of equal width.</param>
/// <param name="LogLoss">Mean negative logarithm of the probability of the true class, in nats.</param>
/// <param name="Temperatures">The temperature of the rows at even places, then that of the rows at odd ones.</param>
public sealed record CrossFittedScores(
    [property: JsonPropertyName("expectedError")] double ExpectedError,
    [property: JsonPropertyName("logLoss")] double LogLoss,
    [property: JsonPropertyName("temperatures")] IReadOnlyList<double> Temperatures);
