using System.Globalization;
using System.Text.Json.Serialization;
using Ulmfit.Metrics;

namespace Ulmfit.Cli.Compare;

/// <summary>The score of one seed.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Accuracy">Share of the test rows classified rightly; null where training diverged.</param>
/// <param name="Error">1 − accuracy.</param>
/// <param name="MacroF1">Mean F1 over the classes.</param>
/// <param name="Seconds">Time of training.</param>
/// <param name="WeightsDigest">Digest of the trained weights.</param>
/// <param name="Failure">Why there are no scores.</param>
internal sealed record SeedScore(ulong Seed, double? Accuracy, double? Error, double? MacroF1, double Seconds, string? WeightsDigest, string? Failure)
{
    /// <summary>Its cells in a table of runs: seed, accuracy, macro-F1, seconds, weights.</summary>
    public IReadOnlyList<string> Cells()
    {
        static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "–";
        return
        [
            Seed.ToString(CultureInfo.InvariantCulture), Number(100 * Accuracy, "F2"), Number(MacroF1, "F4"), Number(Seconds, "F0"),
            WeightsDigest is string digest ? $"`{digest}`" : Failure ?? "",
        ];
    }
}

/// <summary>The same training with several seeds, those that diverged left out of the statistics.</summary>
internal sealed class Measurements
{
    public Measurements(IEnumerable<ExperimentResult> results)
    {
        Runs = [.. results.Select(result => new SeedScore(
            result.Seed, result.Test?.Accuracy, 1 - result.Test?.Accuracy, result.Test?.MacroF1, result.Seconds, result.WeightsDigest, result.Failure))];
        Accuracy = StatisticsOf(run => run.Accuracy);
        Error = StatisticsOf(run => run.Error);
        MacroF1 = StatisticsOf(run => run.MacroF1);
        Seconds = StatisticsOf(run => run.Failure is null ? run.Seconds : null);
    }

    public SampleStatistics? Accuracy { get; }

    public SampleStatistics? Error { get; }

    public SampleStatistics? MacroF1 { get; }

    public SampleStatistics? Seconds { get; }

    public IReadOnlyList<SeedScore> Runs { get; }

    /// <summary>Seeds with which training diverged.</summary>
    [JsonIgnore]
    public int Diverged => Runs.Count(run => run.Failure is not null);

    /// <summary>Mean, standard deviation and range as a cell of a table; a single measurement has a mean alone.</summary>
    public static string Cell(SampleStatistics? statistics, double scale, string format)
    {
        string Text(double value) => (value * scale).ToString(format, CultureInfo.InvariantCulture);
        return statistics switch
        {
            null => "–",
            { StandardDeviation: double deviation } => $"{Text(statistics.Mean)} ± {Text(deviation)} ({Text(statistics.Minimum)}–{Text(statistics.Maximum)})",
            _ => Text(statistics.Mean),
        };
    }

    private SampleStatistics? StatisticsOf(Func<SeedScore, double?> value)
    {
        double[] values = [.. Runs.Select(value).OfType<double>()];
        return values.Length == 0 ? null : SampleStatistics.Of(values);
    }
}
