using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost.Durable;

/// <summary>
/// Host plumbing: one task hub, with its orchestrations and activities. Made, started and stopped by the embedded host;
/// applications see its <see cref="Client"/> only.
/// </summary>
public sealed class DurableTaskHost : IAsyncDisposable
{
    /// <summary>Makes a host; nothing is read or run before <see cref="StartAsync"/>.</summary>
    /// <param name="options">Settings.</param>
    /// <param name="invoker">Runs the functions.</param>
    /// <param name="loggerFactory">Where to log.</param>
    /// <param name="timeProvider">The clock and the timers.</param>
    public DurableTaskHost(
        DurableTaskHostOptions options, IDurableFunctionInvoker invoker, ILoggerFactory loggerFactory, TimeProvider timeProvider)
    {
        throw new NotSupportedException();
    }

    /// <summary>The client of this task hub; usable from the start to the stop of the host.</summary>
    public DurableTaskClient Client => throw new NotSupportedException();

    /// <summary>Reads the task hub and takes up what is pending.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>A task that ends when the host runs.</returns>
    public Task StartAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <summary>
    /// Takes up no more work, lets running orchestrator turns end, and cancels the tokens of running activities; those that
    /// have not ended by themselves when <paramref name="cancellationToken"/> fires run again at the next start.
    /// </summary>
    /// <param name="cancellationToken">Ends the waiting for activities.</param>
    /// <returns>A task that ends when the host has stopped.</returns>
    public Task StopAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <summary>What the management API tells of an instance.</summary>
    /// <param name="instanceId">The instance.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The answer, or null (404) if there is no such instance.</returns>
    public Task<ManagementStatus?> GetManagementStatusAsync(string instanceId, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>Stops without waiting for activities.</summary>
    /// <returns>A task that ends when the host has stopped.</returns>
    public ValueTask DisposeAsync() => throw new NotSupportedException();
}
