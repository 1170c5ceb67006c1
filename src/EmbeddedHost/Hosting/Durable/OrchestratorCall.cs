using Microsoft.DurableTask;

namespace EmbeddedHost;

/// <summary>What an orchestrator function is called with.</summary>
/// <param name="Context">Its context.</param>
/// <param name="InputJson">The orchestration's input; null where there is none.</param>
internal sealed record OrchestratorCall(TaskOrchestrationContext Context, string? InputJson);
