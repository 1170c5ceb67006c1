using EmbeddedHost.Tests.Hosting;

namespace Ulmfit.Functions.Tests.Support;

/// <summary>Reads what a host measures.</summary>
internal static class HostMetrics
{
    /// <summary>What a host has measured so far.</summary>
    public static async Task<Exposition> GetMetricsAsync(this HostProcess host) =>
        Exposition.Parse(await host.Http.GetStringAsync(new Uri("metrics", UriKind.Relative), TestContext.Current.CancellationToken));
}
