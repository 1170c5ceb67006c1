using Ulmfit.Storage;

namespace Ulmfit.Pipeline.Tests.Support;

/// <summary>
/// A store under which an execution can be made to come back late, as that of a worker does which was taken for dead: it reads and works
/// when it should, and its first write waits until it is let go.
/// </summary>
internal sealed class LateStore(IBlobStore inner) : IBlobStore
{
    private readonly AsyncLocal<Late?> current = new();

    /// <summary>Begins an execution whose writes are held.</summary>
    public Late Begin(Func<Task> execution)
    {
        var late = new Late();
        late.Execution = Task.Run(async () =>
        {
            current.Value = late;
            await execution();
        });
        return late;
    }

    public Task<BlobContent?> GetAsync(string container, string name, CancellationToken ct = default) => inner.GetAsync(container, name, ct);

    public Task<Stream?> OpenReadAsync(string container, string name, CancellationToken ct = default) => inner.OpenReadAsync(container, name, ct);

    public Task<BlobInfo?> GetInfoAsync(string container, string name, CancellationToken ct = default) => inner.GetInfoAsync(container, name, ct);

    public IAsyncEnumerable<BlobInfo> ListAsync(string container, string prefix = "", CancellationToken ct = default) => inner.ListAsync(container, prefix, ct);

    public Task<BlobInfo> PutAsync(string container, string name, Stream content, CancellationToken ct = default) =>
        WhenLetGoAsync(() => inner.PutAsync(container, name, content, ct), ct);

    public Task<BlobInfo?> PutIfAbsentAsync(string container, string name, Stream content, CancellationToken ct = default) =>
        WhenLetGoAsync(() => inner.PutIfAbsentAsync(container, name, content, ct), ct);

    public Task<BlobInfo?> PutIfMatchAsync(string container, string name, Stream content, ETag etag, CancellationToken ct = default) =>
        WhenLetGoAsync(() => inner.PutIfMatchAsync(container, name, content, etag, ct), ct);

    public Task<bool> DeleteAsync(string container, string name, CancellationToken ct = default) =>
        WhenLetGoAsync(() => inner.DeleteAsync(container, name, ct), ct);

    public Task<bool> DeleteIfMatchAsync(string container, string name, ETag etag, CancellationToken ct = default) =>
        WhenLetGoAsync(() => inner.DeleteIfMatchAsync(container, name, etag, ct), ct);

    private async Task<T> WhenLetGoAsync<T>(Func<Task<T>> write, CancellationToken ct)
    {
        if (current.Value is { } late)
        {
            await late.WaitAsync(ct);
        }
        return await write();
    }

    /// <summary>An execution that comes back late.</summary>
    public sealed class Late
    {
        private readonly TaskCompletionSource writes = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource letGo = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>The execution itself.</summary>
        public Task Execution { get; set; } = Task.CompletedTask;

        /// <summary>Ends when the execution waits at its first write, or has ended without one.</summary>
        public Task WaitsOrEnded => Task.WhenAny(writes.Task, Execution);

        /// <summary>Lets it write.</summary>
        public void LetGo() => letGo.TrySetResult();

        public Task WaitAsync(CancellationToken ct)
        {
            writes.TrySetResult();
            return letGo.Task.WaitAsync(ct);
        }
    }
}
