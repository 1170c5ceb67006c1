using System.Diagnostics.Metrics;

namespace Ulmfit.Diagnostics;

/// <summary>Measures how far what is asked today is from what a model was trained on.</summary>
public static class DriftMeter
{
    private static readonly Gauge<double> PopulationStability = UlmfitMeter.Instance.CreateGauge<double>(
        "ulmfit.drift.population_stability", "1", "Population stability index of the predicted classes of the day against those of the held-out rows.");

    private static readonly Gauge<double> UnknownWords = UlmfitMeter.Instance.CreateGauge<double>(
        "ulmfit.drift.unknown_words", "1", "The share of the day's words that the vocabulary does not know.");

    private static readonly Counter<long> Alarms = UlmfitMeter.Instance.CreateCounter<long>(
        "ulmfit.drift.alarms", "{alarm}", "Times that a threshold of drift was passed.");

    /// <summary>The drift of the day so far.</summary>
    /// <param name="model">The version that answers.</param>
    /// <param name="populationStability">Population stability index; 0 is no drift.</param>
    /// <param name="unknownWords">The share of unknown words, 0 to 1.</param>
    public static void Record(ModelAttributes model, double populationStability, double unknownWords)
    {
        ArgumentNullException.ThrowIfNull(model);
        PopulationStability.Record(populationStability, model.ModelTag, model.VersionTag);
        UnknownWords.Record(unknownWords, model.ModelTag, model.VersionTag);
    }

    /// <summary>A threshold was passed.</summary>
    /// <param name="model">The version that answers.</param>
    public static void Alarm(ModelAttributes model)
    {
        ArgumentNullException.ThrowIfNull(model);
        Alarms.Add(1, model.ModelTag, model.VersionTag);
    }
}
