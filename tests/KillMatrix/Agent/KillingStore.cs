using Ulmfit.Storage;

namespace KillMatrix.Agent;

/// <summary>A store within whose writes the process may end.</summary>
internal sealed class KillingStore(IBlobStore inner, KillAgent agent) : IBlobStore
{
    public Task<BlobContent?> GetAsync(string container, string name, CancellationToken ct = default) => inner.GetAsync(container, name, ct);

    public Task<Stream?> OpenReadAsync(string container, string name, CancellationToken ct = default) => inner.OpenReadAsync(container, name, ct);

    public Task<BlobInfo?> GetInfoAsync(string container, string name, CancellationToken ct = default) => inner.GetInfoAsync(container, name, ct);

    public IAsyncEnumerable<BlobInfo> ListAsync(string container, string prefix = "", CancellationToken ct = default) => inner.ListAsync(container, prefix, ct);

    public Task<BlobInfo> PutAsync(string container, string name, Stream content, CancellationToken ct = default) =>
        WriteAsync($"put {container}/{name}", content, stream => inner.PutAsync(container, name, stream, ct));

    public Task<BlobInfo?> PutIfAbsentAsync(string container, string name, Stream content, CancellationToken ct = default) =>
        WriteAsync($"new {container}/{name}", content, stream => inner.PutIfAbsentAsync(container, name, stream, ct));

    public Task<BlobInfo?> PutIfMatchAsync(string container, string name, Stream content, ETag etag, CancellationToken ct = default) =>
        WriteAsync($"swap {container}/{name}", content, stream => inner.PutIfMatchAsync(container, name, stream, etag, ct));

    public Task<bool> DeleteAsync(string container, string name, CancellationToken ct = default) =>
        WriteAsync($"delete {container}/{name}", Stream.Null, _ => inner.DeleteAsync(container, name, ct));

    public Task<bool> DeleteIfMatchAsync(string container, string name, ETag etag, CancellationToken ct = default) =>
        WriteAsync($"delete {container}/{name}", Stream.Null, _ => inner.DeleteIfMatchAsync(container, name, etag, ct));

    private async Task<T> WriteAsync<T>(string operation, Stream content, Func<Stream, Task<T>> write)
    {
        KillMode? mode = agent.Begin(operation);
        if (mode is KillMode.Before)
        {
            agent.Kill();
        }
        T result = await write(mode is KillMode.Torn or KillMode.Unnamed ? new KillingStream(content, mode is KillMode.Torn, agent.Kill) : content).ConfigureAwait(false);
        if (mode is not null)
        {
            // Also where the store refused the write before it read a byte.
            agent.Kill();
        }
        return result;
    }
}
