using EmbeddedHost.Durable;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost;

/// <summary>Runs the app's orchestrator and activity functions for the durable host.</summary>
internal sealed class DurableFunctionInvoker(
    FunctionCatalog catalog,
    FunctionPipeline pipeline,
    IServiceScopeFactory scopes,
    DataConverter converter,
    ILogger<DurableFunctionInvoker> logger) : IDurableFunctionInvoker
{
    private readonly Dictionary<string, HostedFunction> orchestrators = ByName(
        catalog.OfKind(TriggerKind.Orchestration), f => ((OrchestrationTriggerAttribute)f.Trigger).Orchestration);

    private readonly Dictionary<string, HostedFunction> activities = ByName(
        catalog.OfKind(TriggerKind.Activity), f => ((ActivityTriggerAttribute)f.Trigger).Activity);

    /// <inheritdoc/>
    public IReadOnlyCollection<string> OrchestratorNames => orchestrators.Keys;

    /// <inheritdoc/>
    public IReadOnlyCollection<string> ActivityNames => activities.Keys;

    /// <inheritdoc/>
    public async Task<string?> InvokeOrchestratorAsync(string name, TaskOrchestrationContext context, string? inputJson)
    {
        // Nothing here may leave the orchestrator's synchronization context: no ConfigureAwait(false) up to the function and back.
        await using AsyncServiceScope scope = scopes.CreateAsyncScope();
        var invocation = new HostFunctionContext(
            orchestrators[name], new OrchestratorCall(context, inputJson), scope.ServiceProvider);
        object? result = await pipeline.InvokeAsync(invocation);
        return converter.Serialize(result);
    }

    /// <inheritdoc/>
    public async Task<string?> InvokeActivityAsync(string name, string? inputJson, string instanceId, CancellationToken cancellationToken)
    {
        HostedFunction function = activities[name];
        await using AsyncServiceScope scope = scopes.CreateAsyncScope();
        var invocation = new HostFunctionContext(
            function,
            inputJson,
            scope.ServiceProvider,
            new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase) { ["instanceId"] = instanceId },
            cancellationToken: cancellationToken);
        try
        {
            return converter.Serialize(await pipeline.InvokeAsync(invocation));
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            HostLog.ActivityFailed(logger, function.Name, instanceId, e);
            throw;
        }
    }

    private static Dictionary<string, HostedFunction> ByName(IEnumerable<HostedFunction> functions, Func<HostedFunction, string?> name) =>
        functions.ToDictionary(f => name(f) ?? f.Name, StringComparer.OrdinalIgnoreCase);
}
