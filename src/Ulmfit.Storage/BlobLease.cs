namespace Ulmfit.Storage;

/// <summary>
/// A lease on a blob: of any number of processes on any number of machines at most one has it. It is a document that its holder replaces
/// again and again, by compare-and-swap; whoever has seen the same version of it for as long as the lease lasts may take it.
/// </summary>
/// <remarks>
/// <para>No two clocks are compared: a waiting process measures on its own how long the document has stood still, and the holder on its own
/// how long ago it began its last replacement. The holder gives up after two thirds of the time, so before another can take it, whatever
/// becomes of its connection.</para>
/// <para>A holder that is stopped as a whole and goes on later, as a suspended machine does, finds out with its next look at the clock. What
/// it writes until then must do no harm by itself, as all writes under put-if-absent and put-if-match do not.</para>
/// </remarks>
public sealed class BlobLease
{
    private readonly IBlobStore store;
    private readonly string container;
    private readonly string name;
    private readonly TimeSpan duration;
    private readonly TimeProvider time;
    private (ETag Version, long Since)? seen;

    /// <summary>Describes a lease; nothing is read or written.</summary>
    /// <param name="store">Where it is.</param>
    /// <param name="container">The container.</param>
    /// <param name="name">The blob.</param>
    /// <param name="duration">How long a holder may be silent. The same for all.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="ArgumentOutOfRangeException">The duration is not above zero.</exception>
    public BlobLease(IBlobStore store, string container, string name, TimeSpan duration, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(duration, TimeSpan.Zero);
        this.store = store;
        this.container = container;
        this.name = name;
        this.duration = duration;
        this.time = time;
    }

    /// <summary>Who had it at the last look, for people; null where nobody had.</summary>
    public string? Holder { get; private set; }

    /// <summary>Looks at the lease, and takes it where nobody has it or its holder has been silent for too long.</summary>
    /// <param name="holder">Who asks, for people.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The lease, kept up until it is disposed of; null where another has it. To be called again and again, by one caller.</returns>
    /// <exception cref="IOException">The store failed, or the document is not one.</exception>
    public async Task<Held?> TryTakeAsync(string holder, CancellationToken ct = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(holder);
        BlobDocument<LeaseDocument>? found = await ReadAsync(ct).ConfigureAwait(false);
        Holder = found?.Value.Holder;
        if (Holder is not null && !HasStoodStill(found!.Info.ETag))
        {
            return null;
        }
        var mine = new LeaseDocument((found?.Value.Term ?? 0) + 1, Guid.NewGuid(), holder, 0);
        long began = time.GetTimestamp();
        BlobInfo? written = found is null
            ? await store.PutJsonIfAbsentAsync(container, name, mine, ct: ct).ConfigureAwait(false)
            : await store.PutJsonIfMatchAsync(container, name, mine, found.Info.ETag, ct: ct).ConfigureAwait(false);
        if (written is null)
        {
            return null;
        }
        seen = null;
        return new Held(this, mine, written.ETag, began);
    }

    private bool HasStoodStill(ETag version)
    {
        if (seen?.Version != version)
        {
            seen = (version, time.GetTimestamp());
            return false;
        }
        return time.GetElapsedTime(seen.Value.Since) >= duration;
    }

    private async Task<BlobDocument<LeaseDocument>?> ReadAsync(CancellationToken ct)
    {
        try
        {
            return await store.GetJsonAsync<LeaseDocument>(container, name, ct: ct).ConfigureAwait(false);
        }
        catch (InvalidDataException e)
        {
            throw new IOException($"The lease {container}/{name} is damaged: {e.Message} Delete it while no host runs.", e);
        }
    }

    /// <summary>A lease that this process has.</summary>
    public sealed class Held : IAsyncDisposable
    {
        private readonly BlobLease lease;
        private readonly CancellationTokenSource lost = new();
        private readonly CancellationTokenSource ended = new();
        private readonly Task renewing;
        private LeaseDocument document;
        private ETag version;
        private long renewed;
        private int disposed;

