using DurableTask.Core.Exceptions;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace Ulmfit.Functions.Orchestration;

/// <summary>Wakes the orchestration of a pretraining.</summary>
internal static class PretrainStarter
{
    /// <summary>The id of the one instance of a model.</summary>
    public static string InstanceId(string name) => $"pretrain-{name}";

    /// <summary>Schedules <c>Pretrain</c> unless it runs. The timer <c>Reconcile</c> finds what is lost in between.</summary>
    public static async Task WakeAsync(DurableTaskClient client, string name, CancellationToken ct)
    {
        StartOrchestrationOptions options = new StartOrchestrationOptions(InstanceId(name)).WithDedupeStatuses(
            OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Pending, OrchestrationRuntimeStatus.Suspended);
        try
        {
            await client.ScheduleNewOrchestrationInstanceAsync(PretrainOrchestration.Name, name, options, ct);
        }
        catch (OrchestrationAlreadyExistsException)
        {
            // It runs, and looks again before it ends.
        }
    }
}
