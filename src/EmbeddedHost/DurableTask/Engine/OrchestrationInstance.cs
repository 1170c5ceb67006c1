using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost.Durable;

/// <summary>
/// One orchestration instance: its log on disk, its state in memory, and the work that follows from it. The state changes only by
/// entries that are on disk already, in their order on disk; whatever is not on disk when the process dies is done again. An
/// instance that has ended and owes no messages keeps only a summary in memory.
/// </summary>
internal sealed class OrchestrationInstance
{
    private static readonly TimeSpan s_writeRetryDelay = TimeSpan.FromSeconds(1);

    private static readonly ParentLink s_noParent = new(string.Empty, string.Empty, string.Empty, -1);

    // Below this length a log that begins anew is not worth rewriting.
    private const long CompactionThreshold = 64 * 1024;

    private readonly DurableTaskHost host;
    private readonly Lock gate = new();
    private readonly List<PendingWrite> writes = [];
    private readonly string path;
    private List<NewEvent> added = [];
    private InstanceState? state;
    private LogFile? log;
    private InstanceSummary summary;
    private bool writing;
    private bool inTurn;
    private bool pumping;
    private bool closed;
    private bool rejectionTold;

    private OrchestrationInstance(DurableTaskHost host, string path, InstanceSummary summary)
    {
        this.host = host;
        this.path = path;
        this.summary = summary;
    }

    /// <summary>What is known without reading the log.</summary>
    public InstanceSummary Summary
    {
        get
        {
            lock (gate)
            {
                return summary;
            }
        }
    }

    /// <summary>Makes a new instance, durable on return.</summary>
    public static OrchestrationInstance Create(DurableTaskHost host, string path, InstanceCreated created)
    {
        LogFile log = LogFile.Create(path, InstanceLogFormat.Write([created]));
        InstanceState state = new InstanceState().Apply(created);
        return new OrchestrationInstance(host, path, InstanceSummary.Of(state)) { state = state, log = log };
    }

    /// <summary>Reads an instance that an earlier process left.</summary>
    /// <exception cref="HistoryCorruptedException">The log is damaged.</exception>
    public static OrchestrationInstance Open(DurableTaskHost host, string path)
    {
        LogContent content = LogFile.Read(path);
        if (content.TornLength > 0)
        {
            host.Logger.TornTail(path, content.TornLength);
        }

        InstanceState state = InstanceState.Load(path, content);
        var instance = new OrchestrationInstance(host, path, InstanceSummary.Of(state)) { state = state };
        if (CanRest(state))
        {
            instance.state = null;
        }
        else
        {
            instance.log = LogFile.Open(path, content.ValidLength);
            instance.added = [.. state.Inbox.Select(message => new NewEvent(message, Durable: true))];
        }

        return instance;
    }

    /// <summary>Takes up what is pending: called once after <see cref="Create"/> or <see cref="Open"/>.</summary>
    public void Start()
    {
        lock (gate)
        {
            if (state is null)
            {
                return;
            }

            if (!state.HasEnded && !IsRejected(state))
            {
                DispatchPending(state);
            }

            PumpOutbox();
            ScheduleTurn();
        }
    }

    /// <summary>Schedules a new orchestration in the place of this ended one.</summary>
    /// <returns>False if this one has not ended.</returns>
    public async Task<bool> RecreateAsync(InstanceCreated created)
    {
        lock (gate)
        {
            if (!summary.HasEnded)
            {
                return false;
            }
        }

        await WriteAsync(created).ConfigureAwait(false);
        lock (gate)
        {
            DispatchPending(state!);
            ScheduleTurn();
        }

        return true;
    }

    /// <summary>Takes in a message, which is durable when the task ends; one that is not for this execution is dropped.</summary>
    public async Task<bool> ReceiveAsync(MessageReceived message)
    {
        lock (gate)
        {
            if (closed || state is null || !state.Accepts(message))
            {
                return false;
            }
        }

        await WriteAsync(message).ConfigureAwait(false);
        return true;
    }

