namespace Ulmfit.Storage;

/// <summary>One version of a blob, read whole: information and bytes belong to the same version.</summary>
/// <param name="Info">What the store knows of this version.</param>
/// <param name="Bytes">The content.</param>
public sealed record BlobContent(BlobInfo Info, byte[] Bytes);
