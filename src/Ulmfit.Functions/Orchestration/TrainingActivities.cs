using Microsoft.Azure.Functions.Worker;
using Ulmfit.Pipeline.Pretrain;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Pipeline.Steps;

namespace Ulmfit.Functions.Orchestration;

/// <summary>The heavy activities, by themselves: a deployment of trainers has this class alone.</summary>
internal sealed class TrainingActivities(EpochStep step, PretrainingStep pretraining, RunWaits waits)
{
    /// <summary>Trains one epoch of one direction, or a slice of it.</summary>
    [Function(TrainingActivityNames.TrainEpoch)]
    public Task<EpochStepResult> TrainEpoch([ActivityTrigger] EpochStepInput input, FunctionContext context) =>
        waits.WatchAsync(RunId.Parse(input.Run).Dataset, $"{nameof(TrainEpoch)} {input.Direction}", () => step.RunAsync(input, context.CancellationToken));

    /// <summary>Trains one slice of one direction of a language model.</summary>
    [Function(TrainingActivityNames.PretrainSlice)]
    public Task<PretrainingStepResult> PretrainSlice([ActivityTrigger] PretrainingStepInput input, FunctionContext context) =>
        pretraining.RunAsync(input, context.CancellationToken);
}
