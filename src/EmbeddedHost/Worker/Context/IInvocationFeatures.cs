namespace Microsoft.Azure.Functions.Worker;

/// <summary>Objects that travel with an invocation, by type.</summary>
public interface IInvocationFeatures : IEnumerable<KeyValuePair<Type, object>>
{
    /// <summary>Sets the feature of a type.</summary>
    /// <typeparam name="T">The type it is asked for by.</typeparam>
    /// <param name="instance">The feature.</param>
    void Set<T>(T instance);

    /// <summary>The feature of a type, or the default where it was not set.</summary>
    /// <typeparam name="T">The type that it was set by.</typeparam>
    T? Get<T>();
}
