using System.Text;
using System.Text.Json;
using Microsoft.DurableTask;

namespace EmbeddedHost.Durable;

/// <summary>
/// Host plumbing: the log of one orchestration instance as a text, one entry a line, to be kept and compared. Where a failure was
/// thrown is left out of it: stack traces change with every build and name places of the machine that made it.
/// </summary>
public sealed class RecordedHistory
{
    private RecordedHistory(IReadOnlyList<LogEntry> entries)
    {
        Entries = entries;
        var state = new InstanceState();

        // Over a copy: what follows a snapshot changes the state that it holds.
        foreach (LogEntry entry in InstanceLogFormat.Read(InstanceLogFormat.Write(entries)))
        {
            state = state.Apply(entry);
        }

        Last = state.InstanceId.Length > 0 ? state : throw new FormatException("A recorded history begins with the creation of its instance.");
    }

    /// <summary>The instance.</summary>
    public string InstanceId => Last.InstanceId;

    /// <summary>The name of its orchestrator.</summary>
    public string Name => Last.Name;

    /// <summary>The version of its last execution, empty where there is none.</summary>
    public string Version => Last.Version;

    /// <summary>Where the instance stands at the end of what is recorded.</summary>
    public string Status => Last.Status.ToString();

    /// <summary>How often its orchestrator has run, in all executions that are recorded.</summary>
    public int Turns => Entries.OfType<TurnRecorded>().Count();

    /// <summary>The activities of its last execution whose end it waits for.</summary>
    public IReadOnlyList<string> OpenActivities
    {
        get
        {
            int[] ended = [.. Last.History.Select(happened => happened switch
            {
                TaskCompleted completed => completed.TaskId,
                TaskFailed failed => failed.TaskId,
                _ => -1,
            })];
            return Last.HasEnded ? [] : [.. Last.History.OfType<TaskScheduled>().Where(task => !ended.Contains(task.Id)).Select(task => task.Name)];
        }
    }

    /// <summary>Whether its last execution waits for a timer.</summary>
    public bool WaitsForATimer
    {
        get
        {
            int[] fired = [.. Last.History.OfType<TimerFired>().Select(timer => timer.TimerId)];
            return !Last.HasEnded && Last.History.OfType<TimerCreated>().Any(timer => !fired.Contains(timer.Id));
        }
    }

    /// <summary>How many activities have failed in all executions that are recorded.</summary>
    public int FailedActivities => Entries.OfType<TurnRecorded>().Sum(turn => turn.NewEvents.OfType<TaskFailed>().Count());

    internal IReadOnlyList<LogEntry> Entries { get; }

    private InstanceState Last { get; }

    /// <summary>Reads the log of an instance in the folder of a task hub, of a host that runs or has died.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="HistoryCorruptedException">It is damaged.</exception>
    public static RecordedHistory FromLog(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            return new RecordedHistory([.. LogFile.Read(path).Payloads.SelectMany(payload => InstanceLogFormat.Read(payload.Span)).Select(WithoutStackTraces)]);
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            throw new HistoryCorruptedException(path, 0, e.Message);
        }
    }

    /// <summary>Reads what <see cref="ToText"/> wrote, in this version or an earlier one.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">It is no recorded history.</exception>
    public static RecordedHistory Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        try
        {
            return new RecordedHistory(InstanceLogFormat.Read(Encoding.UTF8.GetBytes(text)));
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new FormatException($"This is no recorded history: {e.Message}", e);
        }
    }

    /// <summary>The history as JSON, an array with one line an entry.</summary>
    public string ToText()
    {
        IEnumerable<string> lines = Entries.Select(entry => Encoding.UTF8.GetString(InstanceLogFormat.Write([entry]))[1..^1]);
        return $"[\n{string.Join(",\n", lines)}\n]\n";
    }

    private static LogEntry WithoutStackTraces(LogEntry entry) => entry switch
    {
        MessageReceived received => received with { Event = WithoutStackTraces(received.Event) },
        TurnRecorded turn => turn with
        {
            NewEvents = [.. turn.NewEvents.Select(WithoutStackTraces)],
            Outgoing = [.. turn.Outgoing.Select(message => message with { Event = message.Event is { } told ? WithoutStackTraces(told) : null })],
            Ending = turn.Ending is { } ending ? ending with { Failure = WithoutStackTraces(ending.Failure) } : null,
        },
        Snapshot snapshot => WithoutStackTraces(snapshot),
        _ => entry,
    };

    private static Snapshot WithoutStackTraces(Snapshot snapshot)
    {
        InstanceState state = snapshot.State;
        state.History = [.. state.History.Select(WithoutStackTraces)];
        state.Inbox = [.. state.Inbox.Select(WithoutStackTraces)];
        state.Outbox = [.. state.Outbox.Select(message => message with { Event = message.Event is { } told ? WithoutStackTraces(told) : null })];
        state.Failure = WithoutStackTraces(state.Failure);
        return snapshot;
    }

    private static HistoryEvent WithoutStackTraces(HistoryEvent happened) => happened switch
    {
        TaskFailed failed => failed with { Failure = WithoutStackTraces(failed.Failure)! },
        SubOrchestrationFailed failed => failed with { Failure = WithoutStackTraces(failed.Failure)! },
        _ => happened,
    };

    private static TaskFailureDetails? WithoutStackTraces(TaskFailureDetails? failure) =>
        failure is null ? null : failure with { StackTrace = null, InnerFailure = WithoutStackTraces(failure.InnerFailure) };
}
