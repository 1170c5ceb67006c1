using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace EmbeddedHost;

/// <summary>The host of a function app: holds the data directory for as long as the web application below it runs.</summary>
internal sealed class FunctionsHost(WebApplication app, HostSettings settings) : IHost, IAsyncDisposable
{
    private HostLock? gate;

    /// <inheritdoc/>
    public IServiceProvider Services => app.Services;

    /// <summary>Takes the data directory and starts everything. What was begun by a start that fails ends when the host is disposed.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="HostStartException">The directory is in use, a key file is damaged, or an address is taken.</exception>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            gate = HostLock.Acquire(settings);
            if (settings.RequireKeys)
            {
                Services.GetRequiredService<FunctionKeys>().Load();
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
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await app.StopAsync(cancellationToken);
        }
        finally
        {
            Release();
        }
    }

    public void Dispose()
    {
        ((IDisposable)app).Dispose();
        Release();
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        Release();
    }

    private void Release()
    {
        gate?.Dispose();
        gate = null;
    }
}
