using System.Globalization;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Ulmfit.Pipeline.Steps;
using Ulmfit.Training;

namespace Ulmfit.Functions.Orchestration;

/// <summary>Walks the stage plan of one direction: one activity an epoch, or a slice of one.</summary>
internal static class TrainDirectionOrchestration
{
    /// <summary>The orchestration's name.</summary>
    public const string Name = "TrainDirection";

    // Keeps the history short, which is read again at every step.
    private const int StepsOfOneExecution = 100;

    /// <summary>The id of the instance of a run's direction.</summary>
    /// <param name="run">The run.</param>
    /// <param name="direction">The direction.</param>
    /// <param name="round">1, unless the direction is walked again because a step of it was found damaged.</param>
    public static string InstanceId(string run, Direction direction, int round) =>
        $"train-{run}-{direction.ToString().ToLowerInvariant()}{(round == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $"-{round}"))}";

    /// <summary>Trains from a step on to the plan's end, or until the run is called off.</summary>
    [Function(Name)]
    public static async Task<EpochStepResult?> RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        EpochStepInput input = context.GetInput<EpochStepInput>() ?? throw new InvalidOperationException("The step is missing.");
        for (int step = 0; step < StepsOfOneExecution; step++)
        {
            EpochStepResult result = await context.CallActivityAsync<EpochStepResult>(TrainingActivityNames.TrainEpoch, input, Policies.Activity);
            if (result.Canceled || result.Finished)
            {
                return result;
            }
            input = input with { From = result.Next, Checkpoint = result.Checkpoint };
        }
        context.ContinueAsNew(input);
        return null;
    }
}
