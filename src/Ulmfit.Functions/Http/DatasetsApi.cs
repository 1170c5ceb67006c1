using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Ulmfit.Functions.Orchestration;
using Ulmfit.Pipeline;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Feedback;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Training;

namespace Ulmfit.Functions.Http;

/// <summary>Data sets: drops, reports, settings, and the start of a run.</summary>
internal sealed class DatasetsApi(
    ApiGuard guard, DropStore drops, DatasetCatalog datasets, RunRegistry runs, RunWaits waits, FeedbackStore feedback, Admission admission, Limits limits)
{
    /// <summary>Stores a drop; the blob trigger takes it from there.</summary>
    [Function("PutDrop")]
    public Task<IResult> PutDrop(
        [HttpTrigger(AuthorizationLevel.Function, "put", Route = "api/datasets/{dataset}/drops/{name}")] HttpRequest request, string dataset, string name) =>
        guard.HandleAsync(request, async ct =>
        {
            RouteNames.CheckDataset(dataset);
            RouteNames.CheckDrop(name);
            if (request.ContentLength > limits.DropBytes)
            {
                throw new DropTooLargeException(limits.DropBytes);
            }
            if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } server)
            {
                server.MaxRequestBodySize = null;
            }
            DropOutcome outcome = await drops.PutAsync(dataset, name, request.Body, ct);
            if (outcome == DropOutcome.Conflict)
            {
                throw new ProblemException(
                    409, "drop-exists", "The drop exists",
                    $"The data set '{dataset}' has a drop '{name}' with other content. Drops never change: send this one under another name.");
            }
            string location = $"/api/datasets/{dataset}/drops/{name}";
            request.HttpContext.Response.Headers.Location = location;
            return ApiJson.Result(
                new { dataset, name, location },
                outcome == DropOutcome.Stored ? StatusCodes.Status201Created : StatusCodes.Status200OK);
        });

    /// <summary>What was found in a drop.</summary>
    [Function("GetDrop")]
    public Task<IResult> GetDrop(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "api/datasets/{dataset}/drops/{name}")] HttpRequest request, string dataset, string name) =>
        guard.HandleAsync(request, async ct =>
        {
            RouteNames.CheckDataset(dataset);
            DatasetView? view = await DatasetView.ReadAsync(datasets, runs, waits, feedback, dataset, ct);
            return view?.Drops.FirstOrDefault(drop => drop.Name == name) is { } found
                ? ApiJson.Result(found)
                : throw ProblemException.NotFound("drop-not-found", $"The data set '{dataset}' has no drop '{name}'.");
        });

    /// <summary>All data sets.</summary>
    [Function("GetDatasets")]
    public Task<IResult> GetDatasets([HttpTrigger(AuthorizationLevel.Function, "get", Route = "api/datasets")] HttpRequest request) =>
        guard.HandleAsync(request, async ct =>
        {
            var views = new List<object>();
            foreach (string dataset in await datasets.ListAsync(ct))
            {
                if (await DatasetView.ReadAsync(datasets, runs, waits, feedback, dataset, ct) is { } view)
                {
                    views.Add(view.GetSummary());
                }
            }
            return ApiJson.Result(new { datasets = views });
        });

    /// <summary>One data set: versions, rows, classes, and what was found in each drop.</summary>
    [Function("GetDataset")]
    public Task<IResult> GetDataset(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "api/datasets/{dataset}")] HttpRequest request, string dataset) =>
        guard.HandleAsync(request, async ct =>
        {
            RouteNames.CheckDataset(dataset);
            return ApiJson.Result(await DatasetView.ReadAsync(datasets, runs, waits, feedback, dataset, ct) ?? throw NoDataset(dataset));
        });

    /// <summary>Puts the training settings; the next run uses them. They may be put before the first drop.</summary>
    [Function("PutSettings")]
    public Task<IResult> PutSettings(
        [HttpTrigger(AuthorizationLevel.Function, "put", Route = "api/datasets/{dataset}/settings")] HttpRequest request, string dataset) =>
        guard.HandleAsync(request, async ct =>
        {
            RouteNames.CheckDataset(dataset);
            TrainingSettings settings = TrainingSettings.Parse(await ApiJson.ReadTextAsync(request, limits.BodyBytes, ct));
            await datasets.PutSettingsAsync(dataset, settings, ct);
            return ApiJson.Result(SettingsJson.Of(settings));
        });

    /// <summary>The training settings, defaults included.</summary>
    [Function("GetSettings")]
    public Task<IResult> GetSettings(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "api/datasets/{dataset}/settings")] HttpRequest request, string dataset) =>
        guard.HandleAsync(request, async ct =>
        {
            RouteNames.CheckDataset(dataset);
            return await datasets.ExistsAsync(dataset, ct)
                ? ApiJson.Result(SettingsJson.Of(await datasets.GetSettingsAsync(dataset, ct)))
                : throw NoDataset(dataset);
        });

    /// <summary>Starts a run now.</summary>
    [Function("PostRun")]
    public Task<IResult> PostRun(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/datasets/{dataset}/runs")] HttpRequest request,
        [DurableClient] DurableTaskClient client,
        string dataset) =>
        guard.HandleAsync(request, async ct =>
        {
            RouteNames.CheckDataset(dataset);

            // A run that is asked for is trained on all that has been said.
            await feedback.GatherAsync(dataset, ct);
            if ((await datasets.ListDropsAsync(dataset, ct)).Labeled.Count == 0)
            {
                throw await datasets.ExistsAsync(dataset, ct)
                    ? new ProblemException(409, "no-drops", "Nothing to train on", $"The data set '{dataset}' has no labelled drops.")
                    : NoDataset(dataset);
            }
            await admission.CheckRoomAsync(client, RetrainStarter.InstanceId(dataset), ct);
            (RunManifest run, bool taken) = await runs.TakeAsync(dataset, RunTrigger.Request, ct);
            string id = run.GetId().ToString();
            if (!taken)
            {
                throw new ProblemException(409, "run-active", "A run is active", $"The run '{id}' of the data set '{dataset}' has not ended.").With("run", id);
            }
            // The run is taken: a caller that hangs up now gets it all the same.
            await RetrainStarter.WakeAsync(client, dataset, CancellationToken.None);
            request.HttpContext.Response.Headers.Location = $"/api/runs/{id}";
            RunState state = await runs.FindStateAsync(run.GetId(), known: null, ct) ?? throw new PipelineException($"The run '{id}' was taken and is gone.");
            return ApiJson.Result(RunView.Of(state, waits.Find(dataset)), StatusCodes.Status202Accepted);
        });

    private static ProblemException NoDataset(string dataset) => ProblemException.NotFound("dataset-not-found", $"There is no data set '{dataset}'.");
}