    /// <summary>Hands in what an activity or a timer of an execution came to. Not durable before a turn has taken it up.</summary>
    /// <param name="executionId">The execution.</param>
    /// <param name="completion">What it came to.</param>
    /// <param name="notBefore">Of a timer, the time at which the orchestration sees it fire, even if the clock has been set back.</param>
    public void Complete(string executionId, HistoryEvent completion, DateTime? notBefore = null)
    {
        lock (gate)
        {
            if (!closed && state is { HasEnded: false } && state.ExecutionId == executionId)
            {
                added.Add(new NewEvent(completion, Durable: false, notBefore));
                ScheduleTurn();
            }
        }
    }

    /// <summary>The whole state: out of memory while active, out of the log otherwise; null if the instance is purged.</summary>
    public T? Read<T>(Func<InstanceState, T> read)
        where T : class
    {
        lock (gate)
        {
            if (closed)
            {
                return null;
            }

            return read(state ?? InstanceState.Load(path, LogFile.Read(path)));
        }
    }

    /// <summary>Whether a call of a parent made this instance.</summary>
    public bool IsChildOf(ParentLink parent) => Read(state => state.Parent ?? s_noParent) == parent;

    /// <summary>Deletes an instance that has ended and owes no messages.</summary>
    public bool TryPurge()
    {
        lock (gate)
        {
            if (closed || state is not null || writing)
            {
                return false;
            }

            File.Delete(path);
            DirectorySync.Flush(Path.GetDirectoryName(path)!);
            closed = true;
            return true;
        }
    }

    /// <summary>Writes what may wait for the next write.</summary>
    public void Flush()
    {
        lock (gate)
        {
            if (writes.Count > 0)
            {
                StartWriting();
            }
        }
    }

    /// <summary>Lets go of the file. Called when no writer runs any more.</summary>
    public void Close()
    {
        lock (gate)
        {
            closed = true;
            log?.Dispose();
            log = null;
        }
    }

    private static bool CanRest(InstanceState state) => state.HasEnded && state.Outbox.Count == 0;

    // What the history says was begun and not ended. Called under the lock.
    private void DispatchPending(InstanceState state)
    {
        if (!state.HasStarted)
        {
            if (state.StartAt is { } startAt)
            {
                host.Timers.Add(startAt - TimeOf(state), WakeUp);
            }

            return;
        }

        var tasks = new Dictionary<int, HistoryEvent>();
        foreach (HistoryEvent happened in state.History)
        {
            switch (happened)
            {
                case TaskScheduled task:
                    tasks.Add(task.Id, task);
                    break;
                case TimerCreated timer:
                    tasks.Add(timer.Id, timer);
                    break;
                case TaskCompleted task:
                    tasks.Remove(task.TaskId);
                    break;
                case TaskFailed task:
                    tasks.Remove(task.TaskId);
                    break;
                case TimerFired timer:
                    tasks.Remove(timer.TimerId);
                    break;
                default:
                    break;
            }
        }

        Dispatch(state.ExecutionId, tasks.Values);
    }

    private void Dispatch(string executionId, IEnumerable<HistoryEvent> actions)
    {
        foreach (HistoryEvent action in actions)
        {
            switch (action)
            {
                case TaskScheduled task:
                    host.StartActivity(this, executionId, task);
                    break;
                case TimerCreated timer:
                    host.Timers.Add(timer.FireAt - TimeOf(state!), () => Complete(executionId, new TimerFired(timer.Id), notBefore: timer.FireAt));
                    break;
                default:
                    break;
            }
        }
    }

    // The time of an orchestration never runs back, whatever is done to the clock.
    private DateTime TimeOf(InstanceState state) => host.Now > state.LastUpdatedAt ? host.Now : state.LastUpdatedAt;

    private void WakeUp()
    {
        lock (gate)
        {
            ScheduleTurn();
        }
    }

    // Called under the lock.
    private void ScheduleTurn()
    {
        if (inTurn || closed || this.state is not { HasEnded: false } state || IsRejected(state))
        {
            return;
        }

        bool due = state.HasStarted
            ? added.Count > 0
            : state.StartAt is null || state.StartAt <= host.Now || added.Any(received => received.Event is ExecutionTerminated);
        if (due)
        {
            inTurn = host.Turns.TryAdd(RunTurnAsync);
        }
    }

