using Microsoft.Azure.Functions.Worker;

namespace EmbeddedHost;

/// <summary>Holds what a function returned, between the function, the middleware and the trigger.</summary>
internal sealed class ResultFeature : InvocationResult
{
    public override object? Value { get; set; }
}
