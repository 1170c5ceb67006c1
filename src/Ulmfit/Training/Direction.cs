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

/// <summary>Helpers over <see cref="Directions"/>.</summary>
public static class DirectionsExtensions
{
    /// <summary>The directions that are trained, forward first.</summary>
    public static IReadOnlyList<Direction> Each(this Directions directions) => directions switch
    {
        Directions.Forward => [Direction.Forward],
        Directions.Backward => [Direction.Backward],
        _ => [Direction.Forward, Direction.Backward],
    };
}
