using System.Security.Cryptography;
using Ulmfit.Storage;

namespace Ulmfit.Pipeline.Documents;

/// <summary>
/// Content-addressed payloads in the container <see cref="Containers.State"/>: the name is the SHA-256 of the content, in
/// lower-case hexadecimal. Writing the same content again changes nothing, unless what is there is damaged: then it is mended. What is
/// read is checked against its name.
/// </summary>
/// <param name="store">Where they are.</param>
internal sealed class PayloadStore(IBlobStore store)
{
    /// <summary>Writes what <paramref name="write"/> writes.</summary>
    /// <param name="prefix">What stands before the digest in the name.</param>
    /// <param name="write">Writes the content.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The digest.</returns>
    public async Task<string> PutAsync(string prefix, Action<Stream> write, CancellationToken ct)
    {
        // The digest is the name, so it has to be known before the store sees a byte; a checkpoint is too large to hold twice.
        await using FileStream file = TemporaryFile.Create();
        write(file);
        await file.FlushAsync(ct).ConfigureAwait(false);
        file.Position = 0;
        string digest = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, ct).ConfigureAwait(false));
        file.Position = 0;
        if (await store.PutIfAbsentAsync(Containers.State, prefix + digest, file, ct).ConfigureAwait(false) is null
            && !await IsIntactAsync(prefix, digest, ct).ConfigureAwait(false))
        {
            file.Position = 0;
            await store.PutAsync(Containers.State, prefix + digest, file, ct).ConfigureAwait(false);
        }
        return digest;
    }

    /// <summary>Writes bytes.</summary>
    /// <returns>The digest.</returns>
    public async Task<string> PutAsync(string prefix, byte[] content, CancellationToken ct)
    {
        string digest = Convert.ToHexStringLower(SHA256.HashData(content));
        if (await store.PutIfAbsentAsync(Containers.State, prefix + digest, content, ct).ConfigureAwait(false) is null
            && !await IsIntactAsync(prefix, digest, ct).ConfigureAwait(false))
        {
            await store.PutAsync(Containers.State, prefix + digest, content, ct).ConfigureAwait(false);
        }
        return digest;
    }

    /// <summary>Deletes a payload if it is not what its name says. One that is whole, or has been mended meanwhile, stays.</summary>
    public async Task DeleteDamagedAsync(string prefix, string digest, CancellationToken ct)
    {
        if (await store.GetInfoAsync(Containers.State, prefix + digest, ct).ConfigureAwait(false) is { } seen
            && !await IsIntactAsync(prefix, digest, ct).ConfigureAwait(false))
        {
            await store.DeleteIfMatchAsync(Containers.State, prefix + digest, seen.ETag, ct).ConfigureAwait(false);
        }
    }

    /// <summary>Reads a payload whole and checks it.</summary>
    /// <exception cref="CorruptBlobException">The content is not what its name says, or it is absent.</exception>
    public async Task<byte[]> GetAsync(string prefix, string digest, CancellationToken ct)
    {
        byte[] bytes = await store.GetBytesAsync(Containers.State, prefix + digest, ct).ConfigureAwait(false) ?? throw Absent(prefix, digest);
        string found = Convert.ToHexStringLower(SHA256.HashData(bytes));
        return found == digest ? bytes : throw Damaged(prefix, digest, found);
    }

    /// <summary>Copies a payload to a temporary file, checks it, and opens that.</summary>
    /// <returns>A seekable stream at its start; the file goes with it.</returns>
    /// <exception cref="CorruptBlobException">The content is not what its name says, or it is absent.</exception>
    public async Task<Stream> OpenAsync(string prefix, string digest, CancellationToken ct)
    {
        await using Stream source = await store.OpenReadAsync(Containers.State, prefix + digest, ct).ConfigureAwait(false) ?? throw Absent(prefix, digest);
        FileStream file = TemporaryFile.Create();
        try
        {
            await source.CopyToAsync(file, ct).ConfigureAwait(false);
            file.Position = 0;
            string found = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, ct).ConfigureAwait(false));
            if (found != digest)
            {
                throw Damaged(prefix, digest, found);
            }
            file.Position = 0;
            return file;
        }
        catch
        {
            await file.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Whether a payload is there and is what its name says.</summary>
    public async Task<bool> IsIntactAsync(string prefix, string digest, CancellationToken ct)
    {
        await using Stream? content = await store.OpenReadAsync(Containers.State, prefix + digest, ct).ConfigureAwait(false);
        return content is not null && Convert.ToHexStringLower(await SHA256.HashDataAsync(content, ct).ConfigureAwait(false)) == digest;
    }

    private static CorruptBlobException Absent(string prefix, string digest) =>
        new($"{Containers.State}/{prefix}{digest}", "it is missing although a manifest names it");

    private static CorruptBlobException Damaged(string prefix, string digest, string found) =>
        new($"{Containers.State}/{prefix}{digest}", $"its content has the SHA-256 {found}");
}
