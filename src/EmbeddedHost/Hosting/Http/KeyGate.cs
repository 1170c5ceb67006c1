using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace EmbeddedHost;

/// <summary>
/// Lets a request through or answers 401. Where no keys are asked for the host is for programs of this machine alone, and pages of other
/// sites are no such programs, although the browser that they run in is: what a page of another origin sends, or sends by a name that is
/// not the machine's own (DNS rebinding), is answered with 403.
/// </summary>
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
            if (IsOwn(http.Request.Host) && IsOwn(http.Request))
            {
                return true;
            }

            await ProblemAnswer.WriteAsync(
                http,
                StatusCodes.Status403Forbidden,
                "Forbidden",
                "Without keys this host answers programs of its own machine, not pages of other sites. List an origin in Host:CORS, or set Host:RequireKeys to true.");
            return false;
        }

        if (function is not null && settings.AnonymousFunctions.Contains(function))
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

    private static bool IsOwn(HostString host) =>
        !host.HasValue
        || host.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.Host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Host.Trim('[', ']'), out IPAddress? ip) && IPAddress.IsLoopback(ip));

    private bool IsOwn(HttpRequest request)
    {
        string origin = request.Headers.Origin.ToString();
        return origin.Length == 0
            || origin.Equals($"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase)
            || settings.Cors.Any(listed => listed == "*" || listed.Equals(origin, StringComparison.OrdinalIgnoreCase));
    }
}
