using System.Reflection;
using System.Text.Json;
using EmbeddedHost.Durable;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Converters;

namespace Ulmfit.Functions.Tests.Support;

/// <summary>The app's orchestrator functions, each of which a test may put another in the place of.</summary>
internal sealed class AppOrchestrators : IDurableFunctionInvoker
{
    private static readonly JsonDataConverter Converter = new(new JsonSerializerOptions { PropertyNameCaseInsensitive = true });

    private readonly Dictionary<string, Func<TaskOrchestrationContext, Task<object?>>> functions = new(StringComparer.OrdinalIgnoreCase);

    public AppOrchestrators()
    {
        foreach (MethodInfo method in Assembly.Load("Ulmfit.Functions").GetTypes().SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)))
        {
            if (method.GetCustomAttribute<FunctionAttribute>() is { } function && method.GetParameters().Any(parameter => parameter.GetCustomAttribute<OrchestrationTriggerAttribute>() is not null))
            {
                functions.Add(function.Name, context => CallAsync(method, context));
            }
        }
    }

    public IReadOnlyCollection<string> OrchestratorNames => functions.Keys;

    public IReadOnlyCollection<string> ActivityNames => [];

    /// <summary>Puts another function in the place of one; it gets the one that it replaces.</summary>
    public void Replace(string name, Func<TaskOrchestrationContext, Func<TaskOrchestrationContext, Task<object?>>, Task<object?>> other)
    {
        Func<TaskOrchestrationContext, Task<object?>> replaced = functions[name];
        functions[name] = context => other(context, replaced);
    }

    /// <summary>What would break a recorded history now.</summary>
    public string? FindBreak(RecordedHistory history) =>
        new HistoryReplay(this, new DurableTaskHostOptions { Folder = "", DataConverter = Converter }).FindBreak(history);

    public async Task<string?> InvokeOrchestratorAsync(string name, TaskOrchestrationContext context, string? inputJson) =>
        Converter.Serialize(await functions[name](context));

    public Task<string?> InvokeActivityAsync(string name, string? inputJson, string instanceId, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("A replay runs no activity.");

    private static async Task<object?> CallAsync(MethodInfo method, TaskOrchestrationContext context)
    {
        var task = (Task)method.Invoke(null, [context])!;
        await task;
        return method.ReturnType.IsGenericType ? method.ReturnType.GetProperty("Result")!.GetValue(task) : null;
    }
}
