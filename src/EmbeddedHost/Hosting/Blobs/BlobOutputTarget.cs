using System.Reflection;

namespace EmbeddedHost;

/// <summary>Where a function's return value, or a property of it, is written.</summary>
/// <param name="Path">The blob's path.</param>
/// <param name="Property">The property; null for the return value itself.</param>
internal sealed record BlobOutputTarget(BlobPathTemplate Path, PropertyInfo? Property);