    // Whether this host leaves the instance to one of another version. Called under the lock.
    private bool IsRejected(InstanceState state)
    {
        if (host.Options.VersionFailure != VersionFailureStrategy.Reject || OrchestrationVersion.IsRunBy(host.Options, state.Version))
        {
            return false;
        }

        if (!rejectionTold)
        {
            rejectionTold = true;
            host.Logger.VersionRejected(state.Name, state.InstanceId, state.Version, host.Options.DefaultVersion);
        }

        return true;
    }

    private async Task RunTurnAsync()
    {
        List<NewEvent> taken;
        InstanceState state;
        lock (gate)
        {
            taken = added;
            added = [];
            state = this.state!;
        }

        TurnRecorded turn = Run(state, taken);
        try
        {
            await WriteAsync(turn).ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            // The host has stopped: the next one runs this turn.
            return;
        }
#pragma warning disable CA1031 // Whatever keeps the turn from being written: it is tried again.
        catch (Exception e)
#pragma warning restore CA1031
        {
            // Nothing has happened then: the same events are run over again.
            host.Logger.WriteFailed(e, path);
            lock (gate)
            {
                added = [.. taken, .. added];
                inTurn = false;
                host.Timers.Add(s_writeRetryDelay, WakeUp);
            }

            return;
        }

        lock (gate)
        {
            inTurn = false;
            ScheduleTurn();
        }
    }

    private TurnRecorded Run(InstanceState state, List<NewEvent> taken)
    {
        host.Logger.TurnStarted(state.Name, state.InstanceId, taken.Count);
        DateTime now = taken.Select(one => one.NotBefore).Append(TimeOf(state)).Max()!.Value;
        List<HistoryEvent> newEvents = [.. taken.Select(one => one.Event)];
        List<HistoryEvent> recorded = [.. taken.Select(one => one.Durable ? new FromInbox() : one.Event)];
        if (!state.HasStarted)
        {
            if (newEvents.OfType<ExecutionTerminated>().FirstOrDefault() is { } terminated)
            {
                var ending = new ExecutionEnding(OrchestrationRuntimeStatus.Terminated, terminated.Output, null);
                return new TurnRecorded(now, recorded, [], false, state.CustomStatus, Outgoing(state, [], ending), ending);
            }

            newEvents.Insert(0, new ExecutionStarted());
            recorded.Insert(0, new ExecutionStarted());
        }

        if (!OrchestrationVersion.IsRunBy(host.Options, state.Version))
        {
            string message = $"The orchestration is of version '{state.Version}', which this host of version '{host.Options.DefaultVersion}' does not run.";
            var ending = new ExecutionEnding(OrchestrationRuntimeStatus.Failed, message, new TaskFailureDetails("VersionMismatch", message, null, null, null));
            return new TurnRecorded(now, recorded, [], false, state.CustomStatus, Outgoing(state, [], ending), ending);
        }

        var turn = new OrchestratorTurn(state, host.Invoker, host.Options, host.LoggerFactory);
        turn.Run(state.History, newEvents, now);
        IReadOnlyCollection<OrchestratorAction> actions = turn.Actions;
        if (turn.Ending?.Status is not null)
        {
            // Only what it tells others outlives an instance; nobody would take the result of a task that it has just begun.
            actions = [.. actions.OfType<SendExternalEvent>()];
        }

        return new TurnRecorded(
            now,
            recorded,
            [.. actions.Select(Recorded)],
            turn.Suspended,
            turn.CustomStatus,
            Outgoing(state, actions, turn.Ending),
            turn.Ending);
    }

    private static HistoryEvent Recorded(OrchestratorAction action) => action switch
    {
        ScheduleActivity task => new TaskScheduled(task.Id, task.Name, task.Version, task.Input),
        CreateDurableTimer timer => new TimerCreated(timer.Id, timer.FireAt),
        StartSubOrchestration sub => new SubOrchestrationCreated(sub.Id, sub.Name, sub.InstanceId),
        SendExternalEvent sent => new EventSent(sent.Id, sent.InstanceId, sent.Name),
        _ => throw new InvalidOperationException($"{action.GetType().Name} has no place in a history."),
    };

