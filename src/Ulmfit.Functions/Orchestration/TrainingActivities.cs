using Microsoft.Azure.Functions.Worker;
using Ulmfit.Pipeline.Steps;

namespace Ulmfit.Functions.Orchestration;

/// <summary>The heavy activity, by itself: a deployment of trainers has this class alone.</summary>
internal sealed class TrainingActivities(EpochStep step)
{
    /// <summary>Trains one epoch of one direction, or a slice of it.</summary>
    [Function(nameof(TrainEpoch))]
    public Task<EpochStepResult> TrainEpoch([ActivityTrigger] EpochStepInput input, FunctionContext context) =>
        step.RunAsync(input, context.CancellationToken);
}
