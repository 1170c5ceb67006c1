using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Ulmfit.Pipeline;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Storage;
using Ulmfit.Training;

namespace Ulmfit.Functions.Http;

/// <summary>Around every HTTP function: whatever goes wrong is answered as a problem, and what nobody foresaw is logged, not told.</summary>
internal sealed partial class ApiGuard(ILogger<ApiGuard> logger)
{
    /// <summary>Handles a request.</summary>
    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "The edge of the API: any failure is answered with 500 and logged.")]
    public async Task<IResult> HandleAsync(HttpRequest request, Func<CancellationToken, Task<IResult>> handle)
    {
        CancellationToken ct = request.HttpContext.RequestAborted;
        IHeaderDictionary headers = request.HttpContext.Response.Headers;
        if (request.Headers.Origin.Count > 0)
        {
            // Where a host lets another origin read answers, these headers are part of them.
            headers.AccessControlExposeHeaders = "ETag, Location, Retry-After, X-Model-Version";
        }
        try
        {
            return await handle(ct);
        }
        catch (ProblemException e)
        {
            if (e.RetryAfterSeconds is { } seconds)
            {
                headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
            }
            return Problem(e.Status, e.Kind, e.Title, e.Message, e.Members);
        }
        catch (TrainingSettingsException e)
        {
            return Problem(422, "invalid-settings", "Invalid settings", e.Message, new Dictionary<string, object?>
            {
                ["errors"] = e.Errors.Select(error => new { error.Path, error.Message }).ToArray(),
            });
        }
        catch (DropTooLargeException e)
        {
            return Problem(413, "too-large", "Too large", e.Message, new Dictionary<string, object?> { ["limit"] = e.Limit });
        }
        catch (BadHttpRequestException e)
        {
            return Problem(e.StatusCode, e.StatusCode == 413 ? "too-large" : "bad-request", "Bad request", e.Message);
        }
        catch (CorruptBlobException e)
        {
            LogFailed(e, request.Method, request.Path);
            return Problem(503, "damaged", "Damaged storage", e.Message);
        }
        catch (PipelineException e)
        {
            LogFailed(e, request.Method, request.Path);
            return Problem(409, "conflict", "Not possible now", e.Message);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The caller is gone; nobody reads this.
            return Results.StatusCode(499);
        }
        catch (Exception e) when (StorageFailures.Of(e) == StorageFailure.Full)
        {
            LogFailed(e, request.Method, request.Path);
            return Problem(507, "storage-full", "No room left", e.Message);
        }
        catch (Exception e) when (StorageFailures.Of(e) == StorageFailure.ReadOnly)
        {
            LogFailed(e, request.Method, request.Path);
            return Problem(503, "storage-read-only", "The storage cannot be written", e.Message);
        }
        catch (Exception e)
        {
            LogFailed(e, request.Method, request.Path);
            return Problem(500, "internal-error", "Internal error", "Something went wrong that nobody foresaw. The host's log has the details.");
        }
    }

    private static IResult Problem(int status, string kind, string title, string detail, IDictionary<string, object?>? members = null) =>
        Results.Problem(detail, instance: null, status, title, ProblemException.TypePrefix + kind, members);

    [LoggerMessage(100, LogLevel.Error, "{Method} {Path} failed.")]
    private partial void LogFailed(Exception exception, string method, string path);
}
