namespace Microsoft.Azure.Functions.Worker;

/// <summary>One invocation of a function, as the function and the middleware see it.</summary>
public abstract class FunctionContext
{
    /// <summary>The invocation's id, unique to it.</summary>
    public abstract string InvocationId { get; }

    /// <summary>The function's id, stable as long as its name and entry point are.</summary>
    public abstract string FunctionId { get; }

    /// <summary>The trace that the invocation belongs to.</summary>
    public abstract TraceContext TraceContext { get; }

    /// <summary>The data that the trigger brought along.</summary>
    public abstract BindingContext BindingContext { get; }

    /// <summary>Where the invocation stands in its retry policy.</summary>
    public abstract RetryContext RetryContext { get; }

    /// <summary>The services of this invocation's scope.</summary>
    public abstract IServiceProvider InstanceServices { get; set; }

    /// <summary>The function that is invoked.</summary>
    public abstract FunctionDefinition FunctionDefinition { get; }

    /// <summary>A place for middleware and function to share data in.</summary>
    public abstract IDictionary<object, object> Items { get; set; }

    /// <summary>Features of the invocation.</summary>
    public abstract IInvocationFeatures Features { get; }

    /// <summary>Cancelled when the caller is gone or the host stops.</summary>
    public virtual CancellationToken CancellationToken { get; } = CancellationToken.None;
}
