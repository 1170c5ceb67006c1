using System.Text.Json.Serialization;

namespace Ulmfit.Metrics;

/// <summary>What repeated measurements of one quantity come to, as of one setting over several seeds.</summary>
/// <param name="Count">How many measurements.</param>
/// <param name="Mean">Their mean.</param>
/// <param name="StandardDeviation">Their sample standard deviation (divisor n − 1); null of a single one, which says nothing of spread.</param>
/// <param name="Minimum">The least.</param>
/// <param name="Maximum">The greatest.</param>
public sealed record SampleStatistics(
    [property: JsonPropertyName("count")] int Count,
    [property: JsonPropertyName("mean")] double Mean,
    [property: JsonPropertyName("standardDeviation")] double? StandardDeviation,
    [property: JsonPropertyName("minimum")] double Minimum,
    [property: JsonPropertyName("maximum")] double Maximum)
{
    /// <summary>The statistics of some measurements.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static SampleStatistics Of(params IReadOnlyList<double> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values.Count == 0)
        {
            throw new ArgumentException("At least one measurement was expected.", nameof(values));
        }

        // From the deviations, not from the sum of squares, whose digits cancel; equal values have a spread of exactly zero.
        double first = values[0], mean = first + values.Average(value => value - first);
        double squares = values.Sum(value => (value - mean) * (value - mean));
        return new SampleStatistics(values.Count, mean, values.Count == 1 ? null : Math.Sqrt(squares / (values.Count - 1)), values.Min(), values.Max());
    }
}
