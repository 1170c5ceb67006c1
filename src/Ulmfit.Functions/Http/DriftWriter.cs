using Microsoft.Extensions.Hosting;
using Ulmfit.Pipeline.Drift;

namespace Ulmfit.Functions.Http;

/// <summary>Has what models are asked written down while the host runs, and once more when it has answered its last request.</summary>
internal sealed class DriftWriter(DriftMonitor monitor, DriftOptions options, TimeProvider time) : BackgroundService, IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => monitor.WriteAsync(cancellationToken);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.WriteEvery, time);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            await monitor.WriteAsync(stoppingToken).ConfigureAwait(false);
        }
    }
}
