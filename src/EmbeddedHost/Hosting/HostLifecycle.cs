using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost;

/// <summary>
/// The order in which the host's parts begin and end: durable host, then the server, then triggers; and back. A host whose storage another
/// one has begins with the server alone, stands by, and begins the rest when the other one is gone.
/// </summary>
internal sealed class HostLifecycle(
    HostSettings settings,
    FunctionCatalog catalog,
    HostOwnership ownership,
    FunctionKeys keys,
    DurableWork durable,
    BlobTriggerRunner blobs,
    TimerTriggerRunner timers,
    StopSignal stop,
    IServer server,
    TimeProvider time,
    ILoggerFactory loggers) : IHostedLifecycleService
{
    private static readonly TimeSpan s_askEvery = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan s_endWithin = TimeSpan.FromSeconds(20);

    private readonly ILogger logger = loggers.CreateLogger("EmbeddedHost");
    private CancellationTokenSource? tenure;
    private Task keeping = Task.CompletedTask;
    private string? lastProblem;
    private bool hasKeys;
    private bool beginsWithWork;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Before the server listens: the durable host, whose client HTTP functions use.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        beginsWithWork = ownership.IsOwner;
        if (beginsWithWork && catalog.UsesDurable)
        {
            await durable.BeginAsync(cancellationToken);
        }
    }

    /// <summary>When all has started: says what there is, and lets the triggers begin.</summary>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        string address = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? settings.Urls[0];
        ownership.Answers(address);
        Announce(address);
        if (beginsWithWork)
        {
            StartTriggers();
        }
        else
        {
            HostLog.StandsBy(logger, ownership.Owner);
        }

        keeping = KeepAsync(beginsWithWork, stop.Stopping);
        return Task.CompletedTask;
    }

    /// <summary>First of all at the end: nothing new begins, and what runs is told.</summary>
    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        stop.Raise();
        return Task.CompletedTask;
    }

    /// <summary>Waits for what runs, then lets another host work.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await Completion.WaitAsync(keeping, cancellationToken);
        await Task.WhenAll(blobs.StopAsync(cancellationToken), timers.StopAsync(cancellationToken));
        await durable.EndAsync(cancellationToken);
        await ownership.DisposeAsync();
        tenure?.Dispose();
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // Until the stop: waits for the end of what this host does now, working or standing by.
    private async Task KeepAsync(bool works, CancellationToken stopping)
    {
        await Task.Yield();
        try
        {
            while (true)
            {
                if (works)
                {
                    await LossAsync(stopping);
                    HostLog.OwnershipLost(logger);
                    await StandByAsync();
                    works = false;
                }
                else
                {
                    await Task.Delay(s_askEvery, time, stopping);
                    works = await TryTakeOverAsync(stopping);
                }
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The stop.
        }
    }

    private async Task LossAsync(CancellationToken stopping)
    {
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(stopping, ownership.Lost);
        await Task.Delay(Timeout.InfiniteTimeSpan, time, lost.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stopping.ThrowIfCancellationRequested();
    }

    private async Task<bool> TryTakeOverAsync(CancellationToken stopping)
    {
        try
        {
            bool owns = await ownership.TryTakeAsync(stopping);
            if (settings.RequireKeys && !hasKeys)
            {
                // The host that has the directory was still making them when this one started.
                hasKeys = keys.Load(make: ownership.HasDirectory);
            }

            if (!owns)
            {
                return false;
            }

            if (catalog.UsesDurable)
            {
                await durable.BeginAsync(stopping);
            }

            StartTriggers();
            lastProblem = null;
            HostLog.TookOver(logger, settings.DataDirectory);
            return true;
        }
#pragma warning disable CA1031 // Whatever is in the way now may be gone at the next try; it is told once.
        catch (Exception e) when (e is not OperationCanceledException || !stopping.IsCancellationRequested)
#pragma warning restore CA1031
        {
            await durable.StandByAsync(stopping);
            if (lastProblem != e.Message)
            {
                lastProblem = e.Message;
                HostLog.TakeOverFailed(logger, e);
            }

            return false;
        }
    }

    private void StartTriggers()
    {
        tenure?.Dispose();
        tenure = CancellationTokenSource.CreateLinkedTokenSource(stop.Stopping);
        blobs.Start(tenure.Token);
        timers.Start(tenure.Token);
    }

    private async Task StandByAsync()
    {
        await tenure!.CancelAsync();
        using var limit = new CancellationTokenSource(s_endWithin, time);
        await Task.WhenAll(blobs.StopAsync(limit.Token), timers.StopAsync(limit.Token));
        await durable.StandByAsync(limit.Token);
    }

    private void Announce(string address)
    {
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