    private List<OutgoingMessage> Outgoing(InstanceState state, IEnumerable<OrchestratorAction> actions, ExecutionEnding? ending)
    {
        var messages = new List<OutgoingMessage>();
        long sequence = state.OutboxSequence;
        foreach (OrchestratorAction action in actions)
        {
            switch (action)
            {
                case SendExternalEvent sent:
                    messages.Add(new OutgoingMessage(++sequence, sent.InstanceId, new EventRaised(sent.Name, sent.Input), null, null));
                    break;
                case StartSubOrchestration sub:
                    var parent = new ParentLink(state.Name, state.InstanceId, state.ExecutionId, sub.Id);
                    InstanceCreated start = host.NewInstance(sub.InstanceId, sub.Name, sub.Version, sub.Input, parent, sub.Tags, null);
                    messages.Add(new OutgoingMessage(++sequence, sub.InstanceId, null, null, start));
                    break;
                default:
                    break;
            }
        }

        if (ending?.Status is { } status && state.Parent is { } caller)
        {
            HistoryEvent report = status == OrchestrationRuntimeStatus.Completed
                ? new SubOrchestrationCompleted(caller.TaskId, ending.Output)
                : new SubOrchestrationFailed(caller.TaskId, ending.Failure ?? Terminated(ending.Output));
            messages.Add(new OutgoingMessage(++sequence, caller.InstanceId, report, caller.ExecutionId, null));
        }

        return messages;
    }

    private static TaskFailureDetails Terminated(string? output) => new(
        nameof(OrchestrationRuntimeStatus.Terminated), output ?? "The sub-orchestration was terminated.", null, null, null);

    // Sends what the outbox holds, in order. Called under the lock.
    private void PumpOutbox()
    {
        if (!pumping && state is { Outbox.Count: > 0 })
        {
            pumping = true;
            _ = Task.Run(PumpOutboxAsync);
        }
    }

    private async Task PumpOutboxAsync()
    {
        long delivered = 0;
        while (true)
        {
            OutgoingMessage? next;
            string senderId;
            bool resting;
            lock (gate)
            {
                if (closed || state is null)
                {
                    pumping = false;
                    return;
                }

                next = state.Outbox.FirstOrDefault(message => message.Sequence > delivered);
                senderId = state.SenderId;
                resting = state.HasEnded;
                if (next is null)
                {
                    pumping = false;

                    // While the instance goes on, the note that the messages have arrived may wait for the next write: without
                    // it they are sent again after a crash, and their receivers know them by their numbers.
                    writes.Add(new PendingWrite(new OutboxDelivered(delivered), null));
                    if (resting)
                    {
                        StartWriting();
                    }

                    return;
                }
            }

            try
            {
                await host.DeliverAsync(next, senderId).ConfigureAwait(false);
                delivered = next.Sequence;
            }
            catch (ObjectDisposedException)
            {
                // The host has stopped: the next one sends this message.
                return;
            }
#pragma warning disable CA1031 // Whatever keeps the message from being delivered: it is tried again.
            catch (Exception e)
#pragma warning restore CA1031
            {
                host.Logger.WriteFailed(e, next.Target);
                lock (gate)
                {
                    pumping = false;
                    host.Timers.Add(s_writeRetryDelay, RetryPump);
                }

                return;
            }
        }
    }

    private void RetryPump()
    {
        lock (gate)
        {
            PumpOutbox();
        }
    }

