using System.Reflection;

namespace EmbeddedHost;

/// <summary>Types in which the host looks for functions; registered by <see cref="FunctionSourceExtensions"/>, more than one adds up.</summary>
/// <param name="Types">The types.</param>
internal sealed record FunctionSource(IReadOnlyList<Type> Types)
{
    /// <summary>All types of an assembly.</summary>
    public static FunctionSource Of(Assembly assembly) => new(assembly.GetTypes());
}
