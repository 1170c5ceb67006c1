using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;
using Ulmfit.Pipeline.Pretrain;

namespace Ulmfit.Functions.Orchestration;

/// <summary>
/// Pretrains a language model slice by slice, one direction after the other, and puts it where trainings look for it; one instance a model.
/// It is told nothing but the name: where to begin it reads from storage, and before it ends it looks again.
/// </summary>
internal static class PretrainOrchestration
{
    /// <summary>The orchestration's name.</summary>
    public const string Name = "Pretrain";

    // Keeps the history short, which is read again at every step.
    private const int StepsOfOneExecution = 100;

    /// <summary>Trains a model to the end, or until it is called off.</summary>
    [Function(Name)]
    public static async Task RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        string name = context.GetInput<string>() ?? throw new InvalidOperationException("The name is missing.");
        ILogger logger = context.CreateReplaySafeLogger(Name);
        try
        {
            PretrainingStepResult result = await context.CallActivityAsync<PretrainingStepResult>(nameof(PretrainingActivities.BeginPretraining), name, Policies.Activity);
            if (result.Ended)
            {
                return;
            }
            for (int step = 0; step < StepsOfOneExecution && result.Next is { } next; step++)
            {
                result = await context.CallActivityAsync<PretrainingStepResult>(TrainingActivityNames.PretrainSlice, next, Policies.Activity);
            }
            if (result.Ended)
            {
                Logs.PretrainingEnded(logger, name);
            }
            else if (result.Next is null)
            {
                await context.CallActivityAsync(nameof(PretrainingActivities.PublishPretrained), name, Policies.Activity);
            }
        }
        catch (TaskFailedException e)
        {
            string error = Policies.Describe(e.FailureDetails, $"PUT /api/pretrained/{name} with the same order goes on");
            Logs.PretrainingFailed(logger, name, error);
            await context.CallActivityAsync(nameof(PretrainingActivities.FailPretraining), new PretrainingFailure(name, error, context.CurrentUtcDateTime), Policies.Activity);
        }

        // Looks again: whoever sent the order once more meanwhile was told that this instance runs.
        context.ContinueAsNew(name);
    }
}
