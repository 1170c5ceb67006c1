using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Ulmfit.Pipeline.Drift;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Storage;

namespace Ulmfit.Functions.Http;

/// <summary>Whether a model is asked about what it was trained for.</summary>
internal sealed class DriftApi(ApiGuard guard, ModelRegistry registry, DriftMonitor monitor, DriftOptions options)
{
    private const int DefaultDays = 14;

    /// <summary>What a version was asked, by day, held against its training. <c>version</c>: the champion unless given; <c>days</c>: how many, 14 unless given.</summary>
    [Function("GetModelDrift")]
    public Task<IResult> GetModelDrift([HttpTrigger(AuthorizationLevel.Function, "get", Route = "api/models/{model}/drift")] HttpRequest request, string model) =>
        guard.HandleAsync(request, async ct =>
        {
            RouteNames.CheckDataset(model);
            int days = Days(request);
            ModelCard card = await FindAsync(request, model, ct);
            return ApiJson.Result(DriftView.Of(card, options, await monitor.ReadAsync(card, days, ct)));
        });

    private async Task<ModelCard> FindAsync(HttpRequest request, string model, CancellationToken ct)
    {
        string? asked = request.Query["version"];
        if (asked is not null)
        {
            return RouteNames.TryVersion(asked, out int version) && await registry.FindCardAsync(model, version, ct) is { } card
                ? card
                : throw ProblemException.NotFound("version-not-found", $"The model '{model}' has no version '{RouteNames.Shown(asked)}'.");
        }
        return await registry.FindChampionAsync(model, ct) is { } champion && await registry.FindCardAsync(model, champion.Value.Version, ct) is { } found
            ? found
            : throw ProblemException.NotFound("model-not-found", $"There is no model '{model}' that answers.");
    }

    private static int Days(HttpRequest request)
    {
        string? asked = request.Query["days"];
        return asked is null ? DefaultDays
            : int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out int days) && days >= 1 ? days
            : throw ProblemException.Invalid($"'days' must be a whole number of at least 1; '{RouteNames.Shown(asked)}' was found.");
    }
}
