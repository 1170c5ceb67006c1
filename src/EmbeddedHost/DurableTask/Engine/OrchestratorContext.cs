using System.Globalization;
using DurableTask.Core.Exceptions;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost.Durable;

/// <summary>
/// The context of one run of an orchestrator function over its history: hands out tasks, numbers what the function does, and holds
/// it against the history.
/// </summary>
internal sealed class OrchestratorContext : TaskOrchestrationContext
{
    public const string IllegalAwait =
        "An invalid asynchronous invocation was detected. This can be caused by awaiting non-durable tasks " +
        "in an orchestrator function's implementation or by middleware that invokes asynchronous code.";

    private readonly InstanceState state;
    private readonly DataConverter converter;
    private readonly string defaultVersion;
    private readonly OrchestratorSynchronizationContext thread;
    private readonly ExternalEvents events;
    private readonly SortedDictionary<int, OrchestratorAction> actions = [];
    private readonly Dictionary<int, OpenTask> open = [];
    private readonly HashSet<TaskFailedException> nonRetriable = new(ReferenceEqualityComparer.Instance);
    private readonly List<EventRaised> carryOver = [];
    private int nextId;
    private int nextGuid;
    private object? customStatus;
    private bool customStatusIsSet;
    private bool isReplaying = true;
    private DateTime now;

    public OrchestratorContext(
        InstanceState state,
        DataConverter converter,
        string? defaultVersion,
        ILoggerFactory loggerFactory,
        OrchestratorSynchronizationContext thread)
    {
        this.state = state;
        this.converter = converter;
        this.defaultVersion = defaultVersion ?? string.Empty;
        this.thread = thread;
        events = new ExternalEvents(converter);
        LoggerFactory = loggerFactory;
    }

    public override TaskName Name => state.Name;

    public override string InstanceId => state.InstanceId;

    public override ParentOrchestrationInstance? Parent =>
        state.Parent is { } parent ? new ParentOrchestrationInstance(parent.Name, parent.InstanceId) : null;

    public override DateTime CurrentUtcDateTime => now;

    public override bool IsReplaying => isReplaying;

    public override string Version => state.Version;

    /// <summary>What the function did that the history does not hold.</summary>
    public IReadOnlyCollection<OrchestratorAction> Actions => actions.Values;

    /// <summary>Whether activities, sub-orchestrations or timers have not ended.</summary>
    public bool HasOpenTasks => open.Count > 0;

    /// <summary>Whether the function has something to wait for.</summary>
    public bool CanGoOn => HasOpenTasks || events.HasWaiters;

    /// <summary>How the function asked to continue as new, if it did.</summary>
    public ContinueAsNewRequest? ContinuesAsNew { get; private set; }

    /// <summary>The events that go on to the next execution.</summary>
    public IReadOnlyList<EventRaised> CarryOver => carryOver;

    protected override ILoggerFactory LoggerFactory { get; }

    public override T? GetInput<T>()
        where T : default
    {
        EnsureOrchestratorThread();
        return converter.Deserialize<T>(state.Input);
    }

    public override Task<TResult> CallActivityAsync<TResult>(TaskName name, object? input = null, TaskOptions? options = null)
    {
        EnsureOrchestratorThread();
        if (input is TaskOptions && options is null)
        {
            throw new ArgumentException(
                $"{nameof(TaskOptions)} were given as the activity's input; name the parameter to give them as options.", nameof(input));
        }

        string version = options?.Version is { } requested ? requested.Version : Version;
        return WithRetryAsync(options, () =>
        {
            int id = nextId++;
            actions.Add(id, new ScheduleActivity(id, name.Name, version, converter.Serialize(input)));
            return ResultAsync<TResult>(Open(id, name.Name));
        });
    }

    public override Task<TResult> CallSubOrchestratorAsync<TResult>(
        TaskName orchestratorName, object? input = null, TaskOptions? options = null)
    {
        EnsureOrchestratorThread();
        string instanceId = (options as SubOrchestrationOptions)?.InstanceId ?? NewGuid().ToString("N");
        Durable.InstanceId.Check(instanceId, nameof(options));
        string version = options?.Version is { } requested ? requested.Version : defaultVersion;
        return WithRetryAsync(options, () =>
        {
            int id = nextId++;
            actions.Add(id, new StartSubOrchestration(
                id, orchestratorName.Name, version, instanceId, converter.Serialize(input), options?.Tags?.AsReadOnly()));
            return ResultAsync<TResult>(Open(id, orchestratorName.Name));
        });
    }

    public override Task CreateTimer(DateTime fireAt, CancellationToken cancellationToken)
    {
        EnsureOrchestratorThread();
        int id = nextId++;
        actions.Add(id, new CreateDurableTimer(id, fireAt.ToUniversalTime()));
        Task<string?> task = Open(id, null);
        cancellationToken.Register(() =>
        {
            // The timer itself still fires, into the void.
            if (this.open.Remove(id, out OpenTask? open))
            {
                open.Source.TrySetCanceled(cancellationToken);
            }
        });
        return task;
    }

    public override Task<T> WaitForExternalEvent<T>(string eventName, CancellationToken cancellationToken = default)
    {
        EnsureOrchestratorThread();
        ArgumentException.ThrowIfNullOrEmpty(eventName);
        return events.WaitAsync<T>(eventName, cancellationToken);
    }

    public override void SendEvent(string instanceId, string eventName, object payload)
    {
        EnsureOrchestratorThread();
        Durable.InstanceId.Check(instanceId, nameof(instanceId));
        ArgumentException.ThrowIfNullOrEmpty(eventName);
        int id = nextId++;
        actions.Add(id, new SendExternalEvent(id, instanceId, eventName, converter.Serialize(payload)));
    }

