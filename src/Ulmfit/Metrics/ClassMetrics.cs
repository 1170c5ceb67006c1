using System.Text.Json.Serialization;

namespace Ulmfit.Metrics;

/// <summary>How well one class is recognised.</summary>
/// <param name="Label">The class.</param>
/// <param name="Precision">Of the texts given this label the share that have it; 0 if none was given it.</param>
/// <param name="Recall">Of the texts that have this label the share that were given it; 0 if none has it.</param>
/// <param name="F1">The harmonic mean of the two; 0 if both are 0.</param>
/// <param name="Support">How many texts have this label.</param>
public sealed record ClassMetrics(
    [property: JsonPropertyName("label")] string Label,
    [property: JsonPropertyName("precision")] double Precision,
    [property: JsonPropertyName("recall")] double Recall,
    [property: JsonPropertyName("f1")] double F1,
    [property: JsonPropertyName("support")] int Support);
