using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace EmbeddedHost;

/// <summary>Lets a request through or answers 401.</summary>
internal sealed class KeyGate(HostSettings settings, FunctionKeys keys)
{
    private const string Header = "x-functions-key";

    /// <summary>Checks a request's key: the header before the query's <c>code</c>.</summary>
    /// <param name="http">The request.</param>
    /// <param name="level">The key that it needs.</param>
    /// <param name="function">The function; null for the host's own addresses.</param>
    /// <returns>Whether it may pass; where not, the answer is written.</returns>
    public async ValueTask<bool> AdmitAsync(HttpContext http, AuthorizationLevel level, string? function)
    {
        if (!settings.RequireKeys)
        {
            return true;
        }

        string? key = http.Request.Headers.TryGetValue(Header, out var header) && !string.IsNullOrEmpty(header)
            ? header.ToString()
            : http.Request.Query["code"];
        if (keys.Opens(level, function, key))
        {
            return true;
        }

        await ProblemAnswer.WriteAsync(http, StatusCodes.Status401Unauthorized, "Unauthorized", $"Send a key in the header {Header} or the query parameter code.");
        return false;
    }
}
