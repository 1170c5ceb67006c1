using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Ulmfit.Storage;

namespace Ulmfit.Functions.Tests.Faults;

/// <summary>
/// A store over another one whose calls fail, lose their answers, break off, take their time and list the past, and whose blobs lose
/// bits, as a plan says.
/// </summary>
internal sealed class FaultyBlobStore(IBlobStore inner, FaultPlan plan) : IBlobStore
{
    private readonly ConcurrentDictionary<string, int> calls = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> faults = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> told = new();
    private readonly Lock gate = new();
    private readonly Dictionary<string, List<(int Number, string Container, string Name, BlobInfo? Now)>> changes = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int total;
    private int changeCount;
    private int rots;

    /// <summary>What keeps all writes and deletions from succeeding, as long as it is set.</summary>
    public StorageFailure? Unwritable { get; set; }

    /// <summary>What <see cref="Unwritable"/> becomes when a blob of this container and prefix has been written; null for nothing.</summary>
    public (string Container, string Prefix, StorageFailure Failure)? UnwritableAfter { get; set; }

    /// <summary>Calls so far.</summary>
    public int Calls => Volatile.Read(ref total);

    /// <summary>What went wrong so far, in order.</summary>
    public IReadOnlyCollection<string> Faults => told;

    /// <summary>Whether a listing was behind.</summary>
    public bool WasBehind { get; private set; }

    /// <summary>Ends after the plan's number of calls, when the second drop is to come in.</summary>
    public Task SecondDropIsDue => reached.Task;

    /// <summary>Lets the second drop come in now.</summary>
    public void DropNow() => reached.TrySetResult();

    public async Task<BlobContent?> GetAsync(string container, string name, CancellationToken ct = default) =>
        await RunAsync(CallKind.Read, $"{container}/{name}", () => inner.GetAsync(container, name, ct), ct);

    public async Task<BlobInfo?> GetInfoAsync(string container, string name, CancellationToken ct = default) =>
        await RunAsync(CallKind.Read, $"{container}/{name}", () => inner.GetInfoAsync(container, name, ct), ct);

    public async Task<Stream?> OpenReadAsync(string container, string name, CancellationToken ct = default)
    {
        string blob = $"{container}/{name}";
        (Fault fault, int nth) = await BeginAsync(CallKind.Open, blob, ct);
        Stream? stream = await inner.OpenReadAsync(container, name, ct);
        return fault == Fault.Midway && stream is not null
            ? new BreakingStream(stream, plan.Draw($"break {blob}", nth, stream.Length + 1), plan.Failure(CallKind.Open, blob, nth))
            : stream;
    }

    public async Task<BlobInfo> PutAsync(string container, string name, Stream content, CancellationToken ct = default) =>
        (await WriteAsync(container, name, async () => await inner.PutAsync(container, name, content, ct), ct))!;

    public Task<BlobInfo?> PutIfAbsentAsync(string container, string name, Stream content, CancellationToken ct = default) =>
        WriteAsync(container, name, () => inner.PutIfAbsentAsync(container, name, content, ct), ct);

    public Task<BlobInfo?> PutIfMatchAsync(string container, string name, Stream content, ETag etag, CancellationToken ct = default) =>
        WriteAsync(container, name, () => inner.PutIfMatchAsync(container, name, content, etag, ct), ct);

    public Task<bool> DeleteAsync(string container, string name, CancellationToken ct = default) =>
        RemoveAsync(container, name, () => inner.DeleteAsync(container, name, ct), ct);

    public Task<bool> DeleteIfMatchAsync(string container, string name, ETag etag, CancellationToken ct = default) =>
        RemoveAsync(container, name, () => inner.DeleteIfMatchAsync(container, name, etag, ct), ct);

    public async IAsyncEnumerable<BlobInfo> ListAsync(string container, string prefix = "", [EnumeratorCancellation] CancellationToken ct = default)
    {
        (Fault fault, _) = await BeginAsync(CallKind.List, $"{container}/{prefix}", ct);
        var listed = new SortedDictionary<string, BlobInfo>(StringComparer.Ordinal);
        await foreach (BlobInfo blob in inner.ListAsync(container, prefix, ct))
        {
            listed[blob.Name] = blob;
        }
        if (fault == Fault.Stale)
        {
            GoBack(container, prefix, listed);
        }
        foreach (BlobInfo blob in listed.Values)
        {
            yield return blob;
        }
    }

    private Task<BlobInfo?> WriteAsync(string container, string name, Func<Task<BlobInfo?>> effect, CancellationToken ct) =>
        RunAsync(
            CallKind.Write,
            $"{container}/{name}",
            async () =>
            {
                BlobInfo? written = await effect();
                if (written is not null)
                {
                    if (UnwritableAfter is { } last && container == last.Container && name.StartsWith(last.Prefix, StringComparison.Ordinal))
                    {
                        (UnwritableAfter, Unwritable) = (null, last.Failure);
                    }
                    Changed(container, name, written);
                    await RotAsync(container, name, ct);
                }
                return written;
            },
            ct);

