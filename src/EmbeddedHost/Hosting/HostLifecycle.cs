using EmbeddedHost.Durable;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost;

/// <summary>The order in which the host's parts begin and end: durable host, then the server, then triggers; and back.</summary>
internal sealed class HostLifecycle(
    HostSettings settings,
    FunctionCatalog catalog,
    Lazy<DurableTaskHost> durable,
    BlobTriggerRunner blobs,
    TimerTriggerRunner timers,
    StopSignal stop,
    IServer server,
    ILoggerFactory loggers) : IHostedLifecycleService
{
    private readonly ILogger logger = loggers.CreateLogger("EmbeddedHost");

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Before the server listens: the durable host, whose client HTTP functions use.</summary>
    public Task StartAsync(CancellationToken cancellationToken) =>
        catalog.UsesDurable ? durable.Value.StartAsync(cancellationToken) : Task.CompletedTask;

    /// <summary>When all has started: says what there is, and lets the triggers begin.</summary>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        Announce();
        blobs.Start();
        timers.Start();
        return Task.CompletedTask;
    }

    /// <summary>First of all at the end: nothing new begins, and what runs is told.</summary>
    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        stop.Raise();
        return Task.CompletedTask;
    }

    /// <summary>Waits for what runs.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(blobs.StopAsync(cancellationToken), timers.StopAsync(cancellationToken));
        if (durable.IsValueCreated)
        {
            await durable.Value.StopAsync(cancellationToken);
        }
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void Announce()
    {
        string address = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? settings.Urls[0];
        HostLog.State(logger, settings.DataDirectory, settings.RequireKeys ? "required" : "not required");
        HostLog.FunctionsHeading(logger);
        foreach (HostedFunction function in catalog.Functions.OrderBy(f => f.Kind).ThenBy(f => f.Name, StringComparer.OrdinalIgnoreCase))
        {
            HostLog.Function(logger, function.Name, Describe(function, address));
        }
    }

    private static string Describe(HostedFunction function, string address) => function.Trigger switch
    {
        HttpTriggerAttribute { Methods: var methods } =>
            $"[{(methods is { Length: > 0 } ? string.Join(',', methods.Select(m => m.ToUpperInvariant())) : "ANY")}] {address.TrimEnd('/')}/{function.Route}",
        BlobTriggerAttribute => $"blobTrigger {function.BlobPattern!.Text}",
        TimerTriggerAttribute => $"timerTrigger {function.Schedule}",
        OrchestrationTriggerAttribute => "orchestrationTrigger",
        _ => "activityTrigger",
    };
}
