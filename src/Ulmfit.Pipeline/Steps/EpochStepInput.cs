using Ulmfit.Training;

namespace Ulmfit.Pipeline.Steps;

/// <summary>What an epoch step gets: names and digests, no data.</summary>
/// <param name="Run">The run's id.</param>
/// <param name="Direction">The direction.</param>
/// <param name="From">Where to begin.</param>
/// <param name="Checkpoint">The digest of the checkpoint to begin with; null for the training's start.</param>
public sealed record EpochStepInput(string Run, Direction Direction, TrainingPosition From, string? Checkpoint)
{
    /// <summary>The first step of a direction.</summary>
    /// <param name="run">The run's id.</param>
    /// <param name="direction">The direction.</param>
    public static EpochStepInput First(string run, Direction direction) => new(run, direction, default, null);
}

/// <summary>What an epoch step gives.</summary>
/// <param name="Canceled">Whether the run was called off; then nothing was done.</param>
/// <param name="Finished">Whether the direction's plan is done.</param>
/// <param name="Next">Where the next step begins. It is an earlier one where the step found the checkpoint damaged that it was to begin with.</param>
/// <param name="Checkpoint">The digest of the checkpoint that the next step begins with; null when canceled, or for the training's start.</param>
/// <param name="HeldOutLoss">Of an epoch that ended, its loss on held-out text.</param>
/// <param name="Accuracy">Of a classifier's epoch that ended, its accuracy on held-out rows.</param>
public sealed record EpochStepResult(bool Canceled, bool Finished, TrainingPosition Next, string? Checkpoint, double? HeldOutLoss, double? Accuracy);
