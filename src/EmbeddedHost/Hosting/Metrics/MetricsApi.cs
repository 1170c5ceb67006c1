using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Azure.Functions.Worker;

namespace EmbeddedHost;

/// <summary>
/// <c>GET /metrics</c> for Prometheus. Where keys are asked for it needs a host key (the names of models are not for everyone), unless
/// <c>Host:AnonymousMetrics</c> says otherwise.
/// </summary>
internal sealed class MetricsApi(HostSettings settings, ExportedMeters meters, KeyGate gate)
{
    private const string Route = "/metrics";

    /// <summary>Lays out the route, behind those of the app.</summary>
    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapMethods(Route, ["GET"], HandleAsync).WithDisplayName("metrics").Add(endpoint => ((RouteEndpointBuilder)endpoint).Order = 1);

    private async Task HandleAsync(HttpContext http)
    {
        AuthorizationLevel level = settings.AnonymousMetrics ? AuthorizationLevel.Anonymous : AuthorizationLevel.Function;
        if (await gate.AdmitAsync(http, level, null))
        {
            http.Response.ContentType = PrometheusText.ContentType;
            await http.Response.WriteAsync(meters.Collect(), http.RequestAborted);
        }
    }
}
