using Ulmfit.Pipeline.Runs;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Steps;

/// <summary>
/// That a step has been done, and what came of it. Written once, by put-if-absent, under a name made of run, direction and the position
/// it began at: the single point at which the step's effect takes place.
/// </summary>
/// <param name="Run">The run.</param>
/// <param name="Direction">The direction.</param>
/// <param name="From">Where the step began.</param>
/// <param name="Input">The digest of the checkpoint it began with; null for the training's start.</param>
/// <param name="Next">Where the next step begins.</param>
/// <param name="Finished">Whether there is no next step.</param>
/// <param name="Checkpoint">The digest of the checkpoint it ended with.</param>
/// <param name="Epoch">The epoch it ended, if it ended one.</param>
/// <param name="Engine">The engine that trained.</param>
public sealed record StepManifest(
    string Run,
    Direction Direction,
    TrainingPosition From,
    string? Input,
    TrainingPosition Next,
    bool Finished,
    string Checkpoint,
    EpochRecord? Epoch,
    string Engine)
{
    /// <summary>All that was measured of the epoch it ended, with its curve; null where it ended none.</summary>
    public EpochMetrics? Metrics { get; init; }

    /// <summary>How long the step trained.</summary>
    public double Seconds { get; init; }
}
