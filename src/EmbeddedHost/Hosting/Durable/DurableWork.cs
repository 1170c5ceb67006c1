using EmbeddedHost.Durable;
using Microsoft.DurableTask.Client;

namespace EmbeddedHost;

/// <summary>The durable host of the time in which this host works; there is none while it stands by.</summary>
internal sealed class DurableWork(Func<DurableTaskHost> make, HostOwnership ownership) : IAsyncDisposable
{
    private volatile DurableTaskHost? current;

    /// <summary>The durable host.</summary>
    /// <exception cref="HostStandsByException">This host stands by.</exception>
    public DurableTaskHost Host => current ?? throw new HostStandsByException(
        $"This host stands by, because {ownership.Owner}. It answers what needs storage alone; send this to the other host, or again when this one has taken over.");

    /// <summary>The client of the durable host.</summary>
    /// <exception cref="HostStandsByException">This host stands by.</exception>
    public DurableTaskClient Client => Host.Client;

    /// <summary>Opens the task hub and takes up what is pending.</summary>
    /// <exception cref="IOException">The hub cannot be read.</exception>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        DurableTaskHost host = make();
        try
        {
            await host.StartAsync(cancellationToken);
            current = host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops, and waits for activities as long as there is time.</summary>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        if (current is { } host)
        {
            await host.StopAsync(cancellationToken);
            await host.DisposeAsync();
        }
    }

    /// <summary>Ends, and stands by from then on.</summary>
    public async Task StandByAsync(CancellationToken cancellationToken)
    {
        await EndAsync(cancellationToken);
        current = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (current is { } host)
        {
            await host.DisposeAsync();
        }
    }
}
