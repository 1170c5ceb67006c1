using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>Writes a function's return value, or a property of it, to a blob.</summary>
/// <param name="blobPath"><c>container/name</c>; <c>{x}</c> stands for the trigger's value of that name.</param>
public sealed class BlobOutputAttribute(string blobPath) : OutputBindingAttribute
{
    /// <summary>The path of the blob, with the trigger's values in braces.</summary>
    public string BlobPath { get; } = blobPath;

    /// <summary>The setting that names the storage account; this host has one storage, so it is not read here.</summary>
    public string? Connection { get; set; }
}
