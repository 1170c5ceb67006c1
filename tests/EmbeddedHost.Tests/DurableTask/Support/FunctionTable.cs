using EmbeddedHost.Durable;
using Microsoft.DurableTask;

namespace EmbeddedHost.Tests.DurableTask;

/// <summary>Functions of a test, as lambdas.</summary>
internal sealed class FunctionTable(DataConverter converter) : IDurableFunctionInvoker
{
    private readonly Dictionary<string, Func<TaskOrchestrationContext, string?, Task<string?>>> orchestrators =
        new(StringComparer.OrdinalIgnoreCase);

    private readonly Dictionary<string, Func<string?, string, CancellationToken, Task<string?>>> activities =
        new(StringComparer.OrdinalIgnoreCase);

    public IReadOnlyCollection<string> OrchestratorNames => orchestrators.Keys;

    public IReadOnlyCollection<string> ActivityNames => activities.Keys;

    public void Orchestrator<TIn, TOut>(string name, Func<TaskOrchestrationContext, TIn, Task<TOut>> function) =>
        orchestrators[name] = async (context, input) =>
            converter.Serialize(await function(context, converter.Deserialize<TIn>(input)!));

    public void Activity<TIn, TOut>(string name, Func<TIn, CancellationToken, Task<TOut>> function) =>
        activities[name] = async (input, _, cancellation) =>
            converter.Serialize(await function(converter.Deserialize<TIn>(input)!, cancellation));

    public Task<string?> InvokeOrchestratorAsync(string name, TaskOrchestrationContext context, string? inputJson) =>
        orchestrators[name](context, inputJson);

    public Task<string?> InvokeActivityAsync(string name, string? inputJson, string instanceId, CancellationToken cancellationToken) =>
        activities[name](inputJson, instanceId, cancellationToken);
}
