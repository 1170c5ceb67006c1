using Microsoft.DurableTask.Client;

namespace Ulmfit.Functions.Orchestration;

/// <summary>Wakes the orchestration of a pretraining.</summary>
internal static class PretrainStarter
{
    /// <summary>The id of the one instance of a model.</summary>
    public static string InstanceId(string name) => $"pretrain-{name}";

    /// <summary>Schedules it unless it runs.</summary>
    public static Task WakeAsync(DurableTaskClient client, string name, CancellationToken ct) =>
        SingleInstance.WakeAsync(client, PretrainOrchestration.Name, InstanceId(name), name, ct);
}
