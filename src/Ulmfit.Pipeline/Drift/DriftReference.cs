using Ulmfit.Data;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Drift;

/// <summary>What the texts that a model is asked about are held against: part of its card.</summary>
/// <param name="Source">Which rows the classes are counted of.</param>
/// <param name="Classes">How many of them the model gives each label, in the order of its labels.</param>
/// <param name="TrainingUnknownRate">
/// The share of unknown words in the text that it was trained on. The vocabulary was made of that text, so it is lower than in other
/// text of the same kind.
/// </param>
/// <param name="HeldOutUnknownRate">The same of the held-out rows, which the vocabulary does not come from; null where there is none.</param>
public sealed record DriftReference(DriftSource Source, IReadOnlyList<ClassFrequency> Classes, double TrainingUnknownRate, double? HeldOutUnknownRate)
{
    /// <summary>What the unknown words of a day are held against: the held-out rows where there are some.</summary>
    public double UnknownRate() => HeldOutUnknownRate ?? TrainingUnknownRate;

    /// <summary>The reference of a model that was just trained.</summary>
    /// <param name="data">What it was trained on.</param>
    /// <param name="train">The same as rows.</param>
    /// <param name="probabilities">What it says of the held-out rows: <c>[rows][labels]</c>.</param>
    internal static DriftReference Of(TrainingData data, IReadOnlyList<LabeledRow> train, IReadOnlyList<float[]> probabilities)
    {
        bool measured = probabilities.Count > 0;
        ILookup<string, int> given = measured
            ? probabilities.ToLookup(row => data.Labels[Array.IndexOf(row, row.Max())], _ => 1, StringComparer.Ordinal)
            : train.ToLookup(row => row.Label, _ => 1, StringComparer.Ordinal);
        return new DriftReference(
            measured ? DriftSource.HeldOut : DriftSource.Training,
            [.. data.Labels.Select(label => new ClassFrequency(label, given[label].Count()))],
            Vocabulary.UnknownRate(data.LanguageModelTexts),
            measured ? Vocabulary.UnknownRate(data.HeldOut.Select(document => document.Tokens)) : null);
    }
}

/// <summary>Which rows a reference is made of.</summary>
public enum DriftSource
{
    /// <summary>Rows that the model was not trained on, with the labels that it gives them.</summary>
    HeldOut,

    /// <summary>Rows that it was trained on, with the labels that they have: no row was held out.</summary>
    Training,
}

/// <summary>How often a label is given.</summary>
/// <param name="Label">The label.</param>
/// <param name="Count">How many rows or texts.</param>
public sealed record ClassFrequency(string Label, long Count);
