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
    public static Task WriteAsync(HttpContext http, int status, string title, string? detail = null)
    {
        http.Response.Clear();
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/problem+json";
        var body = new Dictionary<string, object?> { ["type"] = "about:blank", ["title"] = title, ["status"] = status };
        if (detail is not null)
        {
            body["detail"] = detail;
        }

        return http.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(body), http.RequestAborted).AsTask();
    }
}
