namespace EmbeddedHost;

/// <summary>
/// Settles which of several hosts works: runs triggers and orchestrations. The data directory settles it for hosts that share that; register
/// one of these where hosts with directories of their own, on several machines, share another storage.
/// </summary>
public interface IHostLease
{
    /// <summary>Who had the lease at the last look, for people; null where that is not known.</summary>
    string? Holder { get; }

    /// <summary>Takes the lease unless another host has it.</summary>
    /// <param name="holder">Who asks, for people.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The lease, kept until it is disposed; null where another host has it.</returns>
    /// <exception cref="IOException">The storage does not answer; the host asks again.</exception>
    Task<IHeldHostLease?> TryTakeAsync(string holder, CancellationToken cancellationToken);
}

/// <summary>A lease that this host has. Disposing of it gives it back.</summary>
public interface IHeldHostLease : IAsyncDisposable
{
    /// <summary>Fires when it is lost, before another host can have it; the host then stops its work and waits again.</summary>
    CancellationToken Lost { get; }
}
