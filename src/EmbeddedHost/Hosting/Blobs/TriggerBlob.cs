namespace EmbeddedHost;

/// <summary>A blob as a listing of its container shows it.</summary>
/// <param name="Name">Its name in the container, parts separated by slashes.</param>
/// <param name="ETag">Changes whenever the content does.</param>
/// <param name="Length">Its size in bytes.</param>
/// <param name="LastModified">When it was last written.</param>
public sealed record TriggerBlob(string Name, string ETag, long Length, DateTimeOffset LastModified);
