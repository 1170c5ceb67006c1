using Microsoft.DurableTask.Client;

namespace EmbeddedHost.Durable;

/// <summary>What the index in memory holds of every instance.</summary>
internal sealed record InstanceSummary(
    string InstanceId,
    string Name,
    OrchestrationRuntimeStatus Status,
    bool HasEnded,
    DateTime CreatedAt,
    DateTime LastUpdatedAt,
    IReadOnlyDictionary<string, string>? Tags)
{
    public static InstanceSummary Of(InstanceState state) => new(
        state.InstanceId, state.Name, state.Status, state.HasEnded, state.CreatedAt, state.LastUpdatedAt, state.Tags);
}
