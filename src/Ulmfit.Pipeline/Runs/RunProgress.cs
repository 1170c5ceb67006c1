using Ulmfit.Training;

namespace Ulmfit.Pipeline.Runs;

/// <summary>
/// Where one direction of a run is within its epoch. Written every few seconds by whoever trains, for people to watch; nothing
/// depends on it.
/// </summary>
/// <param name="Direction">The direction.</param>
/// <param name="Stage">The stage's name.</param>
/// <param name="Epoch">Which epoch of the stage, from 1.</param>
/// <param name="Epochs">Epochs of the stage.</param>
/// <param name="Step">Steps done of the epoch.</param>
/// <param name="Steps">Steps of the epoch.</param>
/// <param name="Loss">Training loss, nats.</param>
/// <param name="LearningRate">Of the highest group.</param>
/// <param name="TokensPerSecond">Speed.</param>
/// <param name="Done">The share of the direction's whole plan that is done, 0 to 1.</param>
/// <param name="RemainingSeconds">How long the direction will still take; null before that can be told.</param>
/// <param name="At">When this was so.</param>
public sealed record RunProgress(
    Direction Direction,
    string Stage,
    int Epoch,
    int Epochs,
    int Step,
    int Steps,
    double Loss,
    double LearningRate,
    double TokensPerSecond,
    double Done,
    double? RemainingSeconds,
    DateTimeOffset At)
{
    /// <summary>Which note of the direction it is, from 1, so that of two the later is known whatever the clocks say.</summary>
    public int Number { get; init; }
}
