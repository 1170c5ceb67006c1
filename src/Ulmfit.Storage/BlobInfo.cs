namespace Ulmfit.Storage;

/// <summary>What a store knows of one version of a blob without reading it.</summary>
/// <param name="Name">The name within its container, segments parted by <c>/</c>.</param>
/// <param name="ETag">The mark of this version.</param>
/// <param name="Length">Bytes of content.</param>
/// <param name="LastModified">When this version was written, by the store's clock.</param>
public sealed record BlobInfo(string Name, ETag ETag, long Length, DateTimeOffset LastModified);
