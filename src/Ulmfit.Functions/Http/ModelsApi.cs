using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Ulmfit.Pipeline;
using Ulmfit.Pipeline.Drift;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Pipeline.Serving;
using Ulmfit.Storage;

namespace Ulmfit.Functions.Http;

/// <summary>The registry of models, and which version answers.</summary>
internal sealed class ModelsApi(ApiGuard guard, ModelRegistry registry, ModelCache cache, DriftMonitor drift, Limits limits)
{
    /// <summary>All models with their champions.</summary>
    [Function("GetModels")]
    public Task<IResult> GetModels([HttpTrigger(AuthorizationLevel.Function, "get", Route = "api/models")] HttpRequest request) =>
        guard.HandleAsync(request, async ct =>
        {
            var models = new List<ModelView>();
            foreach (string model in await registry.ListModelsAsync(ct))
            {
                models.Add(ModelView.Of(model, await registry.FindChampionAsync(model, ct), await registry.ReadVersionsAsync(model, ct)));
            }
            return ApiJson.Result(new { models });
        });

    /// <summary>One model: champion, versions, promotions, and what the champion was asked today. The <c>ETag</c> is that of the champion pointer, for <c>If-Match</c>.</summary>
    [Function("GetModel")]
    public Task<IResult> GetModel([HttpTrigger(AuthorizationLevel.Function, "get", Route = "api/models/{model}")] HttpRequest request, string model) =>
        guard.HandleAsync(request, async ct =>
        {
            ModelVersions versions = await VersionsAsync(model, ct);
            BlobDocument<ChampionPointer>? champion = await registry.FindChampionAsync(model, ct);
            ModelCard? answers = versions.Cards.FirstOrDefault(card => card.Version == champion?.Value.Version);
            DriftDay? today = answers is not null && await drift.ReadAsync(answers, 1, ct) is [DriftDay only] ? only : null;
            return Tagged(request, champion, ModelView.Of(model, champion, versions, today));
        });

    /// <summary>One version: its card.</summary>
    [Function("GetModelVersion")]
    public Task<IResult> GetModelVersion(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "api/models/{model}/versions/{version}")] HttpRequest request, string model, string version) =>
        guard.HandleAsync(request, async ct =>
        {
            RouteNames.CheckDataset(model);
            return RouteNames.TryVersion(version, out int number) && await registry.FindCardAsync(model, number, ct) is { } card
                ? ApiJson.Result(card)
                : throw NoVersion(model, version);
        });

    /// <summary>Promotes a version or rolls back to it.</summary>
    [Function("PutChampion")]
    public Task<IResult> PutChampion(
        [HttpTrigger(AuthorizationLevel.Function, "put", Route = "api/models/{model}/champion")] HttpRequest request, string model) =>
        guard.HandleAsync(request, async ct =>
        {
            ModelVersions versions = await VersionsAsync(model, ct);
            using JsonDocument body = await ApiJson.ReadObjectAsync(request, limits.BodyBytes, ct);
            if (!body.RootElement.TryGetProperty("version", out JsonElement element) || element.ValueKind != JsonValueKind.Number
                || !element.TryGetInt32(out int version) || version < 1)
            {
                throw ProblemException.Invalid("The body must be {\"version\": n} with the number of a version.");
            }
            // A damaged one goes on to be refused with what is damaged.
            if (versions.Cards.All(card => card.Version != version) && versions.Damaged.All(damaged => damaged.Version != version))
            {
                throw NoVersion(model, version.ToString(System.Globalization.CultureInfo.InvariantCulture));
            }
            ETag? expected = EntityTags.Expected(request, await registry.FindChampionTagAsync(model, ct));
            BlobDocument<ChampionPointer> champion = await registry.PromoteAsync(model, version, expected, ct) ?? throw EntityTags.Lost();
            await cache.RefreshAsync(model, ct);
            return Tagged(request, champion, ModelView.Of(model, champion, versions));
        });

    private async Task<ModelVersions> VersionsAsync(string model, CancellationToken ct)
    {
        RouteNames.CheckDataset(model);
        ModelVersions versions = await registry.ReadVersionsAsync(model, ct);
        return versions.Cards.Count + versions.Damaged.Count > 0 ? versions : throw ProblemException.NotFound("model-not-found", $"There is no model '{model}'.");
    }

    private static IResult Tagged(HttpRequest request, BlobDocument<ChampionPointer>? champion, ModelView view)
    {
        if (champion is not null)
        {
            request.HttpContext.Response.Headers.ETag = EntityTags.Header(champion.Info.ETag);
        }
        return ApiJson.Result(view);
    }

    private static ProblemException NoVersion(string model, string version) =>
        ProblemException.NotFound("version-not-found", $"The model '{model}' has no version '{version}'.");
}
