namespace EmbeddedHost;

/// <summary>
/// Whether this host works or stands by. It works while it has its data directory and, where the app registered one, the lease of a storage
/// that several machines share.
/// </summary>
internal sealed class HostOwnership(HostSettings settings, IEnumerable<IHostLease> leases) : IDisposable, IAsyncDisposable
{
    private readonly IHostLease? lease = leases.LastOrDefault();
    private readonly Lock gate = new();
    private HostLock? directory;
    private IHeldHostLease? held;
    private string? address;

    /// <summary>Whether this host works.</summary>
    public bool IsOwner
    {
        get
        {
            lock (gate)
            {
                return directory is not null && (lease is null || held is { Lost.IsCancellationRequested: false });
            }
        }
    }

    /// <summary>Whether this host may write the records in its data directory.</summary>
    public bool HasDirectory
    {
        get
        {
            lock (gate)
            {
                return directory is not null;
            }
        }
    }

    /// <summary>Fires when this host, which works, has to stop.</summary>
    public CancellationToken Lost
    {
        get
        {
            lock (gate)
            {
                return held?.Lost ?? CancellationToken.None;
            }
        }
    }

    /// <summary>Which host works, for people who asked this one.</summary>
    public string Owner => directory is null
        ? $"another host ({HostLock.HolderOf(settings)}) has the data directory {settings.DataDirectory}"
        : $"another host ({lease?.Holder ?? "its name is not known yet"}) has the storage";

    /// <summary>Takes what it takes to work, unless another host has it.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="HostStartException">The data directory cannot be written.</exception>
    /// <exception cref="IOException">The shared storage does not answer.</exception>
    public async Task<bool> TryTakeAsync(CancellationToken cancellationToken)
    {
        if (IsOwner)
        {
            return true;
        }

        lock (gate)
        {
            directory ??= HostLock.TryAcquire(settings);
            if (directory is null)
            {
                return false;
            }

            Note();
        }

        if (lease is null)
        {
            return true;
        }

        if (held is not null)
        {
            await held.DisposeAsync();
        }

        IHeldHostLease? taken = await lease.TryTakeAsync($"process {Environment.ProcessId} on {Environment.MachineName}", cancellationToken);
        lock (gate)
        {
            held = taken;
        }

        return taken is not null;
    }

    /// <summary>Notes where this host answers, for those that stand by.</summary>
    public void Answers(string at)
    {
        lock (gate)
        {
            address = at;
            Note();
        }
    }

    /// <summary>Gives back what was taken.</summary>
    public async ValueTask DisposeAsync()
    {
        if (held is not null)
        {
            await held.DisposeAsync();
            held = null;
        }

        Dispose();
    }

    public void Dispose()
    {
        lock (gate)
        {
            directory?.Dispose();
            directory = null;
        }
    }

    private void Note()
    {
        if (address is not null)
        {
            directory?.Note(address);
        }
    }
}
