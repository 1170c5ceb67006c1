namespace Ulmfit.Storage;

/// <summary>A JSON blob, read: the value and the version it was read from, for a conditional write afterwards.</summary>
/// <typeparam name="T">What the JSON describes.</typeparam>
/// <param name="Info">What the store knows of this version.</param>
/// <param name="Value">The value read.</param>
public sealed record BlobDocument<T>(BlobInfo Info, T Value);
