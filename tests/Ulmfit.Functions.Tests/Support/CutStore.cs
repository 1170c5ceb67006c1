using Ulmfit.Storage;

namespace Ulmfit.Functions.Tests.Support;

/// <summary>A store whose line can be cut.</summary>
internal sealed class CutStore(IBlobStore inner) : IBlobStore
{
    private volatile bool isCut;

    public bool IsCut
    {
        get => isCut;
        set => isCut = value;
    }

    public Task<BlobContent?> GetAsync(string container, string name, CancellationToken ct = default) => Check().GetAsync(container, name, ct);

    public Task<Stream?> OpenReadAsync(string container, string name, CancellationToken ct = default) => Check().OpenReadAsync(container, name, ct);

    public Task<BlobInfo?> GetInfoAsync(string container, string name, CancellationToken ct = default) => Check().GetInfoAsync(container, name, ct);

    public Task<BlobInfo> PutAsync(string container, string name, Stream content, CancellationToken ct = default) => Check().PutAsync(container, name, content, ct);

    public Task<BlobInfo?> PutIfAbsentAsync(string container, string name, Stream content, CancellationToken ct = default) => Check().PutIfAbsentAsync(container, name, content, ct);

    public Task<BlobInfo?> PutIfMatchAsync(string container, string name, Stream content, ETag etag, CancellationToken ct = default) => Check().PutIfMatchAsync(container, name, content, etag, ct);

    public IAsyncEnumerable<BlobInfo> ListAsync(string container, string prefix = "", CancellationToken ct = default) => Check().ListAsync(container, prefix, ct);

    public Task<bool> DeleteAsync(string container, string name, CancellationToken ct = default) => Check().DeleteAsync(container, name, ct);

    public Task<bool> DeleteIfMatchAsync(string container, string name, ETag etag, CancellationToken ct = default) => Check().DeleteIfMatchAsync(container, name, etag, ct);

    private IBlobStore Check() => isCut ? throw new IOException("The line is cut.") : inner;
}
