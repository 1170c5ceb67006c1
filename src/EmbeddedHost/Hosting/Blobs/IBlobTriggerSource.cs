namespace EmbeddedHost;

/// <summary>Where blob triggers and blob inputs read from. Replace the registered one to read from another storage than the folder.</summary>
public interface IBlobTriggerSource
{
    /// <summary>Lists the blobs that are complete, in no particular order. A container that does not exist has none.</summary>
    /// <param name="container">The container.</param>
    /// <param name="prefix">What the names start with; empty for all.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    IAsyncEnumerable<TriggerBlob> ListAsync(string container, string prefix, CancellationToken cancellationToken);

    /// <summary>Opens a blob.</summary>
    /// <param name="container">The container.</param>
    /// <param name="name">The blob's name.</param>
    /// <param name="etag">The version that is wanted; null for whichever is there.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The content, which the caller disposes; null where the blob is gone or has another version.</returns>
    Task<Stream?> OpenReadAsync(string container, string name, string? etag, CancellationToken cancellationToken);

    /// <summary>Tells of changes in a container, so that it is listed sooner than the next regular scan.</summary>
    /// <param name="container">The container.</param>
    /// <param name="changed">Called after a change, on any thread; must return at once.</param>
    /// <returns>Ends the telling; null where the storage cannot tell.</returns>
    IDisposable? Watch(string container, Action changed);
}
