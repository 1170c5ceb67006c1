using System.Runtime.CompilerServices;
using EmbeddedHost;
using Ulmfit.Storage;

namespace Ulmfit.Functions;

/// <summary>Blob triggers over the app's own store, for stores that are not the folder. They are listed; nothing tells of a change.</summary>
internal sealed class BlobStoreTriggerSource(IBlobStore store) : IBlobTriggerSource, IBlobOutputSink
{
    /// <inheritdoc/>
    public async IAsyncEnumerable<TriggerBlob> ListAsync(string container, string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (BlobInfo blob in store.ListAsync(container, prefix, cancellationToken))
        {
            yield return new TriggerBlob(blob.Name, blob.ETag.Value, blob.Length, blob.LastModified);
        }
    }

    /// <inheritdoc/>
    public async Task<Stream?> OpenReadAsync(string container, string name, string? etag, CancellationToken cancellationToken)
    {
        Stream? content = await store.OpenReadAsync(container, name, cancellationToken);
        if (content is null || etag is null || (await store.GetInfoAsync(container, name, cancellationToken))?.ETag.Value == etag)
        {
            return content;
        }
        await content.DisposeAsync();
        return null;
    }

    /// <inheritdoc/>
    public IDisposable? Watch(string container, Action changed) => null;

    /// <inheritdoc/>
    public Task WriteAsync(string container, string name, Stream content, CancellationToken cancellationToken) =>
        store.PutAsync(container, name, content, cancellationToken);
}
