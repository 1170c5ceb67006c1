using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Net.Http.Headers;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Reports;

namespace Ulmfit.Functions.Http;

/// <summary>Reports of runs and of published versions: a page, or JSON by <c>?format=json</c> or the header <c>Accept</c>.</summary>
internal sealed class ReportsApi(ApiGuard guard, RunRegistry runs, RunReports reports, ModelRegistry registry)
{
    private const string Html = "text/html";
    private const string Json = "application/json";

    // A page cannot say these of itself. It holds what strangers wrote, so it shall be no part of this origin even if opened from it.
    private static readonly string PagePolicy = ReportHtml.ContentSecurityPolicy + "; frame-ancestors 'none'; sandbox";

    /// <summary>The report of a run, with what became of its model.</summary>
    [Function("GetRunReport")]
    public Task<IResult> GetRunReport([HttpTrigger(AuthorizationLevel.Function, "get", Route = "api/runs/{id}/report")] HttpRequest request, string id) =>
        guard.HandleAsync(request, async ct =>
        {
            bool json = WantsJson(request);
            if (!RunId.TryParse(id, out RunId parsed) || await runs.FindAsync(parsed, ct) is not { } run)
            {
                throw ProblemException.NotFound("run-not-found", $"There is no run '{id}'.");
            }
            TrainingReport found = await reports.FindAsync(parsed, ct)
                ?? throw ProblemException.NotFound("report-not-found", $"The run '{id}' has no report: it is written when the trained model is measured.");
            TrainingReport report = found with { Outcome = new ReportOutcome(run.Status.ToString().ToLowerInvariant(), run.Decision, run.ModelVersion) };
            return Answer(request, json ? report.ToJson() : ReportHtml.Of(report), json);
        });

    /// <summary>The report of a published version.</summary>
    [Function("GetModelVersionReport")]
    public Task<IResult> GetModelVersionReport(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "api/models/{model}/versions/{version}/report")] HttpRequest request, string model, string version) =>
        guard.HandleAsync(request, async ct =>
        {
            bool json = WantsJson(request);
            RouteNames.CheckDataset(model);
            if (!RouteNames.TryVersion(version, out int number) || await registry.FindCardAsync(model, number, ct) is not { } card)
            {
                throw ProblemException.NotFound("version-not-found", $"The model '{model}' has no version '{version}'.");
            }
            byte[] report = await registry.FindFileAsync(card, json ? ModelFiles.Report : ModelFiles.ReportPage, ct)
                ?? throw ProblemException.NotFound("report-not-found", $"Version {number} of the model '{model}' has no report.");
            return Answer(request, report, json);
        });

    private static IResult Answer(HttpRequest request, byte[] content, bool json)
    {
        IHeaderDictionary headers = request.HttpContext.Response.Headers;
        headers.Vary = HeaderNames.Accept;
        headers.CacheControl = "private, no-cache";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.ContentSecurityPolicy = json ? "default-src 'none'; frame-ancestors 'none'" : PagePolicy;
        return Results.Bytes(content, json ? Json : Html + "; charset=utf-8");
    }

    /// <summary>Whether JSON is asked for. A browser asks for HTML, and who does not say gets that.</summary>
    /// <exception cref="ProblemException">A format is asked for that there is not.</exception>
    private static bool WantsJson(HttpRequest request)
    {
        if (request.Query.TryGetValue("format", out Microsoft.Extensions.Primitives.StringValues format))
        {
            return format.ToString() switch
            {
                "json" => true,
                "html" => false,
                _ => throw ProblemException.Invalid("?format= must be html or json."),
            };
        }
        IList<MediaTypeHeaderValue> accepted = request.GetTypedHeaders().Accept;
        return Preference(accepted, Json).CompareTo(Preference(accepted, Html)) > 0;
    }

    /// <summary>How welcome a type is, and how exactly it was named.</summary>
    private static (double Quality, int Exactness) Preference(IList<MediaTypeHeaderValue> accepted, string type)
    {
        (int Exactness, double Quality) best = (-1, 0);
        foreach (MediaTypeHeaderValue range in accepted)
        {
            int exactness = range.MatchesAllTypes ? 0 : range.MatchesAllSubTypes ? 1 : 2;
            if (exactness > best.Exactness && new MediaTypeHeaderValue(type).IsSubsetOf(range))
            {
                best = (exactness, range.Quality ?? 1);
            }
        }
        return (best.Quality, best.Exactness);
    }
}
