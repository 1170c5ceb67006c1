using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost;

/// <summary>Runs a listener for each timer function.</summary>
internal sealed class TimerTriggerRunner(
    FunctionCatalog catalog,
    FunctionPipeline pipeline,
    IServiceScopeFactory scopes,
    HostSettings settings,
    TimeProvider time,
    ILogger<TimerTriggerRunner> logger)
{
    private Task running = Task.CompletedTask;

    /// <summary>Begins; again only after the end of the time before.</summary>
    /// <param name="stopping">Fires at the end.</param>
    public void Start(CancellationToken stopping) => running = Task.WhenAll(catalog.OfKind(TriggerKind.Timer).Select(function => new TimerListener(
        function,
        Path.Combine(settings.HostDirectory, "timers", function.Name.ToLowerInvariant() + ".json"),
        pipeline,
        scopes,
        time,
        logger).RunAsync(stopping)));

    /// <summary>Waits until the invocations that run have ended; the token has told them to.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => Completion.WaitAsync(running, cancellationToken);
}