    private Task<bool> RemoveAsync(string container, string name, Func<Task<bool>> effect, CancellationToken ct) =>
        RunAsync(
            CallKind.Delete,
            $"{container}/{name}",
            async () =>
            {
                bool removed = await effect();
                if (removed)
                {
                    Changed(container, name, null);
                }
                return removed;
            },
            ct);

    private async Task<T> RunAsync<T>(CallKind kind, string blob, Func<Task<T>> effect, CancellationToken ct)
    {
        (Fault fault, int nth) = await BeginAsync(kind, blob, ct);
        T result = await effect();
        return fault == Fault.After ? throw plan.Failure(kind, blob, nth) : result;
    }

    private async Task<(Fault Fault, int Nth)> BeginAsync(CallKind kind, string blob, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        int number = Interlocked.Increment(ref total);
        if (number >= plan.SecondDropAfter)
        {
            reached.TrySetResult();
        }
        string key = $"{kind} {blob}";
        int nth = calls.AddOrUpdate(key, 1, (_, count) => count + 1);
        TimeSpan delay = plan.Delay(kind, blob, nth);
        if (delay > TimeSpan.Zero)
        {
            await Task.Delay(delay, ct);
        }
        if (kind is CallKind.Write or CallKind.Delete && Unwritable is { } failure)
        {
            throw failure == StorageFailure.Full
                ? new IOException($"No space left on device: {blob}", 28)
                : new UnauthorizedAccessException($"Access to {blob} is denied.");
        }
        Fault fault = number >= plan.OutageAt && number < plan.OutageAt + plan.OutageLength ? Fault.Before : plan.Of(kind, blob, nth);
        if (fault == Fault.None)
        {
            return (fault, nth);
        }
        if (faults.AddOrUpdate(key, 1, (_, count) => count + 1) > plan.Spite)
        {
            return (Fault.None, nth);
        }
        told.Enqueue($"{number}: {fault} {key} ({nth})");
        return fault == Fault.Before ? throw plan.Failure(kind, blob, nth) : (fault, nth);
    }

    private async Task RotAsync(string container, string name, CancellationToken ct)
    {
        string blob = $"{container}/{name}";
        int nth = calls.AddOrUpdate($"rot {blob}", 1, (_, count) => count + 1);
        if (!plan.Rot(blob, nth) || Interlocked.Increment(ref rots) > plan.Rots || await inner.GetAsync(container, name, ct) is not { } whole)
        {
            return;
        }
        long bit = plan.Draw($"bit {blob}", nth, 8L * whole.Bytes.Length);
        whole.Bytes[bit / 8] ^= (byte)(1 << (int)(bit % 8));
        await inner.PutIfMatchAsync(container, name, whole.Bytes, whole.Info.ETag, ct);
        told.Enqueue($"{Calls}: bit {bit} of {blob} flips");
    }

    private void Changed(string container, string name, BlobInfo? now)
    {
        lock (gate)
        {
            string blob = $"{container}/{name}";
            if (!changes.TryGetValue(blob, out List<(int Number, string Container, string Name, BlobInfo? Now)>? of))
            {
                changes[blob] = of = [];
            }
            of.Add((++changeCount, container, name, now));
        }
    }

    // What was there some changes ago. What has never been changed was there all the time.
    private void GoBack(string container, string prefix, SortedDictionary<string, BlobInfo> listed)
    {
        lock (gate)
        {
            int then = changeCount - plan.Behind;
            foreach (List<(int Number, string Container, string Name, BlobInfo? Now)> of in changes.Values)
            {
                (_, string where, string name, _) = of[0];
                if (where != container || !name.StartsWith(prefix, StringComparison.Ordinal) || of[^1].Number <= then)
                {
                    continue;
                }
                WasBehind = true;
                if (of.LastOrDefault(change => change.Number <= then).Now is { } old)
                {
                    listed[name] = old;
                }
                else
                {
                    listed.Remove(name);
                }
            }
        }
    }

    /// <summary>Gives some bytes of another stream, then fails.</summary>
    private sealed class BreakingStream(Stream inner, long good, Exception failure) : Stream
    {
        private long read;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => inner.Length;

        public override long Position
        {
            get => read;
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            if (read >= good)
            {
                throw failure;
            }
            int got = inner.Read(buffer[..(int)Math.Min(buffer.Length, good - read)]);
            read += got;
            return got;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (read >= good)
            {
                throw failure;
            }
            int got = await inner.ReadAsync(buffer[..(int)Math.Min(buffer.Length, good - read)], cancellationToken);
            read += got;
            return got;
        }

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
            }
            base.Dispose(disposing);
        }
    }
}
