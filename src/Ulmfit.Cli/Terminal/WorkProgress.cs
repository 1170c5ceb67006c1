using Ulmfit.Training;

namespace Ulmfit.Cli.Terminal;

/// <summary>How far a work is.</summary>
/// <param name="Name">What is done as a whole.</param>
/// <param name="Lanes">What is trained at the moment, each by itself.</param>
/// <param name="Done">The share of the whole that is done, 0 to 1; null where nobody knows.</param>
/// <param name="Left">How long the whole will still take; null where nobody knows.</param>
internal sealed record WorkProgress(string Name, IReadOnlyList<Lane> Lanes, double? Done, TimeSpan? Left)
{
    /// <summary>What holds the work up; null for nothing.</summary>
    public string? Obstacle { get; init; }
}

/// <summary>A training within a work.</summary>
/// <param name="Name">Its name, the same as long as it lasts.</param>
/// <param name="Place">Where it is: stage and epoch.</param>
/// <param name="Phase">Losses of one phase go into one curve; with another the curve begins anew.</param>
/// <param name="Step">Steps done of <paramref name="Steps"/>.</param>
/// <param name="Steps">Steps of the epoch, or of all.</param>
/// <param name="Loss">Mean training loss, in nats.</param>
/// <param name="LearningRate">Of the highest group.</param>
/// <param name="TokensPerSecond">Speed.</param>
internal sealed record Lane(string Name, string Place, string Phase, int Step, int Steps, double Loss, double LearningRate, double TokensPerSecond)
{
    /// <summary>The lane of a direction of a training.</summary>
    public static Lane Of(Direction direction, StageKind kind, TrainingProgress step) => new(
        direction.Name(), $"{step.Stage}  epoch {step.Epoch}/{step.Epochs}", $"{direction.Name()} {kind}", step.Step, step.Steps, step.Loss, step.LearningRate, step.TokensPerSecond);
}
