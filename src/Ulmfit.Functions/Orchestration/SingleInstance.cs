using DurableTask.Core.Exceptions;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace Ulmfit.Functions.Orchestration;

/// <summary>Wakes orchestrations of which one instance may run at a time, and which look again for what there is to do before they end.</summary>
internal static class SingleInstance
{
    /// <summary>
    /// Schedules an instance unless it runs. That nothing is lost does not rest on this call: an instance looks again before it ends,
    /// and the timer <c>Reconcile</c> finds what came in between.
    /// </summary>
    public static async Task WakeAsync(DurableTaskClient client, string orchestration, string instanceId, string input, CancellationToken ct)
    {
        StartOrchestrationOptions options = new StartOrchestrationOptions(instanceId).WithDedupeStatuses(
            OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Pending, OrchestrationRuntimeStatus.Suspended);
        try
        {
            await client.ScheduleNewOrchestrationInstanceAsync(orchestration, input, options, ct);
        }
        catch (OrchestrationAlreadyExistsException)
        {
            // It runs, and looks again before it ends.
        }
    }
}
