using Ulmfit.Training;

namespace Ulmfit.Pipeline.Pretrain;

/// <summary>What a step of pretraining gets: names and digests, no data.</summary>
/// <param name="Name">The name of the model.</param>
/// <param name="Direction">The direction.</param>
/// <param name="From">Where to begin.</param>
/// <param name="Checkpoint">The digest of the checkpoint to begin with; null for the direction's start.</param>
public sealed record PretrainingStepInput(string Name, Direction Direction, TrainingPosition From, string? Checkpoint)
{
    /// <summary>The first step of a direction.</summary>
    /// <param name="name">The name of the model.</param>
    /// <param name="direction">The direction.</param>
    public static PretrainingStepInput First(string name, Direction direction) => new(name, direction, default, null);
}

/// <summary>What comes after a step of pretraining.</summary>
/// <param name="Ended">Whether the pretraining was called off or has ended otherwise; then nothing was done.</param>
/// <param name="Next">The next step; null when all directions are trained or the pretraining has ended.</param>
public sealed record PretrainingStepResult(bool Ended, PretrainingStepInput? Next);

/// <summary>
/// That a step has been done, and what came of it. Written once, by put-if-absent, under a name made of model, direction and the position
/// it began at: the single point at which the step's effect takes place.
/// </summary>
/// <param name="Direction">The direction.</param>
/// <param name="From">Where the step began.</param>
/// <param name="Next">Where the next step begins.</param>
/// <param name="Finished">Whether the direction is trained.</param>
/// <param name="Checkpoint">The digest of the checkpoint it ended with.</param>
/// <param name="Metrics">What was measured.</param>
internal sealed record PretrainingStepManifest(Direction Direction, TrainingPosition From, TrainingPosition Next, bool Finished, string Checkpoint, PretrainingMetrics Metrics);
