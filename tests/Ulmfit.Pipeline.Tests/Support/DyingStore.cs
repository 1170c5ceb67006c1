using Ulmfit.Storage;

namespace Ulmfit.Pipeline.Tests.Support;

/// <summary>A store that dies at the first write of a name.</summary>
internal sealed class DyingStore(IBlobStore inner, Func<string, bool> at) : IBlobStore
{
    public Task<BlobContent?> GetAsync(string container, string name, CancellationToken ct = default) => inner.GetAsync(container, name, ct);

    public Task<Stream?> OpenReadAsync(string container, string name, CancellationToken ct = default) => inner.OpenReadAsync(container, name, ct);

    public Task<BlobInfo?> GetInfoAsync(string container, string name, CancellationToken ct = default) => inner.GetInfoAsync(container, name, ct);

    public IAsyncEnumerable<BlobInfo> ListAsync(string container, string prefix = "", CancellationToken ct = default) => inner.ListAsync(container, prefix, ct);

    public Task<BlobInfo> PutAsync(string container, string name, Stream content, CancellationToken ct = default) => Check(name).PutAsync(container, name, content, ct);

    public Task<BlobInfo?> PutIfAbsentAsync(string container, string name, Stream content, CancellationToken ct = default) => Check(name).PutIfAbsentAsync(container, name, content, ct);

    public Task<BlobInfo?> PutIfMatchAsync(string container, string name, Stream content, ETag etag, CancellationToken ct = default) => Check(name).PutIfMatchAsync(container, name, content, etag, ct);

    public Task<bool> DeleteAsync(string container, string name, CancellationToken ct = default) => Check(name).DeleteAsync(container, name, ct);

    public Task<bool> DeleteIfMatchAsync(string container, string name, ETag etag, CancellationToken ct = default) => Check(name).DeleteIfMatchAsync(container, name, etag, ct);

    private IBlobStore Check(string name) => at(name) ? throw new IOException("The process is gone.") : inner;
}
