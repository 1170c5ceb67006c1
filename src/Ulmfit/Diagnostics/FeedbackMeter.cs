using System.Diagnostics.Metrics;

namespace Ulmfit.Diagnostics;

/// <summary>Measures what people say back: corrected rows, and texts that are kept for them to label.</summary>
public static class FeedbackMeter
{
    private static readonly Counter<long> Rows = UlmfitMeter.Instance.CreateCounter<long>(
        "ulmfit.feedback.rows", "{row}", "Rows of feedback that were stored.");

    private static readonly Counter<long> Kept = UlmfitMeter.Instance.CreateCounter<long>(
        "ulmfit.uncertain.kept", "{text}", "Uncertain texts that were written down, where that is switched on.");

    private static readonly Counter<long> Lost = UlmfitMeter.Instance.CreateCounter<long>(
        "ulmfit.uncertain.write_failures", "{failure}", "Times that uncertain texts could not be written down; they are tried again.");

    /// <summary>Rows of feedback were stored.</summary>
    /// <param name="model">The model.</param>
    /// <param name="rows">How many rows.</param>
    public static void Record(string model, int rows) => Rows.Add(rows, new KeyValuePair<string, object?>(UlmfitMeter.ModelKey, model));

    /// <summary>Uncertain texts were written down.</summary>
    /// <param name="model">The model.</param>
    /// <param name="texts">How many.</param>
    public static void Keep(string model, int texts) => Kept.Add(texts, new KeyValuePair<string, object?>(UlmfitMeter.ModelKey, model));

    /// <summary>Uncertain texts could not be written down.</summary>
    /// <param name="model">The model.</param>
    public static void Lose(string model) => Lost.Add(1, new KeyValuePair<string, object?>(UlmfitMeter.ModelKey, model));
}
