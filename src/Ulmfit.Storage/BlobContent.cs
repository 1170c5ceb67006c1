namespace Ulmfit.Storage;

/// <summary>One version of a blob, read whole: information and bytes belong to the same version.</summary>
/// <param name="Info">What the store knows of this version.</param>
/// <param name="Bytes">The content.</param>
public sealed record BlobContent(BlobInfo Info, byte[] Bytes);

/// <summary>One version of a blob, read whole, and what its bytes amount to.</summary>
/// <param name="Content">The version.</param>
/// <param name="Sha256">The SHA-256 of its bytes.</param>
public sealed record DigestedBlob(BlobContent Content, byte[] Sha256);
