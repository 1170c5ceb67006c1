using EmbeddedHost;
using Ulmfit.Storage;

namespace Ulmfit.Functions;

/// <summary>Lets one of the hosts that share a storage account work, whichever machines they are on.</summary>
internal sealed class BlobHostLease(BlobLease lease) : IHostLease
{
    /// <inheritdoc/>
    public string? Holder => lease.Holder;

    /// <inheritdoc/>
    public async Task<IHeldHostLease?> TryTakeAsync(string holder, CancellationToken cancellationToken) =>
        await lease.TryTakeAsync(holder, cancellationToken) is { } held ? new Held(held) : null;

    private sealed class Held(BlobLease.Held held) : IHeldHostLease
    {
        public CancellationToken Lost => held.Lost;

        public ValueTask DisposeAsync() => held.DisposeAsync();
    }
}
