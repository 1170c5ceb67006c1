using System.Diagnostics.Metrics;

namespace Ulmfit.Diagnostics;

/// <summary>
/// The one meter of the product. Names and units follow OpenTelemetry's conventions (lower case, parts by dots, seconds, what is counted in
/// braces); attributes are few and bounded: a model, a version, a direction, a phase, an outcome, never a text, a label or an address.
/// While nobody listens, a measurement costs next to nothing.
/// </summary>
public static class UlmfitMeter
{
    /// <summary>The name to listen to.</summary>
    public const string Name = "Ulmfit";

    internal const string ModelKey = "ulmfit.model.name";
    internal const string VersionKey = "ulmfit.model.version";
    internal const string OutcomeKey = "ulmfit.outcome";
    internal const string DirectionKey = "ulmfit.direction";
    internal const string PhaseKey = "ulmfit.phase";
    internal const string SetKey = "ulmfit.set";

    /// <summary>The meter.</summary>
    internal static Meter Instance { get; } = new(Name);

    /// <summary>Seconds of what takes milliseconds: the bounds that OpenTelemetry advises for HTTP, with three below them.</summary>
    internal static InstrumentAdvice<double> Quick { get; } =
        new() { HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] };

    /// <summary>Seconds of what takes minutes to hours.</summary>
    internal static InstrumentAdvice<double> Slow { get; } =
        new() { HistogramBucketBoundaries = [1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 28800, 86400] };
}
