using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Pipeline.Steps;
using Ulmfit.Training;

namespace Ulmfit.Functions.Orchestration;

/// <summary>
/// From drops to a published model; one instance a data set. It is told nothing: what there is to do it reads from storage, before it
/// begins and again before it ends.
/// </summary>
internal static class RetrainOrchestration
{
    /// <summary>The orchestration's name.</summary>
    public const string Name = "Retrain";

    // Drops that come in for ever must not keep the first of them from being trained for ever.
    private const int MaxSettleRounds = 40;

    // Each time the champion was changed by hand in the seconds between evaluation and promotion, or storage damaged what was evaluated.
    private const int MaxEvaluations = 10;

    // Each time storage damaged what had been trained, after all of it was.
    private const int MaxTrainings = 10;

    /// <summary>Does all there is to do for a data set.</summary>
    [Function(Name)]
    public static async Task RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        string dataset = context.GetInput<string>() ?? throw new InvalidOperationException("The data set is missing.");
        ILogger logger = context.CreateReplaySafeLogger(Name);
        if (!await SettleAsync(context, dataset))
        {
            return;
        }
        RunTicket ticket;
        try
        {
            PreparedDataset prepared = await context.CallActivityAsync<PreparedDataset>(nameof(DatasetActivities.PrepareDataset), dataset, Policies.Activity);
            ticket = await context.CallActivityAsync<RunTicket>(nameof(RunActivities.BeginRun), prepared, Policies.Activity);
        }
        catch (TaskFailedException e)
        {
            // The timer looks again in a while: what is there to do is still there.
            string error = Policies.Describe(e.FailureDetails, TrainAgain(dataset));
            Logs.NotBegun(logger, dataset, error);
            await context.CallActivityAsync(nameof(RunActivities.FailTakenRun), new DatasetFailure(dataset, error, context.CurrentUtcDateTime), Policies.Activity);
            return;
        }
        if (ticket.Run is { } run)
        {
            context.SetCustomStatus(new { run });
            Logs.RunBegins(logger, run, string.Join(", ", ticket.Directions));
            await TrainAndPublishAsync(context, dataset, run, ticket.Directions, logger);
            await TryPurgeAsync(context, dataset, logger);
        }

        // Looks again: whoever came in meanwhile was told that this instance runs.
        context.ContinueAsNew(dataset);
    }

    private static async Task<bool> SettleAsync(TaskOrchestrationContext context, string dataset)
    {
        WorkObservation seen = await ObserveAsync(context, dataset);
        for (int round = 0; seen.NewDrops && round < MaxSettleRounds; round++)
        {
            await context.CreateTimer(seen.Settle, CancellationToken.None);
            WorkObservation now = await ObserveAsync(context, dataset);
            if (now.Fingerprint == seen.Fingerprint)
            {
                return now.HasWork;
            }
            seen = now;
        }
        return seen.HasWork;
    }

    private static Task<WorkObservation> ObserveAsync(TaskOrchestrationContext context, string dataset) =>
        context.CallActivityAsync<WorkObservation>(nameof(DatasetActivities.ObserveDrops), dataset, Policies.Activity);

    private static async Task TrainAndPublishAsync(
        TaskOrchestrationContext context, string dataset, string run, IReadOnlyList<Direction> directions, ILogger logger)
    {
        List<Task<EpochStepResult>> training = [];
        try
        {
            for (int round = 1; round <= MaxTrainings; round++)
            {
                training =
                [
                    .. directions.Select(direction => context.CallSubOrchestratorAsync<EpochStepResult>(
                        TrainDirectionOrchestration.Name,
                        EpochStepInput.First(run, direction),
                        new SubOrchestrationOptions(instanceId: TrainDirectionOrchestration.InstanceId(run, direction, round)))),
                ];
                if (await IsCanceledAsync(training))
                {
                    Logs.RunCanceled(logger, run);
                    await EndAsync(context, new RunEnd(run, RunStatus.Canceled, null));
                    return;
                }
                if (await EvaluateAndPublishAsync(context, run, logger))
                {
                    return;
                }
                Logs.TrainedAgain(logger, run);
            }
            await EndAsync(context, new RunEnd(
                run, RunStatus.Failed, $"What was trained was found damaged {MaxTrainings} times. Check the disk that holds it; {TrainAgain(dataset)}."));
        }
        catch (TaskFailedException e)
        {
            string error = Policies.Describe(e.FailureDetails, TrainAgain(dataset));
            Logs.RunFailed(logger, run, error);

            // Ending the run makes the other direction stop at its next look.
            await EndAsync(context, new RunEnd(run, RunStatus.Failed, error));
            foreach (Task<EpochStepResult> direction in training)
            {
                try
                {
                    await direction;
                }
                catch (TaskFailedException)
                {
                    // The run's first failure has been told.
                }
            }
        }
    }

    // Waits for all directions, and lets the failure of the first that fails through at once.
    private static async Task<bool> IsCanceledAsync(IEnumerable<Task<EpochStepResult>> training)
    {
        var left = new List<Task<EpochStepResult>>(training);
        bool canceled = false;
        while (left.Count > 0)
        {
            Task<EpochStepResult> ended = await Task.WhenAny(left);
            left.Remove(ended);
            canceled |= (await ended).Canceled;
        }
        return canceled;
    }

    // False where a step of the training has to be trained again first.
    private static async Task<bool> EvaluateAndPublishAsync(TaskOrchestrationContext context, string run, ILogger logger)
    {
        for (int attempt = 0; attempt < MaxEvaluations; attempt++)
        {
            EvaluationResult evaluated = await context.CallActivityAsync<EvaluationResult>(nameof(RunActivities.EvaluateCandidate), run, Policies.Activity);
            if (evaluated.TrainAgain)
            {
                return false;
            }
            if (!evaluated.Accepted)
            {
                Logs.RunRejected(logger, run, evaluated.Reason);
                await EndAsync(context, new RunEnd(run, RunStatus.Rejected, null));
                return true;
            }
            PublishResult result = await context.CallActivityAsync<PublishResult>(nameof(RunActivities.PublishModel), evaluated, Policies.Activity);
            if (result.Outcome == PublishOutcome.Canceled)
            {
                Logs.RunCanceled(logger, run);
            }
            if (result.Outcome is PublishOutcome.Published or PublishOutcome.Canceled)
            {
                return true;
            }
        }
        await EndAsync(context, new RunEnd(
            run, RunStatus.Failed,
            $"Between evaluation and publication the champion changed, or what was evaluated was damaged, {MaxEvaluations} times. Find out who changes the champion and check the disk, then start a run again."));
        return true;
    }

    private static string TrainAgain(string dataset) => $"POST /api/datasets/{dataset}/runs trains again";

    private static Task EndAsync(TaskOrchestrationContext context, RunEnd end) =>
        context.CallActivityAsync(nameof(RunActivities.EndRun), end, Policies.Activity);

    private static async Task TryPurgeAsync(TaskOrchestrationContext context, string dataset, ILogger logger)
    {
        try
        {
            await context.CallActivityAsync<int>(nameof(RunActivities.PurgeCheckpoints), dataset, Policies.Activity);
        }
        catch (TaskFailedException e)
        {
            // The next run's purge collects what is left.
            Logs.PurgeFailed(logger, dataset, e.FailureDetails.ErrorMessage);
        }
    }
}
