using Ulmfit.Metrics;

namespace Ulmfit.Training;

/// <summary>Scores of a classifier's answers to held-out documents.</summary>
internal static class HeldOutScoring
{
    /// <summary>Mean cross-entropy, accuracy and macro-F1; nothing where there are no documents.</summary>
    /// <param name="documents">The documents with their classes.</param>
    /// <param name="probabilities">The answers <c>[documents, classes]</c>.</param>
    /// <param name="labels">The classes.</param>
    public static HeldOutScore Of(IReadOnlyList<Document> documents, ReadOnlySpan<float> probabilities, IReadOnlyList<string> labels)
    {
        if (documents.Count == 0)
        {
            return default;
        }

        double loss = 0;
        var predicted = new int[documents.Count];
        for (int row = 0; row < documents.Count; row++)
        {
            ReadOnlySpan<float> scores = probabilities.Slice(row * labels.Count, labels.Count);
            loss -= PortableLogarithm.Of(Math.Max(scores[documents[row].Label], float.Epsilon));
            predicted[row] = ArgMax(scores);
        }

        ClassificationMetrics metrics = ClassificationMetrics.FromPredictions(labels, documents.Select(document => document.Label).ToArray(), predicted);
        return new HeldOutScore(loss / documents.Count, null, metrics.Accuracy, metrics.MacroF1);
    }

    /// <summary>The first of the greatest scores.</summary>
    public static int ArgMax(ReadOnlySpan<float> scores)
    {
        int best = 0;
        for (int i = 1; i < scores.Length; i++)
        {
            best = scores[i] > scores[best] ? i : best;
        }

        return best;
    }
}
