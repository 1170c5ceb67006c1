using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Ulmfit.Functions.Orchestration;
using Ulmfit.Pipeline.Runs;

namespace Ulmfit.Functions.Http;

/// <summary>Runs: how they stand, and calling them off.</summary>
internal sealed class RunsApi(ApiGuard guard, RunRegistry runs, RunWaits waits)
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
            await foreach (RunManifest run in runs.ListAsync(dataset, ct))
            {
                found.Add(await ViewAsync(run, ct));
            }
            return ApiJson.Result(new { runs = found.OrderByDescending(run => run.CreatedAt).ThenByDescending(run => run.Id, StringComparer.Ordinal) });
        });

    /// <summary>One run.</summary>
    [Function("GetRun")]
    public Task<IResult> GetRun([HttpTrigger(AuthorizationLevel.Function, "get", Route = "api/runs/{id}")] HttpRequest request, string id) =>
        guard.HandleAsync(request, async ct => ApiJson.Result(await ViewAsync(await FindAsync(id, ct), ct)));

    /// <summary>Calls a run off. What is checkpointed stays.</summary>
    [Function("DeleteRun")]
    public Task<IResult> DeleteRun(
        [HttpTrigger(AuthorizationLevel.Function, "delete", Route = "api/runs/{id}")] HttpRequest request, [DurableClient] DurableTaskClient client, string id) =>
        guard.HandleAsync(request, async ct =>
        {
            RunManifest run = await FindAsync(id, ct);
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
            return ApiJson.Result(await ViewAsync(run, ct), StatusCodes.Status202Accepted);
        });

    private async Task<RunManifest> FindAsync(string id, CancellationToken ct) =>
        RunId.TryParse(id, out RunId parsed) && await runs.FindAsync(parsed, ct) is { } run
            ? run
            : throw ProblemException.NotFound("run-not-found", $"There is no run '{id}'.");

    private async Task<RunView> ViewAsync(RunManifest run, CancellationToken ct) =>
        RunView.Of(run, run.Status == RunStatus.Running ? await runs.GetProgressAsync(run.GetId(), ct) : [], waits.Find(run.Dataset));
}
