using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost;

/// <summary>The host of a function app: the web application below it, which works or stands by.</summary>
internal sealed class FunctionsHost(WebApplication app, HostSettings settings) : IHost, IAsyncDisposable
{
    /// <inheritdoc/>
    public IServiceProvider Services => app.Services;

    /// <summary>Takes the data directory, unless another host has it, and starts everything. What was begun by a start that fails ends when the host is disposed.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="HostStartException">The directory cannot be written, a key file is damaged, or an address is taken.</exception>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await TryTakeAsync(cancellationToken);
            if (settings.RequireKeys)
            {
                Services.GetRequiredService<FunctionKeys>().Load(make: Services.GetRequiredService<HostOwnership>().HasDirectory);
            }

            await app.StartAsync(cancellationToken);
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            var taken = new HostStartException($"{e.Message} Stop what listens there, or choose another address with --urls.", e);
            StartFailure.Note(taken);
            throw taken;
        }
        catch (Exception e) when (StartFailure.Note(e))
        {
            throw;
        }
    }

    /// <summary>Stops everything, server first, and gives the data directory back.</summary>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public Task StopAsync(CancellationToken cancellationToken = default) => app.StopAsync(cancellationToken);

    public void Dispose() => ((IDisposable)app).Dispose();

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private async Task TryTakeAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Services.GetRequiredService<HostOwnership>().TryTakeAsync(cancellationToken);
        }
#pragma warning disable CA1031 // Whatever a shared storage fails with, it may answer later: the host stands by until then.
        catch (Exception e) when (e is not HostStartException and not OperationCanceledException)
#pragma warning restore CA1031
        {
            HostLog.TakeOverFailed(Services.GetRequiredService<ILoggerFactory>().CreateLogger("EmbeddedHost"), e);
        }
    }
}