    public override void SetCustomStatus(object? customStatus)
    {
        EnsureOrchestratorThread();
        this.customStatus = customStatus;
        customStatusIsSet = true;
    }

    public override void ContinueAsNew(object? newInput = null, bool preserveUnprocessedEvents = true) =>
        ContinueAsNew(new ContinueAsNewOptions { NewInput = newInput, PreserveUnprocessedEvents = preserveUnprocessedEvents });

    public override void ContinueAsNew(ContinueAsNewOptions options)
    {
        EnsureOrchestratorThread();
        ArgumentNullException.ThrowIfNull(options);
        string? version = string.IsNullOrWhiteSpace(options.NewVersion) ? null : options.NewVersion;
        ContinuesAsNew = new ContinueAsNewRequest(converter.Serialize(options.NewInput), version);
        IReadOnlyList<EventRaised> unprocessed = events.TakeBuffered();
        if (options.PreserveUnprocessedEvents)
        {
            carryOver.AddRange(unprocessed);
        }
    }

    public override Guid NewGuid()
    {
        EnsureOrchestratorThread();
        string counter = nextGuid++.ToString(CultureInfo.InvariantCulture);
        return DeterministicGuid.Create($"{InstanceId}_{CurrentUtcDateTime:o}_{counter}");
    }

    /// <summary>The custom status after this run: that of earlier executions where this one sets none.</summary>
    public string? SerializeCustomStatus() => customStatusIsSet ? converter.Serialize(customStatus) : state.CustomStatus;

    /// <summary>Whether a failure stays the same however often it is tried.</summary>
    public bool IsNonRetriable(Exception failure) => failure is TaskFailedException task && nonRetriable.Contains(task);

    public void EnsureOrchestratorThread()
    {
        if (!thread.IsOrchestratorThread)
        {
            throw new InvalidOperationException(IllegalAwait);
        }
    }

    /// <summary>The events that follow happened in an earlier turn.</summary>
    public void BeginBatch(DateTime now) => this.now = now;

    /// <summary>The events that follow are new.</summary>
    public void EndReplay() => isReplaying = false;

    /// <summary>Takes the actions of this run away, to be given back when the instance is resumed.</summary>
    public IReadOnlyList<OrchestratorAction> TakeActions()
    {
        OrchestratorAction[] taken = [.. actions.Values];
        actions.Clear();
        return taken;
    }

    public void GiveBackActions(IEnumerable<OrchestratorAction> actions)
    {
        foreach (OrchestratorAction action in actions)
        {
            this.actions.Add(action.Id, action);
        }
    }

    public void Raise(EventRaised raised)
    {
        if (ContinuesAsNew is null)
        {
            events.Raise(raised);
        }
        else
        {
            carryOver.Add(raised);
        }
    }

    /// <summary>Ends an open task; one that is not open has ended before, or was cancelled.</summary>
    public void Complete(int taskId, string? result)
    {
        if (this.open.Remove(taskId, out OpenTask? open))
        {
            open.Source.SetResult(result);
        }
    }

    /// <summary>Fails an open task; one that is not open has ended before.</summary>
    public void Fail(int taskId, TaskFailureDetails failure, bool nonRetriable)
    {
        if (this.open.Remove(taskId, out OpenTask? open))
        {
            var exception = new TaskFailedException(open.Name ?? string.Empty, taskId, failure);
            if (nonRetriable)
            {
                this.nonRetriable.Add(exception);
            }

            open.Source.SetException(exception);
        }
    }

    /// <summary>Holds what the function did against what the history says it did.</summary>
    /// <exception cref="NonDeterministicOrchestrationException">They differ.</exception>
    public void Match<T>(int id, string kind, string? name, Func<T, string?> nameOf)
        where T : OrchestratorAction
    {
        string recorded = name is null ? kind : $"{kind} named '{name}'";
        if (!actions.TryGetValue(id, out OrchestratorAction? action))
        {
            throw Differs(id, recorded, "has not done so (yet)");
        }

        if (action is not T same)
        {
            throw Differs(id, recorded, $"produced a {action.Kind} there instead");
        }

        if (!string.Equals(name, nameOf(same), StringComparison.OrdinalIgnoreCase))
        {
            throw Differs(id, recorded, $"scheduled one named '{nameOf(same)}' there instead");
        }

        actions.Remove(id);
    }

    private static NonDeterministicOrchestrationException Differs(int id, string recorded, string found) => new(
        id,
        $"A previous execution of this orchestration scheduled a {recorded} with sequence number {id}, but the current replay {found}. "
        + "Was a change made to the orchestrator code after this instance had already started running?");

    private Task<T> WithRetryAsync<T>(TaskOptions? options, Func<Task<T>> attempt) => options?.Retry switch
    {
        { Policy: { } policy } => TaskRetry.ByPolicyAsync(this, policy, attempt),
        { Handler: { } handler } => TaskRetry.ByHandlerAsync(this, handler, attempt),
        _ => attempt(),
    };

    private async Task<T> ResultAsync<T>(Task<string?> task) => converter.Deserialize<T>(await task)!;

    private Task<string?> Open(int id, string? name)
    {
        var open = new OpenTask(name, new TaskCompletionSource<string?>());
        this.open.Add(id, open);
        return open.Source.Task;
    }

    private sealed record OpenTask(string? Name, TaskCompletionSource<string?> Source);
}
