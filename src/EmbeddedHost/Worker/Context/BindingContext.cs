namespace Microsoft.Azure.Functions.Worker;

/// <summary>The data that the trigger brought along.</summary>
public abstract class BindingContext
{
    /// <summary>Route values, parts of a blob's path and the like, by name without regard to case.</summary>
    public abstract IReadOnlyDictionary<string, object?> BindingData { get; }
}
