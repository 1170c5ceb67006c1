using System.Text.Json.Serialization;
using Ulmfit.Data;
using Ulmfit.Metrics;

namespace Ulmfit.Reports;

/// <summary>Which rows a model was measured on.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RowsKind>))]
public enum RowsKind
{
    /// <summary>Rows of the training file that were held out; early stopping has seen them.</summary>
    [JsonStringEnumMemberName("held-out")]
    HeldOut,

    /// <summary>Rows that training knew nothing of.</summary>
    [JsonStringEnumMemberName("test")]
    Test,
}

/// <summary>The scores of a finished model on some rows.</summary>
/// <param name="Rows">Which rows.</param>
/// <param name="Source">The file they came from.</param>
/// <param name="Metrics">Accuracy, scores of each class, confusion matrix.</param>
/// <param name="Calibration">Whether it is right as often as it says.</param>
/// <param name="Hardest">The rows with the highest loss, hardest first.</param>
public sealed record RowScores(RowsKind Rows, string? Source, ClassificationMetrics Metrics, Calibration Calibration, IReadOnlyList<HardExample> Hardest)
{
    /// <summary>The scores of probabilities.</summary>
    /// <param name="rows">Which rows.</param>
    /// <param name="source">The file they came from.</param>
    /// <param name="labels">The labels in the order of the probabilities.</param>
    /// <param name="measured">The rows.</param>
    /// <param name="probabilities">What the model gave for each row: <c>[rows][labels]</c>.</param>
    /// <param name="hardest">How many of the hardest rows are kept with their text.</param>
    /// <exception cref="ArgumentException">A row has a label that is not among the labels, or sizes do not fit.</exception>
    public static RowScores Of(
        RowsKind rows, string? source, IReadOnlyList<string> labels, IReadOnlyList<LabeledRow> measured, IReadOnlyList<float[]> probabilities, int hardest)
    {
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(measured);
        ArgumentNullException.ThrowIfNull(probabilities);
        Dictionary<string, int> classOf = labels.Select((label, index) => (label, index)).ToDictionary(pair => pair.label, pair => pair.index, StringComparer.Ordinal);
        int[] expected = [.. measured.Select(row => classOf.TryGetValue(row.Label, out int found)
            ? found
            : throw new ArgumentException($"The model does not know the label '{row.Label}'.", nameof(measured)))];
        float[] flat = [.. probabilities.SelectMany(row => row)];
        return new RowScores(
            rows, source, ClassificationMetrics.FromProbabilities(labels, expected, flat), Calibration.FromProbabilities(labels.Count, expected, flat),
            [
                .. Enumerable.Range(0, measured.Count)
                    .OrderBy(row => probabilities[row][expected[row]])
                    .Take(hardest)
                    .Select(row => HardExample.Of(labels, measured[row].Text, expected[row], probabilities[row])),
            ]);
    }
}

/// <summary>A row with a high loss.</summary>
/// <param name="Text">The text, or its first <see cref="LongestText"/> characters.</param>
/// <param name="Label">The label it has.</param>
/// <param name="Predicted">The label it was given.</param>
/// <param name="Probability">The probability of the label it was given.</param>
/// <param name="LabelProbability">The probability of the label it has.</param>
/// <param name="Loss">−ln of that, in nats.</param>
public sealed record HardExample(string Text, string Label, string Predicted, double Probability, double LabelProbability, double Loss)
{
    /// <summary>The most characters of a text that are kept.</summary>
    public const int LongestText = 1000;

    private const double SmallestProbability = 1e-15;

    internal static HardExample Of(IReadOnlyList<string> labels, string text, int label, float[] probabilities)
    {
        // The first of the greatest, as in the metrics.
        int predicted = Array.IndexOf(probabilities, probabilities.Max());
        return new HardExample(
            Cut(text), labels[label], labels[predicted], probabilities[predicted], probabilities[label], -Math.Log(Math.Clamp(probabilities[label], SmallestProbability, 1)));
    }

    private static string Cut(string text)
    {
        if (text.Length <= LongestText)
        {
            return text;
        }

        int end = char.IsHighSurrogate(text[LongestText - 1]) ? LongestText - 1 : LongestText;
        return text[..end] + "…";
    }
}
