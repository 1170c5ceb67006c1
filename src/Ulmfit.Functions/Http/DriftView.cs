using Ulmfit.Metrics;
using Ulmfit.Pipeline.Drift;
using Ulmfit.Pipeline.Registry;

namespace Ulmfit.Functions.Http;

/// <summary>Drift as the API tells it.</summary>
/// <param name="Model">The model.</param>
/// <param name="Version">The version that was asked.</param>
/// <param name="Thresholds">From where on there is an alarm.</param>
/// <param name="Reference">What days are held against; null for a model that was published before there was a reference.</param>
/// <param name="Days">The days on which something was asked, newest first, in UTC; today's is not over.</param>
internal sealed record DriftView(string Model, int Version, DriftThresholds Thresholds, DriftReferenceView? Reference, IReadOnlyList<DriftDay> Days)
{
    public static DriftView Of(ModelCard card, DriftOptions options, IReadOnlyList<DriftDay> days) => new(
        card.Model,
        card.Version,
        new DriftThresholds(options.PopulationStability, options.UnknownWords, options.MinimumTexts),
        card.Reference is { } reference ? DriftReferenceView.Of(reference) : null,
        days);
}

/// <summary>From where on there is an alarm.</summary>
internal sealed record DriftThresholds(double PopulationStability, double UnknownWords, int MinimumTexts);

/// <summary>What days are held against.</summary>
internal sealed record DriftReferenceView(DriftSource Source, long Rows, double TrainingUnknownRate, double? HeldOutUnknownRate, IReadOnlyList<ReferenceClass> Classes)
{
    public static DriftReferenceView Of(DriftReference reference)
    {
        double[] shares = PopulationStability.SharesOf([.. reference.Classes.Select(frequency => frequency.Count)]);
        return new DriftReferenceView(
            reference.Source,
            reference.Classes.Sum(frequency => frequency.Count),
            reference.TrainingUnknownRate,
            reference.HeldOutUnknownRate,
            [.. reference.Classes.Select((frequency, c) => new ReferenceClass(frequency.Label, frequency.Count, shares[c]))]);
    }
}

/// <summary>A label of the reference, with its share, of which none is 0.</summary>
internal sealed record ReferenceClass(string Label, long Count, double Share);
