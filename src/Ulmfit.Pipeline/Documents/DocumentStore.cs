using System.Runtime.CompilerServices;
using Ulmfit.Storage;

namespace Ulmfit.Pipeline.Documents;

/// <summary>Checksummed JSON documents over a blob store (see <see cref="SealedJson"/>).</summary>
/// <param name="store">Where they are.</param>
internal sealed class DocumentStore(IBlobStore store)
{
    // Each lost race means that another writer got on, so this many in a row is a writer gone wild.
    private const int MaxAttempts = 200;

    public IBlobStore Blobs => store;

    /// <summary>Reads a document, null when it is absent.</summary>
    /// <exception cref="CorruptBlobException">Its checksum does not fit.</exception>
    public async Task<BlobDocument<T>?> ReadAsync<T>(string container, string name, CancellationToken ct) =>
        await store.GetAsync(container, name, ct).ConfigureAwait(false) is { } blob
            ? new BlobDocument<T>(blob.Info, SealedJson.Read<T>(blob.Bytes, $"{container}/{name}"))
            : null;

    /// <summary>Reads a document that can be made again. A damaged one is deleted, so that it is made again, and read as absent.</summary>
    /// <param name="container">The container.</param>
    /// <param name="name">The document.</param>
    /// <param name="discarded">Is told of the damage.</param>
    /// <param name="ct">Cancels the call.</param>
    public async Task<BlobDocument<T>?> ReadOrDiscardAsync<T>(string container, string name, Action<CorruptBlobException> discarded, CancellationToken ct)
    {
        if (await store.GetAsync(container, name, ct).ConfigureAwait(false) is not { } blob)
        {
            return null;
        }
        try
        {
            return new BlobDocument<T>(blob.Info, SealedJson.Read<T>(blob.Bytes, $"{container}/{name}"));
        }
        catch (CorruptBlobException e)
        {
            discarded(e);

            // Another reader may have been quicker, and the document be made again already.
            await store.DeleteIfMatchAsync(container, name, blob.Info.ETag, ct).ConfigureAwait(false);
            return null;
        }
    }

    /// <summary>Reads all documents below a prefix, in order of their names.</summary>
    public async IAsyncEnumerable<BlobDocument<T>> ReadAllAsync<T>(string container, string prefix, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (BlobInfo blob in store.ListAsync(container, prefix, ct).ConfigureAwait(false))
        {
            if (await ReadAsync<T>(container, blob.Name, ct).ConfigureAwait(false) is { } document)
            {
                yield return document;
            }
        }
    }

    /// <summary>Writes a document that must not exist; null when it does.</summary>
    public Task<BlobInfo?> CreateAsync<T>(string container, string name, T value, CancellationToken ct) =>
        store.PutIfAbsentAsync(container, name, SealedJson.Write(value), ct);

    /// <summary>Writes a document, whether or not it exists.</summary>
    public Task<BlobInfo> WriteAsync<T>(string container, string name, T value, CancellationToken ct) =>
        store.PutAsync(container, name, SealedJson.Write(value), ct);

    /// <summary>Replaces the version of a document that the caller has seen; null when the race is lost.</summary>
    public Task<BlobInfo?> ReplaceAsync<T>(string container, string name, T value, ETag etag, CancellationToken ct) =>
        store.PutIfMatchAsync(container, name, SealedJson.Write(value), etag, ct);

    /// <summary>Changes a document by compare-and-swap, again until no other writer came between.</summary>
    /// <param name="container">The container.</param>
    /// <param name="name">The document.</param>
    /// <param name="change">Gives the new value of the present one (null when absent); the same object for no change.</param>
    /// <param name="ct">Cancels the call.</param>
    public async Task<T> UpdateAsync<T>(string container, string name, Func<T?, T> change, CancellationToken ct)
        where T : class
    {
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            BlobDocument<T>? current = await ReadAsync<T>(container, name, ct).ConfigureAwait(false);
            T changed = change(current?.Value);
            if (ReferenceEquals(changed, current?.Value))
            {
                return changed;
            }
            BlobInfo? written = current is null
                ? await CreateAsync(container, name, changed, ct).ConfigureAwait(false)
                : await ReplaceAsync(container, name, changed, current.Info.ETag, ct).ConfigureAwait(false);
            if (written is not null)
            {
                return changed;
            }
        }
        throw new IOException($"{container}/{name} was changed by others {MaxAttempts} times in a row; something writes it without end.");
    }
}
