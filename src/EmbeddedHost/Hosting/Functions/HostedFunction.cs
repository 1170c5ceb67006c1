using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace EmbeddedHost;

/// <summary>Fills one parameter of a function.</summary>
/// <param name="context">The invocation.</param>
internal delegate ValueTask<object?> ParameterBinder(HostFunctionContext context);

/// <summary>A function that was found and can be bound.</summary>
internal sealed class HostedFunction
{
    public required string Name { get; init; }

    public required MethodInfo Method { get; init; }

    public required TriggerKind Kind { get; init; }

    public required TriggerBindingAttribute Trigger { get; init; }

    public required HostFunctionDefinition Definition { get; init; }

    /// <summary>One for each parameter, in order.</summary>
    public required IReadOnlyList<ParameterBinder> Binders { get; init; }

    public required IReadOnlyList<BlobOutputTarget> Outputs { get; init; }

    public required FunctionMethod Call { get; init; }

    public required RetryPlan Retry { get; init; }

    /// <summary>The route with its prefix, for HTTP functions.</summary>
    public string? Route { get; init; }

    /// <summary>The container and pattern, for blob functions.</summary>
    public BlobPathPattern? BlobPattern { get; init; }

    /// <summary>The schedule, for timer functions.</summary>
    public TimerSchedule? Schedule { get; init; }
}
