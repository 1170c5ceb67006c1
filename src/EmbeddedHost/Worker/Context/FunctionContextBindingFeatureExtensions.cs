using EmbeddedHost;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>Access to an invocation's result, for middleware.</summary>
public static class FunctionContextBindingFeatureExtensions
{
    /// <summary>The result of the function; has no value before the function ran.</summary>
    /// <param name="context">The invocation.</param>
    public static InvocationResult GetInvocationResult(this FunctionContext context) =>
        Feature(context);

    /// <summary>The result of the function as a given type.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="context">The invocation.</param>
    /// <exception cref="InvalidOperationException">The result is not of that type.</exception>
    public static InvocationResult<T> GetInvocationResult<T>(this FunctionContext context)
    {
        ResultFeature feature = Feature(context);
        return feature.Value is T
            ? new TypedResult<T>(feature)
            : throw new InvalidOperationException($"The requested type {typeof(T)} does not match the type of the invocation result ({feature.Value?.GetType().ToString() ?? "null"}).");
    }

    private static ResultFeature Feature(FunctionContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Features.Get<ResultFeature>()
            ?? throw new InvalidOperationException("This context was not made by the host.");
    }

    private sealed class TypedResult<T>(ResultFeature feature) : InvocationResult<T>
    {
        public override T? Value
        {
            get => (T?)feature.Value;
            set => feature.Value = value;
        }
    }
}
