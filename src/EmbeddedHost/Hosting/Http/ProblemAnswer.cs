using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace EmbeddedHost;

/// <summary>The host's own error answers (RFC 9457).</summary>
internal static class ProblemAnswer
{
    /// <summary>Writes an answer in place of whatever was prepared.</summary>
    /// <param name="http">The request.</param>
    /// <param name="status">The status code.</param>
    /// <param name="title">What it means.</param>
    /// <param name="detail">What to do.</param>
    /// <param name="retryAfter">In how many seconds to ask again.</param>
    public static Task WriteAsync(HttpContext http, int status, string title, string? detail = null, string? retryAfter = null)
    {
        http.Response.Clear();
        http.Response.Headers.RetryAfter = retryAfter;
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/problem+json";
        var body = new Dictionary<string, object?> { ["type"] = "about:blank", ["title"] = title, ["status"] = status };
        if (detail is not null)
        {
            body["detail"] = detail;
        }

        return http.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(body), http.RequestAborted).AsTask();
    }

    /// <summary>Answers that another host does what was asked for.</summary>
    /// <param name="http">The request.</param>
    /// <param name="standsBy">Which one, and what to do.</param>
    public static Task StandsByAsync(HttpContext http, HostStandsByException standsBy)
    {
        if (http.Response.HasStarted)
        {
            http.Abort();
            return Task.CompletedTask;
        }

        return WriteAsync(http, StatusCodes.Status503ServiceUnavailable, "This host stands by", standsBy.Message, retryAfter: "5");
    }
}
