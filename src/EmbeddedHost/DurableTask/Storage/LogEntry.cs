using System.Text.Json.Serialization;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace EmbeddedHost.Durable;

/// <summary>A change of an instance, as its log records it. The state of an instance is what its entries add up to.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "$")]
[JsonDerivedType(typeof(InstanceCreated), "created")]
[JsonDerivedType(typeof(MessageReceived), "received")]
[JsonDerivedType(typeof(TurnRecorded), "turn")]
[JsonDerivedType(typeof(OutboxDelivered), "delivered")]
[JsonDerivedType(typeof(Snapshot), "snapshot")]
internal abstract record LogEntry;

/// <summary>The instance was scheduled, perhaps in the place of one that had ended.</summary>
internal sealed record InstanceCreated(
    string InstanceId,
    string SenderId,
    string ExecutionId,
    string Name,
    string Version,
    string? Input,
    ParentLink? Parent,
    IReadOnlyDictionary<string, string>? Tags,
    DateTime CreatedAt,
    DateTime? StartAt) : LogEntry;

/// <summary>A message came in; a turn will take it up.</summary>
/// <param name="Event">What it tells.</param>
/// <param name="ExecutionId">The execution that it is for; null for whichever there is.</param>
/// <param name="Sender">The <see cref="InstanceState.SenderId"/> of the instance that sent it; null for a client.</param>
/// <param name="Sequence">Its number among the sender's messages.</param>
internal sealed record MessageReceived(HistoryEvent Event, string? ExecutionId, string? Sender, long Sequence) : LogEntry;

/// <summary>The orchestrator ran over the history and some new events.</summary>
/// <param name="At">When.</param>
/// <param name="NewEvents">What it took up.</param>
/// <param name="Actions">What it did.</param>
/// <param name="Suspended">Whether it is held after that.</param>
/// <param name="CustomStatus">Its custom status after that.</param>
/// <param name="Outgoing">Messages to other instances.</param>
/// <param name="Ending">How the execution ended, if it did.</param>
internal sealed record TurnRecorded(
    DateTime At,
    IReadOnlyList<HistoryEvent> NewEvents,
    IReadOnlyList<HistoryEvent> Actions,
    bool Suspended,
    string? CustomStatus,
    IReadOnlyList<OutgoingMessage> Outgoing,
    ExecutionEnding? Ending) : LogEntry;

/// <summary>Messages up to a number have arrived and need not be sent again.</summary>
internal sealed record OutboxDelivered(long Sequence) : LogEntry;

/// <summary>All that earlier entries added up to; begins a compacted log.</summary>
internal sealed record Snapshot(InstanceState State) : LogEntry;

/// <summary>Where a sub-orchestration reports to.</summary>
internal sealed record ParentLink(string Name, string InstanceId, string ExecutionId, int TaskId);

/// <summary>A message to another instance: an event for it, or its creation.</summary>
internal sealed record OutgoingMessage(long Sequence, string Target, HistoryEvent? Event, string? ExecutionId, InstanceCreated? Start);

/// <summary>How an execution ended.</summary>
/// <param name="Status">Completed, Failed or Terminated; null where the instance continues as new.</param>
/// <param name="Output">The output, or the input of the next execution.</param>
/// <param name="Failure">Why it failed.</param>
/// <param name="NextExecutionId">The id of the next execution, if there is one.</param>
/// <param name="NextVersion">The version of the next execution; null for the present one.</param>
/// <param name="CarryOver">The events that go on to the next execution.</param>
internal sealed record ExecutionEnding(
    OrchestrationRuntimeStatus? Status,
    string? Output,
    TaskFailureDetails? Failure,
    string? NextExecutionId = null,
    string? NextVersion = null,
    IReadOnlyList<EventRaised>? CarryOver = null);
