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

    private readonly DurableTaskHost _host;
    private readonly Lock _lock = new();
    private readonly List<PendingWrite> _writes = [];
    private readonly string _path;
    private List<NewEvent> _new = [];
    private InstanceState? _state;
    private LogFile? _log;
    private InstanceSummary _summary;
    private bool _writing;
    private bool _inTurn;
    private bool _pumping;
    private bool _closed;

    private OrchestrationInstance(DurableTaskHost host, string path, InstanceSummary summary)
    {
        _host = host;
        _path = path;
        _summary = summary;
    }

    /// <summary>What is known without reading the log.</summary>
    public InstanceSummary Summary
    {
        get
        {
            lock (_lock)
            {
                return _summary;
            }
        }
    }

    /// <summary>Makes a new instance, durable on return.</summary>
    public static OrchestrationInstance Create(DurableTaskHost host, string path, InstanceCreated created)
    {
        LogFile log = LogFile.Create(path, InstanceLogFormat.Write([created]));
        InstanceState state = new InstanceState().Apply(created);
        return new OrchestrationInstance(host, path, InstanceSummary.Of(state)) { _state = state, _log = log };
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
        var instance = new OrchestrationInstance(host, path, InstanceSummary.Of(state)) { _state = state };
        if (CanRest(state))
        {
            instance._state = null;
        }
        else
        {
            instance._log = LogFile.Open(path, content.ValidLength);
            instance._new = [.. state.Inbox.Select(message => new NewEvent(message, Durable: true))];
        }

        return instance;
    }

    /// <summary>Takes up what is pending: called once after <see cref="Create"/> or <see cref="Open"/>.</summary>
    public void Start()
    {
        lock (_lock)
        {
            if (_state is null)
            {
                return;
            }

            if (!_state.HasEnded)
            {
                DispatchPending(_state);
            }

            PumpOutbox();
            ScheduleTurn();
        }
    }

    /// <summary>Schedules a new orchestration in the place of this ended one.</summary>
    /// <returns>False if this one has not ended.</returns>
    public async Task<bool> RecreateAsync(InstanceCreated created)
    {
        lock (_lock)
        {
            if (!_summary.HasEnded)
            {
                return false;
            }
        }

        await WriteAsync(created).ConfigureAwait(false);
        lock (_lock)
        {
            DispatchPending(_state!);
            ScheduleTurn();
        }

        return true;
    }

    /// <summary>Takes in a message, which is durable when the task ends; one that is not for this execution is dropped.</summary>
    public async Task<bool> ReceiveAsync(MessageReceived message)
    {
        lock (_lock)
        {
            if (_closed || _state is null || !_state.Accepts(message))
            {
                return false;
            }
        }

        await WriteAsync(message).ConfigureAwait(false);
        return true;
    }

    /// <summary>Hands in what an activity or a timer of an execution came to. Not durable before a turn has taken it up.</summary>
    public void Complete(string executionId, HistoryEvent completion)
    {
        lock (_lock)
        {
            if (!_closed && _state is { HasEnded: false } && _state.ExecutionId == executionId)
            {
                _new.Add(new NewEvent(completion, Durable: false));
                ScheduleTurn();
            }
        }
    }

    /// <summary>The whole state: out of memory while active, out of the log otherwise; null if the instance is purged.</summary>
    public T? Read<T>(Func<InstanceState, T> read)
        where T : class
    {
        lock (_lock)
        {
            if (_closed)
            {
                return null;
            }

            return read(_state ?? InstanceState.Load(_path, LogFile.Read(_path)));
        }
    }

    /// <summary>Whether a call of a parent made this instance.</summary>
    public bool IsChildOf(ParentLink parent) => Read(state => state.Parent ?? s_noParent) == parent;

    /// <summary>Deletes an instance that has ended and owes no messages.</summary>
    public bool TryPurge()
    {
        lock (_lock)
        {
            if (_closed || _state is not null || _writing)
            {
                return false;
            }

            File.Delete(_path);
            DirectorySync.Flush(Path.GetDirectoryName(_path)!);
            _closed = true;
            return true;
        }
    }

    /// <summary>Writes what may wait for the next write.</summary>
    public void Flush()
    {
        lock (_lock)
        {
            if (_writes.Count > 0)
            {
                StartWriting();
            }
        }
    }

    /// <summary>Lets go of the file. Called when no writer runs any more.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _closed = true;
            _log?.Dispose();
            _log = null;
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
                _host.Timers.Add(startAt, WakeUp);
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
                    _host.StartActivity(this, executionId, task);
                    break;
                case TimerCreated timer:
                    _host.Timers.Add(timer.FireAt, () => Complete(executionId, new TimerFired(timer.Id)));
                    break;
                default:
                    break;
            }
        }
    }

    private void WakeUp()
    {
        lock (_lock)
        {
            ScheduleTurn();
        }
    }

    // Called under the lock.
    private void ScheduleTurn()
    {
        if (_inTurn || _closed || _state is not { HasEnded: false } state)
        {
            return;
        }

        bool due = state.HasStarted
            ? _new.Count > 0
            : state.StartAt is null || state.StartAt <= _host.Now || _new.Any(received => received.Event is ExecutionTerminated);
        if (due)
        {
            _inTurn = _host.Turns.TryAdd(RunTurnAsync);
        }
    }

    private async Task RunTurnAsync()
    {
        List<NewEvent> taken;
        InstanceState state;
        lock (_lock)
        {
            taken = _new;
            _new = [];
            state = _state!;
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
            _host.Logger.WriteFailed(e, _path);
            lock (_lock)
            {
                _new = [.. taken, .. _new];
                _inTurn = false;
                _host.Timers.Add(_host.Now + s_writeRetryDelay, WakeUp);
            }

            return;
        }

        lock (_lock)
        {
            _inTurn = false;
            ScheduleTurn();
        }
    }

    private TurnRecorded Run(InstanceState state, List<NewEvent> taken)
    {
        _host.Logger.TurnStarted(state.Name, state.InstanceId, taken.Count);
        DateTime now = _host.Now > state.LastUpdatedAt ? _host.Now : state.LastUpdatedAt;
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

        var turn = new OrchestratorTurn(state, _host.Invoker, _host.Options, _host.LoggerFactory);
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
                    InstanceCreated start = _host.NewInstance(sub.InstanceId, sub.Name, sub.Version, sub.Input, parent, sub.Tags, null);
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
        if (!_pumping && _state is { Outbox.Count: > 0 })
        {
            _pumping = true;
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
            lock (_lock)
            {
                if (_closed || _state is null)
                {
                    _pumping = false;
                    return;
                }

                next = _state.Outbox.FirstOrDefault(message => message.Sequence > delivered);
                senderId = _state.SenderId;
                resting = _state.HasEnded;
                if (next is null)
                {
                    _pumping = false;

                    // While the instance goes on, the note that the messages have arrived may wait for the next write: without
                    // it they are sent again after a crash, and their receivers know them by their numbers.
                    _writes.Add(new PendingWrite(new OutboxDelivered(delivered), null));
                    if (resting)
                    {
                        StartWriting();
                    }

                    return;
                }
            }

            try
            {
                await _host.DeliverAsync(next, senderId).ConfigureAwait(false);
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
                _host.Logger.WriteFailed(e, next.Target);
                lock (_lock)
                {
                    _pumping = false;
                    _host.Timers.Add(_host.Now + s_writeRetryDelay, RetryPump);
                }

                return;
            }
        }
    }

    private void RetryPump()
    {
        lock (_lock)
        {
            PumpOutbox();
        }
    }

    /// <summary>Adds an entry to the log; it is on disk, and the state has it, when the task ends.</summary>
    private Task WriteAsync(LogEntry entry)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_closed, _host);
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _writes.Add(new PendingWrite(entry, done));
            StartWriting();
            return done.Task;
        }
    }

    // Called under the lock.
    private void StartWriting()
    {
        if (_writing)
        {
            return;
        }

        _writing = _host.Writers.TryAdd(WritePending);
        if (!_writing)
        {
            foreach (PendingWrite write in _writes)
            {
                write.Done?.SetException(new ObjectDisposedException(nameof(DurableTaskHost), "The host has stopped."));
            }

            _writes.Clear();
        }
    }

    // One frame takes all entries that came in while the last one was being written.
    private Task WritePending()
    {
        while (true)
        {
            PendingWrite[] batch;
            lock (_lock)
            {
                if (_writes.Count == 0)
                {
                    _writing = false;
                    Rest();
                    break;
                }

                batch = [.. _writes];
                _writes.Clear();
            }

            try
            {
                Wake();
                _log!.Append(InstanceLogFormat.Write([.. batch.Select(write => write.Entry)]));
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

            lock (_lock)
            {
                foreach (PendingWrite write in batch)
                {
                    Apply(write.Entry);
                }

                if (_log.Length > CompactionThreshold && batch.Any(write => BeginsAnew(write.Entry)))
                {
                    Compact();
                }
            }

            _host.Changes.Changed(_summary.InstanceId);
            foreach (PendingWrite write in batch)
            {
                write.Done?.SetResult();
            }
        }

        _host.Changes.Changed(Summary.InstanceId);
        return Task.CompletedTask;
    }

    private static bool BeginsAnew(LogEntry entry) => entry is InstanceCreated or TurnRecorded { Ending: { Status: null } };

    // An instance that rests is read again before anything is added to it.
    private void Wake()
    {
        lock (_lock)
        {
            if (_state is null)
            {
                LogContent content = LogFile.Read(_path);
                _state = InstanceState.Load(_path, content);
                _log = LogFile.Open(_path, content.ValidLength);
            }
        }
    }

    // Called under the lock.
    private void Rest()
    {
        if (_state is not null && CanRest(_state))
        {
            _state = null;
            _new = [];
            _log?.Dispose();
            _log = null;
        }
    }

    // Called under the lock.
    private void Compact()
    {
        string path = _log!.Path;
        byte[] payload = InstanceLogFormat.Write([new Snapshot(_state!)]);
        LogFile compacted;
        try
        {
            compacted = LogFile.Create(path, payload);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The long log holds the same and goes on being used.
            _host.Logger.WriteFailed(e, path);
            return;
        }

        _log.Dispose();
        _log = compacted;
    }

    // Brings the state up to the log and starts what follows from the entry. Called under the lock.
    private void Apply(LogEntry entry)
    {
        InstanceState state = _state!;
        switch (entry)
        {
            case MessageReceived message:
                bool accepted = state.Accepts(message);
                state.Apply(entry);
                if (accepted)
                {
                    _new.Add(new NewEvent(message.Event, Durable: true));
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

        _summary = InstanceSummary.Of(state);
    }

    private void End(InstanceState state, ExecutionEnding ending)
    {
        if (ending.Status is null)
        {
            // The inbox now begins with what was carried over; what timers and activities of the old execution say is void.
            _new = [.. state.Inbox.Select(message => new NewEvent(message, Durable: true))];
        }
        else
        {
            _new = [];
            if (ending.Failure is { } failure)
            {
                _host.Logger.Failed(state.Name, state.InstanceId, failure.ToString());
            }
            else
            {
                _host.Logger.Ended(state.Name, state.InstanceId, state.Status.ToString());
            }
        }
    }

    /// <summary>Something that a turn has to take up.</summary>
    /// <param name="Event">What happened.</param>
    /// <param name="Durable">Whether the log's inbox holds it.</param>
    private sealed record NewEvent(HistoryEvent Event, bool Durable);

    private sealed record PendingWrite(LogEntry Entry, TaskCompletionSource? Done);
}
