using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Ulmfit.Functions.Orchestration;
using Ulmfit.Pipeline;
using Ulmfit.Pipeline.Pretrain;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Pipeline.Steps;
using Ulmfit.Training;

namespace Ulmfit.Functions.Http;

/// <summary>Pretrained language models: those there are, and making another.</summary>
internal sealed class PretrainedApi(ApiGuard guard, PretrainingRegistry registry, PretrainedModels models, Admission admission, Limits limits)
{
    /// <summary>Orders a pretraining, or takes up again one that failed or was called off. The same order once more changes nothing.</summary>
    [Function("PutPretrained")]
    public Task<IResult> PutPretrained(
        [HttpTrigger(AuthorizationLevel.Function, "put", Route = "api/pretrained/{name}")] HttpRequest request, [DurableClient] DurableTaskClient client, string name) =>
        guard.HandleAsync(request, async ct =>
        {
            RouteNames.CheckDataset(name);
            if (name == TrainingSettings.NoPretrained)
            {
                throw new ProblemException(422, "invalid-name", "Invalid name", $"'{name}' stands for no pretrained model: choose another name.");
            }
            PretrainingOrder order = PretrainingOrder.Parse(await ApiJson.ReadTextAsync(request, limits.BodyBytes, ct));
            IReadOnlyList<string> known = await models.ListAsync(ct);
            if (order.Start != TrainingSettings.NoPretrained && !known.Contains(order.Start))
            {
                throw new TrainingSettingsException([new SettingsError("start", $"there is no pretrained model '{order.Start}'{(known.Count == 0 ? "" : $"; there are {string.Join(", ", known)}")}")]);
            }
            PretrainingManifest? before = await registry.FindAsync(name, ct);
            if (before is null && known.Contains(name))
            {
                throw new ProblemException(409, "pretrained-exists", "The model exists", $"There is a pretrained model '{name}', which was not made here: choose another name.");
            }
            if (before?.Status == RunStatus.Completed && !known.Contains(name))
            {
                throw new ProblemException(409, "pretrained-deleted", "The model was deleted", $"The pretraining '{name}' was completed and its model has been deleted since: choose another name.");
            }
            await admission.CheckRoomAsync(client, PretrainStarter.InstanceId(name), ct);
            (PretrainingManifest pretraining, OrderOutcome outcome) = await registry.TakeAsync(name, order, ct);
            if (outcome == OrderOutcome.Conflict)
            {
                throw new ProblemException(
                    409, "pretraining-exists", "The pretraining exists",
                    $"There is a pretraining '{name}' of another order, which is {pretraining.Status.ToString().ToLowerInvariant()}: choose another name, or send its order (GET /api/pretrained/{name}) to go on with it.");
            }
            if (outcome == OrderOutcome.Taken)
            {
                // It is taken: a caller that hangs up now gets it all the same.
                await PretrainStarter.WakeAsync(client, name, CancellationToken.None);
            }
            request.HttpContext.Response.Headers.Location = $"/api/pretrained/{name}";
            return ApiJson.Result(await ViewAsync(pretraining, ct), outcome == OrderOutcome.Taken ? StatusCodes.Status202Accepted : StatusCodes.Status200OK);
        });

    /// <summary>The names of the models there are, and all pretrainings.</summary>
    [Function("GetPretrainings")]
    public Task<IResult> GetPretrainings([HttpTrigger(AuthorizationLevel.Function, "get", Route = "api/pretrained")] HttpRequest request) =>
        guard.HandleAsync(request, async ct =>
        {
            var pretrainings = new List<PretrainingView>();
            await foreach (PretrainingManifest pretraining in registry.ListAsync(ct))
            {
                pretrainings.Add(await ViewAsync(pretraining, ct));
            }
            return ApiJson.Result(new { models = await models.ListAsync(ct), pretrainings });
        });

    /// <summary>One pretraining: how it stands, step, losses and perplexity of each direction.</summary>
    [Function("GetPretraining")]
    public Task<IResult> GetPretraining([HttpTrigger(AuthorizationLevel.Function, "get", Route = "api/pretrained/{name}")] HttpRequest request, string name) =>
        guard.HandleAsync(request, async ct => ApiJson.Result(await ViewAsync(await FindAsync(name, ct), ct)));

    /// <summary>Calls a pretraining off. What is checkpointed stays.</summary>
    [Function("DeletePretraining")]
    public Task<IResult> DeletePretraining([HttpTrigger(AuthorizationLevel.Function, "delete", Route = "api/pretrained/{name}")] HttpRequest request, string name) =>
        guard.HandleAsync(request, async ct =>
        {
            await FindAsync(name, ct);
            PretrainingManifest pretraining = await registry.FinishAsync(name, RunStatus.Canceled, ct: CancellationToken.None);
            if (pretraining.Status != RunStatus.Canceled)
            {
                throw new ProblemException(409, "pretraining-ended", "The pretraining has ended", $"The pretraining '{name}' is {pretraining.Status.ToString().ToLowerInvariant()} and can no longer be called off.");
            }
            request.HttpContext.Response.Headers.Location = $"/api/pretrained/{name}";
            return ApiJson.Result(await ViewAsync(pretraining, ct), StatusCodes.Status202Accepted);
        });

    private async Task<PretrainingManifest> FindAsync(string name, CancellationToken ct)
    {
        RouteNames.CheckDataset(name);
        return await registry.FindAsync(name, ct)
            ?? throw ProblemException.NotFound("pretraining-not-found", $"There is no pretraining '{name}'. GET /api/pretrained lists those there are, and the models.");
    }

    private async Task<PretrainingView> ViewAsync(PretrainingManifest pretraining, CancellationToken ct) =>
        PretrainingView.Of(pretraining, pretraining.Status == RunStatus.Running ? await registry.FindNoteAsync(pretraining.Name, ct) : null);
}
