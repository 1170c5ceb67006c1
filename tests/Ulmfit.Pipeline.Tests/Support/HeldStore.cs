using System.Collections.Concurrent;
using Ulmfit.Storage;

namespace Ulmfit.Pipeline.Tests.Support;

/// <summary>A store in which the content of named blobs is not to be had until it is let go.</summary>
internal sealed class HeldStore(IBlobStore inner) : IBlobStore
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> held = new(StringComparer.Ordinal);
    private int waiting;

    /// <summary>Readers that wait.</summary>
    public int Waiting => Volatile.Read(ref waiting);

    /// <summary>Holds a blob.</summary>
    public void Hold(string container, string name) => held[$"{container}/{name}"] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Lets all go.</summary>
    public void LetGo()
    {
        foreach (TaskCompletionSource hold in held.Values)
        {
            hold.TrySetResult();
        }
    }

    public async Task<BlobContent?> GetAsync(string container, string name, CancellationToken ct = default)
    {
        await WhenLetGoAsync(container, name, ct);
        return await inner.GetAsync(container, name, ct);
    }

    public async Task<Stream?> OpenReadAsync(string container, string name, CancellationToken ct = default)
    {
        await WhenLetGoAsync(container, name, ct);
        return await inner.OpenReadAsync(container, name, ct);
    }

    public Task<BlobInfo?> GetInfoAsync(string container, string name, CancellationToken ct = default) => inner.GetInfoAsync(container, name, ct);

    public IAsyncEnumerable<BlobInfo> ListAsync(string container, string prefix = "", CancellationToken ct = default) => inner.ListAsync(container, prefix, ct);

    public Task<BlobInfo> PutAsync(string container, string name, Stream content, CancellationToken ct = default) => inner.PutAsync(container, name, content, ct);

    public Task<BlobInfo?> PutIfAbsentAsync(string container, string name, Stream content, CancellationToken ct = default) => inner.PutIfAbsentAsync(container, name, content, ct);

    public Task<BlobInfo?> PutIfMatchAsync(string container, string name, Stream content, ETag etag, CancellationToken ct = default) => inner.PutIfMatchAsync(container, name, content, etag, ct);

    public Task<bool> DeleteAsync(string container, string name, CancellationToken ct = default) => inner.DeleteAsync(container, name, ct);

    public Task<bool> DeleteIfMatchAsync(string container, string name, ETag etag, CancellationToken ct = default) => inner.DeleteIfMatchAsync(container, name, etag, ct);

    private async Task WhenLetGoAsync(string container, string name, CancellationToken ct)
    {
        if (held.TryGetValue($"{container}/{name}", out TaskCompletionSource? hold))
        {
            Interlocked.Increment(ref waiting);
            try
            {
                await hold.Task.WaitAsync(ct);
            }
            finally
            {
                Interlocked.Decrement(ref waiting);
            }
        }
    }
}
