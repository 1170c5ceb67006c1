using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Ulmfit.Functions.Orchestration;
using Ulmfit.Pipeline.Runs;

namespace Ulmfit.Functions.Http;

/// <summary>Runs: how they stand, and calling them off.</summary>
internal sealed class RunsApi(ApiGuard guard, RunRegistry runs, RunWaits waits, RunEvents events, Admission admission)
{
    /// <summary>All runs, newest first; <c>?dataset=</c> for those of one data set.</summary>
    [Function("GetRuns")]
    public Task<IResult> GetRuns([HttpTrigger(AuthorizationLevel.Function, "get", Route = "api/runs")] HttpRequest request) =>
        guard.HandleAsync(request, async ct =>
        {
            string? dataset = request.Query["dataset"];
            if (dataset is not null)
            {
                RouteNames.CheckDataset(dataset);
            }
            var found = new List<RunView>();
            await foreach (RunState state in runs.ListStatesAsync(dataset, ct))
            {
                // Of many runs, the plans would be most of the answer.
                found.Add(View(state) with { Plan = [] });
            }
            return ApiJson.Result(new { runs = found.OrderByDescending(run => run.CreatedAt).ThenByDescending(run => run.Id, StringComparer.Ordinal) });
        });

    /// <summary>One run.</summary>
    [Function("GetRun")]
    public Task<IResult> GetRun([HttpTrigger(AuthorizationLevel.Function, "get", Route = "api/runs/{id}")] HttpRequest request, string id) =>
        guard.HandleAsync(request, async ct => ApiJson.Result(View(await FindAsync(id, ct))));

    /// <summary>
    /// One run as server-sent events: as it stands, then whenever it has changed, until it has ended. To a caller that says by
    /// <c>Last-Event-ID</c> that it knows the present state only what comes after is told: of a run that has ended, nothing (204).
    /// </summary>
    [Function("GetRunEvents")]
    public Task<IResult> GetRunEvents(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "api/runs/{id}/events")] HttpRequest request, FunctionContext context, string id) =>
        guard.HandleAsync(request, async ct =>
        {
            // The host's own token too: it tells of its stop at once.
            using var end = CancellationTokenSource.CreateLinkedTokenSource(ct, context.CancellationToken);
            using IDisposable place = admission.EnterEvents();
            RunState state = await FindAsync(id, ct);
            long? known = RunEvents.ReadLastEventId(request);
            if (state.Run.Status.IsFinal() && known == state.Revision)
            {
                return Results.NoContent();
            }
            await events.WriteAsync(request.HttpContext, state, known, end.Token);
            return Results.Empty;
        });

    /// <summary>Calls a run off. What is checkpointed stays.</summary>
    [Function("DeleteRun")]
    public Task<IResult> DeleteRun(
        [HttpTrigger(AuthorizationLevel.Function, "delete", Route = "api/runs/{id}")] HttpRequest request, [DurableClient] DurableTaskClient client, string id) =>
        guard.HandleAsync(request, async ct =>
        {
            RunState state = await FindAsync(id, ct);
            RunManifest run = state.Run;
            if (run.Status.IsFinal() && run.Status != RunStatus.Canceled)
            {
                throw new ProblemException(409, "run-ended", "The run has ended", $"The run '{id}' is {run.Status.ToString().ToLowerInvariant()} and can no longer be called off.");
            }
            if (run.Status != RunStatus.Canceled)
            {
                await runs.RequestCancelAsync(run.GetId(), CancellationToken.None);
                await RetrainStarter.WakeAsync(client, run.Dataset, CancellationToken.None);
            }
            request.HttpContext.Response.Headers.Location = $"/api/runs/{id}";
            return ApiJson.Result(View(state), StatusCodes.Status202Accepted);
        });

    private async Task<RunState> FindAsync(string id, CancellationToken ct) =>
        RunId.TryParse(id, out RunId parsed) && await runs.FindStateAsync(parsed, known: null, ct) is { } state
            ? state
            : throw ProblemException.NotFound("run-not-found", $"There is no run '{id}'.");

    private RunView View(RunState state) => RunView.Of(state, waits.Find(state.Run.Dataset));
}
