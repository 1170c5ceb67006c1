using Microsoft.DurableTask.Client;

namespace Ulmfit.Functions.Orchestration;

/// <summary>Wakes the orchestration of a data set.</summary>
internal static class RetrainStarter
{
    /// <summary>The id of the one instance of a data set.</summary>
    public static string InstanceId(string dataset) => $"retrain-{dataset}";

    /// <summary>Schedules it unless it runs.</summary>
    public static Task WakeAsync(DurableTaskClient client, string dataset, CancellationToken ct) =>
        SingleInstance.WakeAsync(client, RetrainOrchestration.Name, InstanceId(dataset), dataset, ct);
}
