using System.Text.Json.Serialization;

namespace Ulmfit.Metrics;

/// <summary>
/// The scores of a classifier on labelled texts, as scikit-learn defines them (<c>accuracy_score</c>,
/// <c>precision_recall_fscore_support</c>, <c>confusion_matrix</c>, <c>log_loss</c>), with 0 where a share has no base.
/// </summary>
/// <param name="Accuracy">The share of texts whose most probable class is theirs; 0 if there is no text.</param>
/// <param name="MacroF1">The mean F1 of the classes that occur among the labels or the predictions.</param>
/// <param name="LogLoss">The mean negative logarithm of the probability of the true class, in nats; null if only labels were predicted.</param>
/// <param name="Count">How many texts.</param>
/// <param name="PerClass">One entry a class, in the order of the labels.</param>
/// <param name="ConfusionMatrix">[true class][predicted class], how many texts.</param>
public sealed record ClassificationMetrics(
    [property: JsonPropertyName("accuracy")] double Accuracy,
    [property: JsonPropertyName("macroF1")] double MacroF1,
    [property: JsonPropertyName("logLoss")] double? LogLoss,
    [property: JsonPropertyName("count")] int Count,
    [property: JsonPropertyName("perClass")] IReadOnlyList<ClassMetrics> PerClass,
    [property: JsonPropertyName("confusionMatrix")] IReadOnlyList<IReadOnlyList<int>> ConfusionMatrix)
{
    /// <summary>Probabilities below this count as this in the logarithmic loss, so that one certain error is not infinite.</summary>
    private const double SmallestProbability = 1e-15;

    /// <summary>The scores of predicted probabilities; the prediction is the most probable class, of equal ones the first.</summary>
    /// <param name="labels">The names of the classes, by index.</param>
    /// <param name="expected">The true class of each text.</param>
    /// <param name="probabilities">[texts, classes], each row adding up to about 1.</param>
    /// <exception cref="ArgumentException">Sizes do not fit, a class is out of range, or a probability is no number within [0, 1].</exception>
    public static ClassificationMetrics FromProbabilities(
        IReadOnlyList<string> labels, ReadOnlySpan<int> expected, ReadOnlySpan<float> probabilities)
    {
        ArgumentNullException.ThrowIfNull(labels);
        int classes = labels.Count;
        if (probabilities.Length != (long)expected.Length * classes)
        {
            throw new ArgumentException(
                $"{expected.Length} rows of {classes} probabilities were expected, {probabilities.Length} values were given.",
                nameof(probabilities));
        }

        var predicted = new int[expected.Length];
        double loss = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            CheckClass(expected[i], classes, i, nameof(expected));
            ReadOnlySpan<float> row = probabilities.Slice(i * classes, classes);
            predicted[i] = ArgMax(row, i);
            loss -= Math.Log(Math.Clamp(row[expected[i]], SmallestProbability, 1));
        }

        ClassificationMetrics metrics = FromPredictions(labels, expected, predicted);
        return metrics with { LogLoss = expected.Length == 0 ? 0 : loss / expected.Length };
    }

    /// <summary>The scores of predicted classes; there is no logarithmic loss.</summary>
    /// <param name="labels">The names of the classes, by index.</param>
    /// <param name="expected">The true class of each text.</param>
    /// <param name="predicted">The predicted class of each text.</param>
    /// <exception cref="ArgumentException">Sizes do not fit or a class is out of range.</exception>
    public static ClassificationMetrics FromPredictions(
        IReadOnlyList<string> labels, ReadOnlySpan<int> expected, ReadOnlySpan<int> predicted)
    {
        ArgumentNullException.ThrowIfNull(labels);
        if (expected.Length != predicted.Length)
        {
            throw new ArgumentException(
                $"{expected.Length} predictions were expected, {predicted.Length} were given.", nameof(predicted));
        }

        int classes = labels.Count;
        var matrix = new int[classes][];
        for (int c = 0; c < classes; c++)
        {
            matrix[c] = new int[classes];
        }

        int right = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            CheckClass(expected[i], classes, i, nameof(expected));
            CheckClass(predicted[i], classes, i, nameof(predicted));
            matrix[expected[i]][predicted[i]]++;
            right += expected[i] == predicted[i] ? 1 : 0;
        }

        var perClass = new ClassMetrics[classes];
        double sum = 0;
        int present = 0;
        for (int c = 0; c < classes; c++)
        {
            int support = matrix[c].Sum();
            int given = matrix.Sum(row => row[c]);
            int hits = matrix[c][c];
            double f1 = Share(2L * hits, (long)support + given);
            perClass[c] = new ClassMetrics(labels[c], Share(hits, given), Share(hits, support), f1, support);
            if (support + given > 0)
            {
                sum += f1;
                present++;
            }
        }

        return new ClassificationMetrics(
            Share(right, expected.Length), present == 0 ? 0 : sum / present, null, expected.Length, perClass, matrix);
    }

    private static double Share(long part, long whole) => whole == 0 ? 0 : (double)part / whole;

    private static int ArgMax(ReadOnlySpan<float> row, int index)
    {
        int best = 0;
        for (int c = 0; c < row.Length; c++)
        {
            if (!(row[c] >= 0 && row[c] <= 1.0001f))
            {
                throw new ArgumentException($"Row {index}, class {c}: a probability was expected, {row[c]} was found.", nameof(row));
            }

            if (row[c] > row[best])
            {
                best = c;
            }
        }

        return best;
    }

    private static void CheckClass(int c, int classes, int index, string name)
    {
        if ((uint)c >= (uint)classes)
        {
            throw new ArgumentException($"Text {index}: class {c} is outside 0…{classes - 1}.", name);
        }
    }
}
