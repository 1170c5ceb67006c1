using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Uncertain;

namespace Ulmfit.Functions.Http;

/// <summary>Served texts worth labelling.</summary>
internal sealed class UncertainApi(ApiGuard guard, UncertainTexts texts, DatasetCatalog datasets)
{
    private const int UsualPage = 50;
    private const int LargestPage = 500;

    /// <summary>
    /// The texts of which the model was least sure and that have no label yet, the most uncertain first: <c>?limit=</c> of them (50 unless
    /// given), those behind a page by <c>?after=</c> its <c>next</c>. Empty where texts are not logged (<c>Uncertain:LogTexts</c>).
    /// </summary>
    [Function("GetUncertain")]
    public Task<IResult> GetUncertain(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "api/datasets/{dataset}/uncertain")] HttpRequest request, string dataset) =>
        guard.HandleAsync(request, async ct =>
        {
            RouteNames.CheckDataset(dataset);
            int count = ReadLimit(request.Query["limit"]);
            string? after = request.Query["after"];
            if (!await datasets.ExistsAsync(dataset, ct))
            {
                throw ProblemException.NotFound("dataset-not-found", $"There is no data set '{dataset}'.");
            }
            try
            {
                UncertainPage page = await texts.ListAsync(dataset, count, after, ct);
                return ApiJson.Result(new { dataset, logged = texts.IsOn, page.Texts, page.Next });
            }
            catch (FormatException e)
            {
                throw ProblemException.Invalid($"?after=: {e.Message} Send 'next' of the page before, as it was.");
            }
        });

    private static int ReadLimit(string? text)
    {
        if (text is null)
        {
            return UsualPage;
        }
        return !text.AsSpan().ContainsAnyExceptInRange('0', '9') && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is >= 1 and <= LargestPage
            ? count
            : throw ProblemException.Invalid($"?limit= must be a whole number from 1 to {LargestPage}.");
    }
}
