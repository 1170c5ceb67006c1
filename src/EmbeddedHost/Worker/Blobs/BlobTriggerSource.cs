namespace Microsoft.Azure.Functions.Worker;

/// <summary>Where a blob trigger learns of blobs.</summary>
public enum BlobTriggerSource
{
    /// <summary>The container is scanned, and a receipt is kept for each blob that was processed.</summary>
    LogsAndContainerScan,

    /// <summary>Events announce blobs and no receipt is kept: the function is called at least once for each.</summary>
    EventGrid,
}
