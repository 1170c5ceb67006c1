using Microsoft.Extensions.Hosting;
using Ulmfit.Pipeline.Uncertain;

namespace Ulmfit.Functions.Http;

/// <summary>Writes uncertain texts down now and then, and once more at the end.</summary>
internal sealed class UncertainWriter(UncertainTexts texts, UncertainOptions options, TimeProvider time) : BackgroundService
{
    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await texts.WriteAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.WriteEvery, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await texts.WriteAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The end of the process; the stop writes the rest.
        }
    }
}
