using Ulmfit.Data;
using Ulmfit.Metrics;

namespace Ulmfit.Pipeline.Registry;

/// <summary>Scores of models on labelled rows, by the names of the labels, so that models of different labels compare.</summary>
internal static class Scoring
{
    private const int RowsAtATime = 256;

    /// <summary>What a classifier would answer over HTTP: <c>[rows][labels]</c>.</summary>
    public static async Task<IReadOnlyList<float[]>> PredictAsync(Func<IReadOnlyList<string>, Task<float[][]>> predict, IReadOnlyList<LabeledRow> rows)
    {
        var probabilities = new List<float[]>(rows.Count);
        foreach (LabeledRow[] chunk in rows.Chunk(RowsAtATime))
        {
            probabilities.AddRange(await predict([.. chunk.Select(row => row.Text)]).ConfigureAwait(false));
        }
        return probabilities;
    }

    /// <summary>Scores what a classifier answered. A label that it does not know it cannot get right.</summary>
    public static Scores Of(IReadOnlyList<string> labels, IReadOnlyList<float[]> probabilities, IReadOnlyList<LabeledRow> rows) =>
        // The first of the greatest, as the ranking of an answer.
        Of(rows, [.. probabilities.Select(row => labels[Array.IndexOf(row, row.Max())])]);

    /// <summary>Scores of always answering the class that is most frequent in the training rows (the first in ordinal order among equals).</summary>
    public static Scores OfMostFrequent(IReadOnlyList<LabeledRow> train, IReadOnlyList<LabeledRow> rows)
    {
        string label = train
            .GroupBy(row => row.Label, StringComparer.Ordinal)
            .OrderByDescending(group => group.Count()).ThenBy(group => group.Key, StringComparer.Ordinal)
            .First().Key;
        return Of(rows, [.. Enumerable.Repeat(label, rows.Count)]);
    }

    private static Scores Of(IReadOnlyList<LabeledRow> rows, string[] predicted)
    {
        string[] labels = [.. rows.Select(row => row.Label).Concat(predicted).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        int[] expected = [.. rows.Select(row => IndexOf(labels, row.Label))];
        ClassificationMetrics metrics = ClassificationMetrics.FromPredictions(labels, expected, [.. predicted.Select(label => IndexOf(labels, label))]);
        return new Scores(
            metrics.Accuracy,
            metrics.MacroF1,
            metrics.Count,
            [.. metrics.PerClass.Select(c => new ClassScore(c.Label, c.Precision, c.Recall, c.F1, c.Support))]);
    }

    private static int IndexOf(string[] labels, string label) => Array.BinarySearch(labels, label, StringComparer.Ordinal);
}