        internal Held(BlobLease lease, LeaseDocument document, ETag version, long renewed)
        {
            this.lease = lease;
            this.document = document;
            this.version = version;
            this.renewed = renewed;
            Lost = lost.Token;
            renewing = Task.Run(RenewAsync);
        }

        /// <summary>Fires when it is lost, before another can have it.</summary>
        public CancellationToken Lost { get; }

        /// <summary>How often the lease had been taken, this time included: later holders have a higher one.</summary>
        public long Term => document.Term;

        /// <summary>Gives it back, so that another need not wait.</summary>
        public async ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref disposed, 1) != 0)
            {
                return;
            }
            await ended.CancelAsync().ConfigureAwait(false);
            await renewing.ConfigureAwait(false);
            if (!lost.IsCancellationRequested)
            {
                await lost.CancelAsync().ConfigureAwait(false);
                try
                {
                    await lease.store.PutJsonIfMatchAsync(lease.container, lease.name, document with { Holder = null }, version).ConfigureAwait(false);
                }
                catch (IOException)
                {
                    // Then the others wait until its time is over.
                }
            }
            ended.Dispose();
            lost.Dispose();
        }

        private TimeSpan Left => (lease.duration * 2 / 3) - lease.time.GetElapsedTime(renewed);

        private async Task RenewAsync()
        {
            try
            {
                while (true)
                {
                    TimeSpan rest = lease.duration / 6;
                    await Task.Delay(rest < Left ? rest : Positive(Left), lease.time, ended.Token).ConfigureAwait(false);
                    if (!await TryRenewAsync().ConfigureAwait(false))
                    {
                        await lost.CancelAsync().ConfigureAwait(false);
                        return;
                    }
                }
            }
            catch (OperationCanceledException) when (ended.IsCancellationRequested)
            {
            }
        }

        /// <returns>Whether the lease is still this process's.</returns>
        private async Task<bool> TryRenewAsync()
        {
            if (Left <= TimeSpan.Zero)
            {
                return false;
            }
            long began = lease.time.GetTimestamp();
            LeaseDocument next = document with { Beat = document.Beat + 1 };
            using var limit = new CancellationTokenSource(Positive(Left), lease.time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ended.Token);
            try
            {
                BlobInfo? written = await lease.store.PutJsonIfMatchAsync(lease.container, lease.name, next, version, ct: both.Token)
                    .WaitAsync(both.Token).ConfigureAwait(false);
                if (written is null)
                {
                    // Somebody else's, or this process's own, of which the answer was lost.
                    BlobDocument<LeaseDocument>? found = await lease.ReadAsync(both.Token).WaitAsync(both.Token).ConfigureAwait(false);
                    if (found?.Value.Id != document.Id)
                    {
                        return false;
                    }
                    (document, version) = (found.Value, found.Info.ETag);
                    return true;
                }
                (document, version, renewed) = (next, written.ETag, began);
                return true;
            }
            catch (OperationCanceledException) when (limit.IsCancellationRequested && !ended.IsCancellationRequested)
            {
                return false;
            }
            catch (IOException)
            {
                // The store may answer again before the time is over.
                return Left > TimeSpan.Zero;
            }
        }

        private static TimeSpan Positive(TimeSpan span) => span > TimeSpan.FromMilliseconds(1) ? span : TimeSpan.FromMilliseconds(1);
    }

    /// <summary>The document.</summary>
    /// <param name="Term">How often the lease has been taken.</param>
    /// <param name="Id">This taking of it.</param>
    /// <param name="Holder">Who has it, for people; null when it was given back.</param>
    /// <param name="Beat">How often its holder has replaced it.</param>
    internal sealed record LeaseDocument(long Term, Guid Id, string? Holder, long Beat);
}
