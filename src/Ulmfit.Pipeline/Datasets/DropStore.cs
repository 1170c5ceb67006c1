using System.Security.Cryptography;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Storage;

namespace Ulmfit.Pipeline.Datasets;

/// <summary>Takes drops in. A drop never changes once it is there.</summary>
public sealed class DropStore
{
    private readonly IBlobStore store;
    private readonly long maxBytes;

    /// <summary>Makes the store of drops.</summary>
    /// <param name="store">Where they go.</param>
    /// <param name="options">The largest drop.</param>
    public DropStore(IBlobStore store, PipelineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        this.store = store;
        maxBytes = options.Limits.DropBytes;
    }

    /// <summary>Stores a drop. The content is streamed, never held whole.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="name">The drop's name.</param>
    /// <param name="content">The content.</param>
    /// <param name="ct">Cancels the call; then nothing is stored.</param>
    /// <returns>Whether it was stored, was there already with the same content, or is there with another.</returns>
    /// <exception cref="DropTooLargeException">The content is larger than the largest drop.</exception>
    /// <exception cref="ArgumentException">A name is not one.</exception>
    public async Task<DropOutcome> PutAsync(string dataset, string name, Stream content, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        if (!ResourceNames.IsDataset(dataset) || !ResourceNames.IsDrop(name))
        {
            throw new ArgumentException($"'{dataset}/{name}' is not the name of a drop.", nameof(name));
        }
        string path = $"{dataset}/{name}";
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var incoming = new DigestingStream(content, hash, maxBytes, () => new DropTooLargeException(maxBytes));
        if (!await store.ExistsAsync(Containers.Labeled, path, ct).ConfigureAwait(false)
            && await store.PutIfAbsentAsync(Containers.Labeled, path, incoming, ct).ConfigureAwait(false) is not null)
        {
            return DropOutcome.Stored;
        }
        await incoming.CopyToAsync(Stream.Null, ct).ConfigureAwait(false);
        byte[] digest = hash.GetCurrentHash();
        await using Stream? present = await store.OpenReadAsync(Containers.Labeled, path, ct).ConfigureAwait(false);
        if (present is null)
        {
            return DropOutcome.Conflict;
        }
        byte[] found = await SHA256.HashDataAsync(present, ct).ConfigureAwait(false);
        return digest.AsSpan().SequenceEqual(found) ? DropOutcome.Unchanged : DropOutcome.Conflict;
    }
}

/// <summary>What became of a drop sent in.</summary>
public enum DropOutcome
{
    /// <summary>It is stored.</summary>
    Stored,

    /// <summary>It was there already, with the same content.</summary>
    Unchanged,

    /// <summary>A drop of that name is there with other content, and stays.</summary>
    Conflict,
}
