using Microsoft.Azure.Functions.Worker;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Pipeline.Steps;

namespace Ulmfit.Functions.Orchestration;

/// <summary>The light activities of a run.</summary>
internal sealed class RunActivities(
    RunStart start, RunRegistry runs, CandidateEvaluation evaluation, ModelPublishing publishing, CheckpointPurge purge, RunWaits waits)
{
    /// <summary>Begins the run that there is to do, if there is one.</summary>
    [Function(nameof(BeginRun))]
    public Task<RunTicket> BeginRun([ActivityTrigger] PreparedDataset prepared, FunctionContext context) =>
        waits.WatchAsync(prepared.Dataset, nameof(BeginRun), () => start.BeginAsync(prepared, context.CancellationToken));

    /// <summary>Exports and measures what was trained, and compares it with the champion.</summary>
    [Function(nameof(EvaluateCandidate))]
    public Task<EvaluationResult> EvaluateCandidate([ActivityTrigger] string run, FunctionContext context) =>
        waits.WatchAsync(RunId.Parse(run).Dataset, nameof(EvaluateCandidate), () => evaluation.RunAsync(run, context.CancellationToken));

    /// <summary>Publishes the model and makes it the champion.</summary>
    [Function(nameof(PublishModel))]
    public Task<PublishResult> PublishModel([ActivityTrigger] EvaluationResult evaluated, FunctionContext context) =>
        waits.WatchAsync(RunId.Parse(evaluated.Run).Dataset, nameof(PublishModel), () => publishing.RunAsync(evaluated, context.CancellationToken));

    /// <summary>Ends a run that publishes nothing.</summary>
    [Function(nameof(EndRun))]
    public Task EndRun([ActivityTrigger] RunEnd end, FunctionContext context)
    {
        RunId id = RunId.Parse(end.Run);
        return waits.WatchAsync(id.Dataset, nameof(EndRun), () => runs.FinishAsync(id, end.Status, run => run with { Error = end.Error }, context.CancellationToken));
    }

    /// <summary>Ends the run that has been taken for a data set, if there is one, when it cannot even begin.</summary>
    [Function(nameof(FailTakenRun))]
    public async Task FailTakenRun([ActivityTrigger] DatasetFailure failure, FunctionContext context)
    {
        if (await runs.FindActiveAsync(failure.Dataset, context.CancellationToken) is { } run && (failure.At is null || run.CreatedAt <= failure.At))
        {
            await runs.FinishAsync(run.GetId(), RunStatus.Failed, taken => taken with { Error = failure.Error }, context.CancellationToken);
        }
    }

    /// <summary>Deletes what ended runs no longer need.</summary>
    [Function(nameof(PurgeCheckpoints))]
    public Task<int> PurgeCheckpoints([ActivityTrigger] string dataset, FunctionContext context) =>
        purge.RunAsync(dataset, context.CancellationToken);
}

/// <summary>Why nothing can be begun for a data set.</summary>
/// <param name="Dataset">The data set.</param>
/// <param name="Error">Why, and what to do.</param>
/// <param name="At">When: a run that was taken later has not failed by it. Null in orchestrations that an earlier version began.</param>
internal sealed record DatasetFailure(string Dataset, string Error, DateTimeOffset? At = null);

/// <summary>How a run ends that publishes nothing.</summary>
/// <param name="Run">The run's id.</param>
/// <param name="Status">How it ended.</param>
/// <param name="Error">Why it failed and what to do.</param>
internal sealed record RunEnd(string Run, RunStatus Status, string? Error);
