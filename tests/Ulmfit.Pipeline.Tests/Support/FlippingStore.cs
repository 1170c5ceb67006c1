using Ulmfit.Storage;

namespace Ulmfit.Pipeline.Tests.Support;

/// <summary>A store that gives one blob with one bit flipped. Nothing is written, so that every bit of a blob can be tried.</summary>
internal sealed class FlippingStore(IBlobStore inner) : IBlobStore
{
    private (string Container, string Name, long Bit)? flipped;

    /// <summary>Which bit of which blob is flipped from now on.</summary>
    public void Flip(string container, string name, long bit) => flipped = (container, name, bit);

    /// <summary>Gives all blobs as they are.</summary>
    public void Mend() => flipped = null;

    public async Task<BlobContent?> GetAsync(string container, string name, CancellationToken ct = default)
    {
        BlobContent? content = await inner.GetAsync(container, name, ct);
        return content is null ? null : content with { Bytes = Flipped(container, name, content.Bytes) };
    }

    public async Task<Stream?> OpenReadAsync(string container, string name, CancellationToken ct = default) =>
        flipped is { } f && f.Container == container && f.Name == name
            ? await GetAsync(container, name, ct) is { } content ? new MemoryStream(content.Bytes) : null
            : await inner.OpenReadAsync(container, name, ct);

    public Task<BlobInfo?> GetInfoAsync(string container, string name, CancellationToken ct = default) => inner.GetInfoAsync(container, name, ct);

    public Task<BlobInfo> PutAsync(string container, string name, Stream content, CancellationToken ct = default) => inner.PutAsync(container, name, content, ct);

    public Task<BlobInfo?> PutIfAbsentAsync(string container, string name, Stream content, CancellationToken ct = default) => inner.PutIfAbsentAsync(container, name, content, ct);

    public Task<BlobInfo?> PutIfMatchAsync(string container, string name, Stream content, ETag etag, CancellationToken ct = default) => inner.PutIfMatchAsync(container, name, content, etag, ct);

    public IAsyncEnumerable<BlobInfo> ListAsync(string container, string prefix = "", CancellationToken ct = default) => inner.ListAsync(container, prefix, ct);

    // What is noticed may be deleted; here it stays for the next bit.
    public async Task<bool> DeleteAsync(string container, string name, CancellationToken ct = default) => await inner.GetInfoAsync(container, name, ct) is not null;

    public async Task<bool> DeleteIfMatchAsync(string container, string name, ETag etag, CancellationToken ct = default) => (await inner.GetInfoAsync(container, name, ct))?.ETag == etag;

    private byte[] Flipped(string container, string name, byte[] bytes)
    {
        if (flipped is { } f && f.Container == container && f.Name == name)
        {
            bytes[f.Bit / 8] ^= (byte)(1 << (int)(f.Bit % 8));
        }
        return bytes;
    }
}
