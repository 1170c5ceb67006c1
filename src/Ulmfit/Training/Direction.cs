using System.Text.Json.Serialization;

namespace Ulmfit.Training;

/// <summary>In which direction a model reads.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Direction>))]
public enum Direction
{
    /// <summary>First token first.</summary>
    [JsonStringEnumMemberName("forward")]
    Forward,

    /// <summary>Last token first: every document is reversed.</summary>
    [JsonStringEnumMemberName("backward")]
    Backward,
}

/// <summary>Which models a run trains; with both, their class probabilities are averaged (Howard &amp; Ruder 2018, 3.3).</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Directions>))]
public enum Directions
{
    /// <summary>A forward model alone.</summary>
    [JsonStringEnumMemberName("forward")]
    Forward,

    /// <summary>A backward model alone.</summary>
    [JsonStringEnumMemberName("backward")]
    Backward,

    /// <summary>One of each.</summary>
    [JsonStringEnumMemberName("both")]
    Both,
}

/// <summary>Helpers over <see cref="Direction"/> and <see cref="Directions"/>.</summary>
public static class DirectionsExtensions
{
    /// <summary>The seed of a direction: the two must not draw the same masks and orders, since their errors are meant to differ.</summary>
    internal static ulong SeedOf(this Direction direction, ulong seed) => direction == Direction.Forward ? seed : seed ^ 0x9E3779B97F4A7C15;

    /// <summary>Tokens in the order in which the direction reads them.</summary>
    internal static int[] Read(this Direction direction, int[] tokens) => direction == Direction.Forward ? tokens : [.. tokens.Reverse()];

    /// <summary>The direction as it is written: <c>forward</c> or <c>backward</c>.</summary>
    public static string Name(this Direction direction) => direction == Direction.Forward ? "forward" : "backward";

    /// <summary>The directions that are trained, forward first.</summary>
    public static IReadOnlyList<Direction> Each(this Directions directions) => directions switch
    {
        Directions.Forward => [Direction.Forward],
        Directions.Backward => [Direction.Backward],
        _ => [Direction.Forward, Direction.Backward],
    };
}
