using Microsoft.DurableTask;

namespace EmbeddedHost.Durable;

/// <summary>
/// Host plumbing: runs the application's functions for the <see cref="DurableTaskHost"/>. The function side of the embedded host
/// implements it; applications do not.
/// </summary>
public interface IDurableFunctionInvoker
{
    /// <summary>The names of the orchestrator functions.</summary>
    IReadOnlyCollection<string> OrchestratorNames { get; }

    /// <summary>The names of the activity functions.</summary>
    IReadOnlyCollection<string> ActivityNames { get; }

    /// <summary>
    /// Runs an orchestrator function from its start. Called on the orchestrator's thread, under its synchronization context:
    /// the implementation must call the function before it awaits anything, must not use <c>ConfigureAwait(false)</c> and must
    /// not change threads, because the continuations of the function's awaits run on that same thread only.
    /// </summary>
    /// <param name="name">The function's name, one of <see cref="OrchestratorNames"/> up to case.</param>
    /// <param name="context">The context that the function gets.</param>
    /// <param name="inputJson">The orchestration's input as written by <see cref="DurableTaskHostOptions.DataConverter"/>, or null.</param>
    /// <returns>The function's result, written by the same converter, or null. The function's exception goes through as it is.</returns>
    Task<string?> InvokeOrchestratorAsync(string name, TaskOrchestrationContext context, string? inputJson);

    /// <summary>Runs an activity function.</summary>
    /// <param name="name">The function's name, one of <see cref="ActivityNames"/> up to case.</param>
    /// <param name="inputJson">Its input as written by <see cref="DurableTaskHostOptions.DataConverter"/>, or null.</param>
    /// <param name="instanceId">The calling orchestration instance.</param>
    /// <param name="cancellationToken">
    /// Cancelled when the host stops. An <see cref="OperationCanceledException"/> thrown after that is no failure of the activity:
    /// it runs again when the host is back.
    /// </param>
    /// <returns>The function's result, written by the same converter, or null. The function's exception goes through as it is.</returns>
    Task<string?> InvokeActivityAsync(string name, string? inputJson, string instanceId, CancellationToken cancellationToken);
}