    /// <summary>Adds an entry to the log; it is on disk, and the state has it, when the task ends.</summary>
    private Task WriteAsync(LogEntry entry)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(closed, host);
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            writes.Add(new PendingWrite(entry, done));
            StartWriting();
            return done.Task;
        }
    }

    // Called under the lock.
    private void StartWriting()
    {
        if (writing)
        {
            return;
        }

        writing = host.Writers.TryAdd(WritePending);
        if (!writing)
        {
            foreach (PendingWrite write in writes)
            {
                write.Done?.SetException(new ObjectDisposedException(nameof(DurableTaskHost), "The host has stopped."));
            }

            writes.Clear();
        }
    }

    // One frame takes all entries that came in while the last one was being written.
    private Task WritePending()
    {
        while (true)
        {
            PendingWrite[] batch;
            lock (gate)
            {
                if (writes.Count == 0)
                {
                    writing = false;
                    Rest();
                    break;
                }

                batch = [.. writes];
                writes.Clear();
            }

            try
            {
                Wake();
                log!.Append(InstanceLogFormat.Write([.. batch.Select(write => write.Entry)]));
            }
#pragma warning disable CA1031 // Whatever keeps the log from being written is told to those who wait for it.
            catch (Exception e)
#pragma warning restore CA1031
            {
                foreach (PendingWrite write in batch)
                {
                    write.Done?.SetException(e);
                }

                continue;
            }

            lock (gate)
            {
                foreach (PendingWrite write in batch)
                {
                    Apply(write.Entry);
                }

                if (log.Length > CompactionThreshold && batch.Any(write => BeginsAnew(write.Entry)))
                {
                    Compact();
                }
            }

            host.Changes.Changed(summary.InstanceId);
            foreach (PendingWrite write in batch)
            {
                write.Done?.SetResult();
            }
        }

        host.Changes.Changed(Summary.InstanceId);
        return Task.CompletedTask;
    }

    private static bool BeginsAnew(LogEntry entry) => entry is InstanceCreated or TurnRecorded { Ending: { Status: null } };

    // An instance that rests is read again before anything is added to it.
    private void Wake()
    {
        lock (gate)
        {
            if (state is null)
            {
                LogContent content = LogFile.Read(path);
                state = InstanceState.Load(path, content);
                log = LogFile.Open(path, content.ValidLength);
            }
        }
    }

    // Called under the lock.
    private void Rest()
    {
        if (state is not null && CanRest(state))
        {
            state = null;
            added = [];
            log?.Dispose();
            log = null;
        }
    }

    // Called under the lock.
    private void Compact()
    {
        string path = log!.Path;
        byte[] payload = InstanceLogFormat.Write([new Snapshot(state!)]);
        LogFile compacted;
        try
        {
            compacted = LogFile.Create(path, payload);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The long log holds the same and goes on being used.
            host.Logger.WriteFailed(e, path);
            return;
        }

        log.Dispose();
        log = compacted;
    }

    // Brings the state up to the log and starts what follows from the entry. Called under the lock.
    private void Apply(LogEntry entry)
    {
        InstanceState state = this.state!;
        switch (entry)
        {
            case MessageReceived message:
                bool accepted = state.Accepts(message);
                state.Apply(entry);
                if (accepted)
                {
                    added.Add(new NewEvent(message.Event, Durable: true));
                    ScheduleTurn();
                }

                break;
            case TurnRecorded turn:
                string executionId = state.ExecutionId;
                state.Apply(entry);
                if (turn.Ending is { } ending)
                {
                    End(state, ending);
                }
                else
                {
                    Dispatch(executionId, turn.Actions);
                }

                PumpOutbox();
                break;
            default:
                state.Apply(entry);
                break;
        }

        summary = InstanceSummary.Of(state);
    }

    private void End(InstanceState state, ExecutionEnding ending)
    {
        if (ending.Status is null)
        {
            // The inbox now begins with what was carried over; what timers and activities of the old execution say is void.
            added = [.. state.Inbox.Select(message => new NewEvent(message, Durable: true))];
        }
        else
        {
            added = [];
            if (ending.Failure is { } failure)
            {
                host.Logger.Failed(state.Name, state.InstanceId, failure.ToString());
            }
            else
            {
                host.Logger.Ended(state.Name, state.InstanceId, state.Status.ToString());
            }
        }
    }

    /// <summary>Something that a turn has to take up.</summary>
    /// <param name="Event">What happened.</param>
    /// <param name="Durable">Whether the log's inbox holds it.</param>
    /// <param name="NotBefore">The earliest time at which it can be seen to happen, if there is one.</param>
    private sealed record NewEvent(HistoryEvent Event, bool Durable, DateTime? NotBefore = null);

    private sealed record PendingWrite(LogEntry Entry, TaskCompletionSource? Done);
}
