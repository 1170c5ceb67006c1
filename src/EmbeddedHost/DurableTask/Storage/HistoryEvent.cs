using System.Text.Json.Serialization;
using Microsoft.DurableTask;

namespace EmbeddedHost.Durable;

/// <summary>Something that happened in an execution of an orchestration. Replay goes over these in order.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "$")]
[JsonDerivedType(typeof(BatchStarted), "batch")]
[JsonDerivedType(typeof(ExecutionStarted), "started")]
[JsonDerivedType(typeof(TaskScheduled), "task")]
[JsonDerivedType(typeof(TaskCompleted), "taskCompleted")]
[JsonDerivedType(typeof(TaskFailed), "taskFailed")]
[JsonDerivedType(typeof(TimerCreated), "timer")]
[JsonDerivedType(typeof(TimerFired), "timerFired")]
[JsonDerivedType(typeof(SubOrchestrationCreated), "sub")]
[JsonDerivedType(typeof(SubOrchestrationCompleted), "subCompleted")]
[JsonDerivedType(typeof(SubOrchestrationFailed), "subFailed")]
[JsonDerivedType(typeof(EventSent), "eventSent")]
[JsonDerivedType(typeof(EventRaised), "event")]
[JsonDerivedType(typeof(ExecutionSuspended), "suspended")]
[JsonDerivedType(typeof(ExecutionResumed), "resumed")]
[JsonDerivedType(typeof(ExecutionTerminated), "terminated")]
[JsonDerivedType(typeof(FromInbox), "inbox")]
internal abstract record HistoryEvent;

/// <summary>A turn began; the time is the orchestration's until the next turn.</summary>
internal sealed record BatchStarted(DateTime At) : HistoryEvent;

internal sealed record ExecutionStarted : HistoryEvent;

internal sealed record TaskScheduled(int Id, string Name, string? Version, string? Input) : HistoryEvent;

internal sealed record TaskCompleted(int TaskId, string? Result) : HistoryEvent;

internal sealed record TaskFailed(int TaskId, TaskFailureDetails Failure, bool NonRetriable) : HistoryEvent;

internal sealed record TimerCreated(int Id, DateTime FireAt) : HistoryEvent;

internal sealed record TimerFired(int TimerId) : HistoryEvent;

internal sealed record SubOrchestrationCreated(int Id, string Name, string InstanceId) : HistoryEvent;

internal sealed record SubOrchestrationCompleted(int TaskId, string? Result) : HistoryEvent;

internal sealed record SubOrchestrationFailed(int TaskId, TaskFailureDetails Failure) : HistoryEvent;

internal sealed record EventSent(int Id, string InstanceId, string Name) : HistoryEvent;

internal sealed record EventRaised(string Name, string? Input) : HistoryEvent;

internal sealed record ExecutionSuspended(string? Reason) : HistoryEvent;

internal sealed record ExecutionResumed(string? Reason) : HistoryEvent;

internal sealed record ExecutionTerminated(string? Output) : HistoryEvent;

/// <summary>In a recorded turn only: the next message of the inbox, which an earlier record holds.</summary>
internal sealed record FromInbox : HistoryEvent;
