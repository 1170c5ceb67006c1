using DurableTask.Core.Exceptions;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace Ulmfit.Functions.Orchestration;

/// <summary>Wakes the orchestration of a data set.</summary>
internal static class RetrainStarter
{
    /// <summary>The id of the one instance of a data set.</summary>
    public static string InstanceId(string dataset) => $"retrain-{dataset}";

    /// <summary>
    /// Schedules <c>Retrain</c> unless it runs. That nothing is lost does not rest on this call: an instance looks again before it ends,
    /// and the timer <c>Reconcile</c> finds what came in between.
    /// </summary>
    public static async Task WakeAsync(DurableTaskClient client, string dataset, CancellationToken ct)
    {
        StartOrchestrationOptions options = new StartOrchestrationOptions(InstanceId(dataset)).WithDedupeStatuses(
            OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Pending, OrchestrationRuntimeStatus.Suspended);
        try
        {
            await client.ScheduleNewOrchestrationInstanceAsync(RetrainOrchestration.Name, dataset, options, ct);
        }
        catch (OrchestrationAlreadyExistsException)
        {
            // It runs, and looks again before it ends.
        }
    }
}
