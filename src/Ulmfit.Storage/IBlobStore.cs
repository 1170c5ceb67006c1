using System.Security.Cryptography;

namespace Ulmfit.Storage;

/// <summary>
/// Named blobs in containers, with the conditional writes that idempotent steps and compare-and-swap pointers need.
/// </summary>
/// <remarks>
/// <para>Every write is atomic: a reader, in this process or another, sees the old version or the new one and never a
/// part. A write that has returned has reached the disk or the service.</para>
/// <para>A container comes into being with its first blob; one that does not exist reads as empty.</para>
/// <para>Container names follow Azure's rule: 3 to 63 of <c>a-z 0-9 -</c>, beginning and ending with a letter or digit,
/// without a double hyphen. Blob names are what both stores can hold: see <see cref="BlobNames"/>. Both are checked in every call,
/// which throws <see cref="ArgumentException"/> where they do not hold.</para>
/// <para>Content streams are read from their current position to their end and are not disposed.</para>
/// </remarks>
public interface IBlobStore
{
    /// <summary>Reads a blob whole.</summary>
    /// <param name="container">The container.</param>
    /// <param name="name">The blob.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The blob, or null when it is absent.</returns>
    /// <exception cref="IOException">It is larger than an array can hold, or the store failed.</exception>
    Task<BlobContent?> GetAsync(string container, string name, CancellationToken ct = default);

    /// <summary>Reads a blob whole, with the SHA-256 of its bytes; a store that can takes it while it reads.</summary>
    /// <param name="container">The container.</param>
    /// <param name="name">The blob.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The blob and its digest, or null when it is absent.</returns>
    /// <exception cref="IOException">It is larger than an array can hold, or the store failed.</exception>
    async Task<DigestedBlob?> GetDigestedAsync(string container, string name, CancellationToken ct = default) =>
        await GetAsync(container, name, ct).ConfigureAwait(false) is { } content ? new DigestedBlob(content, SHA256.HashData(content.Bytes)) : null;

    /// <summary>Opens a blob for reading. What is read is one version, even when the blob is replaced or deleted meanwhile.</summary>
    /// <param name="container">The container.</param>
    /// <param name="name">The blob.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>A stream that the caller disposes of, or null when the blob is absent. A read throws
    /// <see cref="IOException"/> where the store can no longer give the version that was opened.</returns>
    Task<Stream?> OpenReadAsync(string container, string name, CancellationToken ct = default);

    /// <summary>Asks for a blob's version, length and time.</summary>
    /// <param name="container">The container.</param>
    /// <param name="name">The blob.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>What the store knows, or null when the blob is absent.</returns>
    Task<BlobInfo?> GetInfoAsync(string container, string name, CancellationToken ct = default);

    /// <summary>Writes a blob, whether or not it exists.</summary>
    /// <param name="container">The container; comes into being where it does not exist.</param>
    /// <param name="name">The blob.</param>
    /// <param name="content">The content; streamed, never held whole.</param>
    /// <param name="ct">Cancels the call; the blob then keeps its old version.</param>
    /// <returns>The version written.</returns>
    Task<BlobInfo> PutAsync(string container, string name, Stream content, CancellationToken ct = default);

    /// <summary>Writes a blob that must not exist. Of any number of concurrent callers exactly one wins.</summary>
    /// <param name="container">The container; comes into being where it does not exist.</param>
    /// <param name="name">The blob.</param>
    /// <param name="content">The content; streamed, never held whole.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The version written, or null when the blob exists.</returns>
    Task<BlobInfo?> PutIfAbsentAsync(string container, string name, Stream content, CancellationToken ct = default);

    /// <summary>Replaces the version of a blob that the caller has seen.</summary>
    /// <param name="container">The container.</param>
    /// <param name="name">The blob.</param>
    /// <param name="content">The content; streamed, never held whole.</param>
    /// <param name="etag">The version to replace.</param>
    /// <param name="ct">Cancels the call; the blob then keeps its old version.</param>
    /// <returns>The version written, or null when the blob is at another version or absent: the race is lost.</returns>
    Task<BlobInfo?> PutIfMatchAsync(string container, string name, Stream content, ETag etag, CancellationToken ct = default);

    /// <summary>Lists blobs in ordinal order of their names.</summary>
    /// <param name="container">The container; one that does not exist lists as empty.</param>
    /// <param name="prefix">What the names begin with; need not end at a segment.</param>
    /// <param name="ct">Cancels the enumeration.</param>
    /// <returns>The blobs. One written or deleted during the enumeration may or may not be among them.</returns>
    IAsyncEnumerable<BlobInfo> ListAsync(string container, string prefix = "", CancellationToken ct = default);

    /// <summary>Deletes a blob, whatever its version.</summary>
    /// <param name="container">The container.</param>
    /// <param name="name">The blob.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>Whether there was one.</returns>
    Task<bool> DeleteAsync(string container, string name, CancellationToken ct = default);

    /// <summary>Deletes the version of a blob that the caller has seen.</summary>
    /// <param name="container">The container.</param>
    /// <param name="name">The blob.</param>
    /// <param name="etag">The version to delete.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>Whether it was deleted; false when the blob is at another version or absent.</returns>
    Task<bool> DeleteIfMatchAsync(string container, string name, ETag etag, CancellationToken ct = default);
}
