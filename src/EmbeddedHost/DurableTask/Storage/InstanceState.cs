using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace EmbeddedHost.Durable;

/// <summary>All that is known of an orchestration instance: the sum of the entries of its log.</summary>
internal sealed class InstanceState
{
    public string InstanceId { get; set; } = string.Empty;

    /// <summary>What other instances know this one's messages by; new where a purged id is used again.</summary>
    public string SenderId { get; set; } = string.Empty;

    public string ExecutionId { get; set; } = string.Empty;

    public string Name { get; set; } = string.Empty;

    public string Version { get; set; } = string.Empty;

    public string? Input { get; set; }

    public ParentLink? Parent { get; set; }

    public IReadOnlyDictionary<string, string>? Tags { get; set; }

    public DateTime CreatedAt { get; set; }

    public DateTime LastUpdatedAt { get; set; }

    public DateTime? StartAt { get; set; }

    public OrchestrationRuntimeStatus Status { get; set; }

    public string? CustomStatus { get; set; }

    public string? Output { get; set; }

    public TaskFailureDetails? Failure { get; set; }

    /// <summary>The history of the present execution.</summary>
    public List<HistoryEvent> History { get; set; } = [];

    /// <summary>Messages that no turn has taken up yet.</summary>
    public List<HistoryEvent> Inbox { get; set; } = [];

    /// <summary>Messages to other instances that may not have arrived yet.</summary>
    public List<OutgoingMessage> Outbox { get; set; } = [];

    /// <summary>The number of the last message sent.</summary>
    public long OutboxSequence { get; set; }

    /// <summary>The number of the last message received from each sender.</summary>
    public Dictionary<string, long> Received { get; set; } = [];

    [JsonIgnore]
    public bool HasEnded => Status
        is OrchestrationRuntimeStatus.Completed or OrchestrationRuntimeStatus.Failed or OrchestrationRuntimeStatus.Terminated;

    [JsonIgnore]
    public bool HasStarted => History.Count > 0;

    /// <summary>The state that a log adds up to.</summary>
    /// <exception cref="HistoryCorruptedException">A record is whole but cannot be read, or there is none.</exception>
    public static InstanceState Load(string path, LogContent content)
    {
        var state = new InstanceState();
        foreach (ReadOnlyMemory<byte> payload in content.Payloads)
        {
            try
            {
                foreach (LogEntry entry in InstanceLogFormat.Read(payload.Span))
                {
                    state = state.Apply(entry);
                }
            }
            catch (Exception e) when (e is JsonException or ArgumentOutOfRangeException)
            {
                throw new HistoryCorruptedException(path, 0, $"a record cannot be understood ({e.Message})");
            }
        }

        return state.InstanceId.Length > 0 ? state : throw new HistoryCorruptedException(path, 0, "it holds no instance");
    }

    /// <summary>This state after an entry: the same object, unless the entry is a snapshot.</summary>
    public InstanceState Apply(LogEntry entry)
    {
        switch (entry)
        {
            case Snapshot snapshot:
                return snapshot.State;
            case InstanceCreated created:
                Apply(created);
                break;
            case MessageReceived received:
                Apply(received);
                break;
            case TurnRecorded turn:
                Apply(turn);
                break;
            case OutboxDelivered delivered:
                Outbox.RemoveAll(message => message.Sequence <= delivered.Sequence);
                break;
            default:
                throw new JsonException($"unknown entry {entry.GetType().Name}");
        }

        return this;
    }

    /// <summary>Whether a message is to be taken in: neither here already nor for another execution.</summary>
    public bool Accepts(MessageReceived message) =>
        !HasEnded
        && (message.ExecutionId is null || message.ExecutionId == ExecutionId)
        && (message.Sender is null || Received.GetValueOrDefault(message.Sender) < message.Sequence);

    private void Apply(InstanceCreated created)
    {
        InstanceId = created.InstanceId;
        SenderId = SenderId.Length > 0 ? SenderId : created.SenderId;
        ExecutionId = created.ExecutionId;
        Name = created.Name;
        Version = created.Version;
        Input = created.Input;
        Parent = created.Parent;
        Tags = created.Tags;
        CreatedAt = created.CreatedAt;
        LastUpdatedAt = created.CreatedAt;
        StartAt = created.StartAt;
        Status = OrchestrationRuntimeStatus.Pending;
        CustomStatus = null;
        Output = null;
        Failure = null;
        History.Clear();
        Inbox.Clear();
    }

    private void Apply(MessageReceived message)
    {
        if (Accepts(message))
        {
            Inbox.Add(message.Event);
            if (message.Sender is not null)
            {
                Received[message.Sender] = message.Sequence;
            }
        }
    }

    private void Apply(TurnRecorded turn)
    {
        LastUpdatedAt = turn.At;
        CustomStatus = turn.CustomStatus;
        Status = turn.Suspended ? OrchestrationRuntimeStatus.Suspended : OrchestrationRuntimeStatus.Running;
        int taken = 0;
        History.Add(new BatchStarted(turn.At));
        History.AddRange(turn.NewEvents.Select(happened => happened is FromInbox ? Inbox[taken++] : happened));
        Inbox.RemoveRange(0, taken);
        History.AddRange(turn.Actions);
        foreach (OutgoingMessage message in turn.Outgoing)
        {
            Outbox.Add(message);
            OutboxSequence = message.Sequence;
        }

        if (turn.Ending is { } ending)
        {
            Apply(ending);
        }
    }

    private void Apply(ExecutionEnding ending)
    {
        if (ending.Status is { } status)
        {
            Status = status;
            Output = ending.Output;
            Failure = ending.Failure;
            Inbox.Clear();
            return;
        }

        ExecutionId = ending.NextExecutionId ?? throw new JsonException("an execution that continues as new names no next one");
        Version = ending.NextVersion ?? Version;
        Input = ending.Output;
        StartAt = null;
        History.Clear();
        Inbox.RemoveAll(message => message is SubOrchestrationCompleted or SubOrchestrationFailed);
        Inbox.InsertRange(0, ending.CarryOver ?? []);
    }
}
