using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>Starts a function for each new or changed blob whose path matches a pattern.</summary>
/// <param name="blobPath"><c>container</c> or <c>container/pattern</c>, where <c>{name}</c> in the pattern binds a parameter of that name.</param>
public sealed class BlobTriggerAttribute(string blobPath) : TriggerBindingAttribute
{
    /// <summary>The container and the pattern of names in it.</summary>
    public string BlobPath { get; } = blobPath;

    /// <summary>The setting that names the storage account; this host has one storage, so it is not read here.</summary>
    public string? Connection { get; set; }

    /// <summary>Where the host learns of blobs.</summary>
    public BlobTriggerSource Source { get; set; } = BlobTriggerSource.LogsAndContainerScan;
}
