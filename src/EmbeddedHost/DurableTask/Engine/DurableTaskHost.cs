using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using DurableTask.Core.Exceptions;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost.Durable;

/// <summary>
/// Host plumbing: one task hub, with its orchestrations and activities. Made, started and stopped by the embedded host;
/// applications see its <see cref="Client"/> only. The hub is a folder with one log file an instance, and belongs to one host at a
/// time. Whatever was acknowledged survives the death of the process at any instant; activities run at least once.
/// </summary>
public sealed class DurableTaskHost : IAsyncDisposable
{
    private const int Gates = 64;

    // Writers wait for the disk most of the time.
    private const int ConcurrentWriters = 16;

    private readonly ConcurrentDictionary<string, OrchestrationInstance> instances = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, HistoryCorruptedException> corrupted = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim[] gates = [.. Enumerable.Range(0, Gates).Select(_ => new SemaphoreSlim(1, 1))];
    private readonly CancellationTokenSource stopping = new();
    private readonly Lock stopLock = new();
    private readonly WorkPool activities;
    private readonly TimeProvider clock;
    private readonly string hubFolder;
    private readonly string instanceFolder;
    private FileStream? hubLock;
    private Task? stop;

    /// <summary>Makes a host; nothing is read or run before <see cref="StartAsync"/>.</summary>
    /// <param name="options">Settings.</param>
    /// <param name="invoker">Runs the functions.</param>
    /// <param name="loggerFactory">Where to log.</param>
    /// <param name="timeProvider">The clock and the timers.</param>
    /// <exception cref="ArgumentException">The hub's name is no name of a task hub: letters, digits, dash and underscore.</exception>
    public DurableTaskHost(
        DurableTaskHostOptions options, IDurableFunctionInvoker invoker, ILoggerFactory loggerFactory, TimeProvider timeProvider)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(invoker);
        ArgumentNullException.ThrowIfNull(loggerFactory);
        ArgumentNullException.ThrowIfNull(timeProvider);
        if (options.HubName.Length == 0 || !options.HubName.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
        {
            throw new ArgumentException(
                $"A task hub's name consists of letters, digits, dash and underscore: '{options.HubName}'.", nameof(options));
        }

        Options = options;
        Invoker = invoker;
        LoggerFactory = loggerFactory;
        Logger = loggerFactory.CreateLogger("Host.DurableTask");
        clock = timeProvider;
        hubFolder = Path.GetFullPath(Path.Combine(options.Folder, options.HubName));
        instanceFolder = Path.Combine(hubFolder, "instances");
        activities = new WorkPool(options.MaxConcurrentActivityFunctions);
        Turns = new WorkPool(options.MaxConcurrentOrchestratorFunctions);
        Timers = new TimerQueue(timeProvider);
        Client = new EmbeddedDurableTaskClient(this);
    }

    /// <summary>The client of this task hub; usable from the start to the stop of the host.</summary>
    public DurableTaskClient Client { get; }

    internal DurableTaskHostOptions Options { get; }

    internal IDurableFunctionInvoker Invoker { get; }

    internal ILoggerFactory LoggerFactory { get; }

    internal ILogger Logger { get; }

    internal WorkPool Turns { get; }

    internal WorkPool Writers { get; } = new(ConcurrentWriters);

    internal TimerQueue Timers { get; }

    internal ChangeSignals Changes { get; } = new();

    internal DateTime Now => clock.GetUtcNow().UtcDateTime;

    /// <summary>Reads the task hub and takes up what is pending.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>A task that ends when the host runs.</returns>
    /// <exception cref="IOException">Another host has the hub, or its folder cannot be read.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(stop is not null, this);
        DirectorySync.Create(instanceFolder);
        hubLock = new FileStream(Path.Combine(hubFolder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        foreach (string leftover in Directory.EnumerateFiles(instanceFolder, "*.tmp"))
        {
            File.Delete(leftover);
        }

        await Parallel.ForEachAsync(
            Directory.EnumerateFiles(instanceFolder, "*" + InstanceFileName.Extension),
            cancellationToken,
            (path, _) =>
            {
                Open(path);
                return ValueTask.CompletedTask;
            }).ConfigureAwait(false);
        int ended = instances.Values.Count(instance => instance.Summary.HasEnded);
        Logger.HubOpened(hubFolder, instances.Count - ended, ended);
        foreach (OrchestrationInstance instance in instances.Values)
        {
            instance.Start();
        }
    }

    /// <summary>
    /// Takes up no more work, cancels the tokens of running activities, and lets running orchestrator turns end. Activities that
    /// have not ended by themselves when <paramref name="cancellationToken"/> fires run again at the next start, and so do those
    /// that threw because they were cancelled.
    /// </summary>
    /// <param name="cancellationToken">Ends the waiting for activities.</param>
    /// <returns>A task that ends when the host has stopped.</returns>
    public Task StopAsync(CancellationToken cancellationToken) => StopAsync(finish: true, cancellationToken);

    /// <summary>What the management API tells of an instance.</summary>
    /// <param name="instanceId">The instance.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The answer, or null (404) if there is no such instance.</returns>
    /// <exception cref="HistoryCorruptedException">The instance's history is damaged.</exception>
    public async Task<ManagementStatus?> GetManagementStatusAsync(string instanceId, CancellationToken cancellationToken)
    {
        OrchestrationMetadata? instance =
            await Client.GetInstanceAsync(instanceId, getInputsAndOutputs: true, cancellationToken).ConfigureAwait(false);
        return instance is null ? null : new ManagementStatus(instance.IsCompleted ? 200 : 202, new JsonObject
        {
            ["name"] = instance.Name,
            ["instanceId"] = instance.InstanceId,
            ["runtimeStatus"] = instance.RuntimeStatus.ToString(),
            ["input"] = ToNode(instance.SerializedInput),
            ["customStatus"] = ToNode(instance.SerializedCustomStatus),
            ["output"] = ToNode(instance.SerializedOutput),
            ["createdTime"] = ToText(instance.CreatedAt),
            ["lastUpdatedTime"] = ToText(instance.LastUpdatedAt),
        });
    }

    /// <summary>Stops without waiting for activities.</summary>
    /// <returns>A task that ends when the host has stopped.</returns>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(finish: true, new CancellationToken(canceled: true)).ConfigureAwait(false);
        stopping.Dispose();
    }

    /// <summary>Stops as if the process had died: what is not on disk is lost. For tests of recovery.</summary>
    internal Task AbandonAsync() => StopAsync(finish: false, new CancellationToken(canceled: true));

    internal void StartActivity(OrchestrationInstance instance, string executionId, TaskScheduled task) =>
        activities.TryAdd(() => RunActivityAsync(instance, executionId, task));

    internal InstanceCreated NewInstance(
        string instanceId,
        string name,
        string version,
        string? input,
        ParentLink? parent,
        IReadOnlyDictionary<string, string>? tags,
        DateTime? startAt) => new(
        instanceId, Guid.NewGuid().ToString("N"), Guid.NewGuid().ToString("N"), name, version, input, parent, tags, Now, startAt);

    /// <summary>Brings a message from one instance to another, and ends when it is durable there or of no use.</summary>
    internal async Task DeliverAsync(OutgoingMessage message, string senderId)
    {
        if (message.Start is { } start)
        {
            if (await TryStartChildAsync(start).ConfigureAwait(false) is { } refusal)
            {
                ParentLink parent = start.Parent!;
                var report = new SubOrchestrationFailed(parent.TaskId, TaskFailureDetails.FromException(refusal));
                await ReceiveAsync(parent.InstanceId, new MessageReceived(report, parent.ExecutionId, null, 0)).ConfigureAwait(false);
            }
        }
        else if (message.Event is { } happened)
        {
            // A report to a parent that comes twice finds its task ended; only events need to be told apart.
            string? sender = happened is EventRaised ? senderId : null;
            var received = new MessageReceived(happened, message.ExecutionId, sender, message.Sequence);
            await ReceiveAsync(message.Target, received).ConfigureAwait(false);
        }
    }

    /// <summary>Brings a message to an instance, and ends when it is durable there; drops it if there is no such active one.</summary>
    internal async Task ReceiveAsync(string instanceId, MessageReceived message)
    {
        if (!instances.TryGetValue(instanceId, out OrchestrationInstance? instance)
            || !await instance.ReceiveAsync(message).ConfigureAwait(false))
        {
            Logger.MessageDropped(message.Event.GetType().Name, instanceId);
        }
    }

    /// <summary>Schedules an instance for a client.</summary>
    internal async Task ScheduleAsync(
        InstanceCreated created, IReadOnlySet<OrchestrationRuntimeStatus> dedupe, CancellationToken cancellationToken)
    {
        if (!Invoker.OrchestratorNames.Contains(created.Name, StringComparer.OrdinalIgnoreCase))
        {
            throw new ArgumentException(FunctionNames.Unknown(created.Name, "orchestrator", Invoker.OrchestratorNames));
        }

        while (!await TryScheduleAsync(created, dedupe, cancellationToken).ConfigureAwait(false))
        {
            // An active instance whose id may be reused is ended first.
            using ChangeSignals.Watch watch = Changes.Begin(created.InstanceId);
            if (Find(created.InstanceId) is { Summary.HasEnded: false } instance)
            {
                var terminated = new ExecutionTerminated(JsonSerializer.Serialize("A new instance with the same id was scheduled."));
                await instance.ReceiveAsync(new MessageReceived(terminated, null, null, 0)).ConfigureAwait(false);
                await watch.Change.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }

        Logger.Scheduled(created.Name, created.InstanceId);
    }

    /// <summary>The instance, or null if there is none.</summary>
    /// <exception cref="HistoryCorruptedException">Its history is damaged.</exception>
    internal OrchestrationInstance? Find(string instanceId)
    {
        ThrowIfNotRunning();
        if (corrupted.TryGetValue(instanceId, out HistoryCorruptedException? damage))
        {
            throw new HistoryCorruptedException(damage.Path, damage.Offset, damage.Found);
        }

        return instances.GetValueOrDefault(instanceId);
    }

    /// <summary>All instances in the order of their ids.</summary>
    internal IEnumerable<OrchestrationInstance> All()
    {
        ThrowIfNotRunning();
        return instances.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value);
    }

    /// <summary>Deletes an instance that has ended, once its last messages have arrived.</summary>
    internal async Task<bool> PurgeAsync(string instanceId, CancellationToken cancellationToken)
    {
        ThrowIfNotRunning();
        if (corrupted.TryRemove(instanceId, out HistoryCorruptedException? damage))
        {
            File.Delete(damage.Path);
            DirectorySync.Flush(instanceFolder);
            return true;
        }

        while (true)
        {
            using ChangeSignals.Watch watch = Changes.Begin(instanceId);
            SemaphoreSlim gate = Gate(instanceId);
            await gate.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                if (!instances.TryGetValue(instanceId, out OrchestrationInstance? instance) || !instance.Summary.HasEnded)
                {
                    return false;
                }

                if (instance.TryPurge())
                {
                    instances.TryRemove(instanceId, out _);
                    Changes.Changed(instanceId);
                    return true;
                }
            }
            finally
            {
                gate.Release();
            }

            await watch.Change.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static JsonNode? ToNode(string? payload)
    {
        try
        {
            return payload is null ? null : JsonNode.Parse(payload);
        }
        catch (JsonException)
        {
            // The output of a failed instance is its message.
            return JsonValue.Create(payload);
        }
    }

    private static string ToText(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private Task StopAsync(bool finish, CancellationToken cancellationToken)
    {
        lock (stopLock)
        {
            return stop ??= StopOnceAsync(finish, cancellationToken);
        }
    }

    private async Task StopOnceAsync(bool finish, CancellationToken cancellationToken)
    {
        await Task.Yield();
        Timers.Dispose();
        activities.Close(finishQueued: false);
        await stopping.CancelAsync().ConfigureAwait(false);
        await activities.WhenIdleAsync().WaitAsync(cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        if (!finish)
        {
            Writers.Close(finishQueued: false);
        }

        Turns.Close(finishQueued: finish);
        if (finish)
        {
            await Turns.WhenIdleAsync().ConfigureAwait(false);
            foreach (OrchestrationInstance instance in instances.Values)
            {
                instance.Flush();
            }
        }

        Writers.Close(finishQueued: finish);
        await Writers.WhenIdleAsync().ConfigureAwait(false);
        foreach (OrchestrationInstance instance in instances.Values)
        {
            instance.Close();
        }

        Changes.End(new ObjectDisposedException(nameof(DurableTaskHost), "The host has stopped."));
        if (hubLock is not null)
        {
            await hubLock.DisposeAsync().ConfigureAwait(false);
            Logger.HubClosed(hubFolder);
        }
    }

    private void ThrowIfNotRunning()
    {
        ObjectDisposedException.ThrowIf(stop is not null, this);
        if (hubLock is null)
        {
            throw new InvalidOperationException("The durable task host has not been started.");
        }
    }

    private void Open(string path)
    {
        try
        {
            OrchestrationInstance instance = OrchestrationInstance.Open(this, path);
            instances[instance.Summary.InstanceId] = instance;
        }
        catch (HistoryCorruptedException e)
        {
            string instanceId = InstanceFileName.InstanceIdOf(path);
            Logger.Corrupted(e, instanceId);
            corrupted[instanceId] = e;
        }
    }

    private async Task<bool> TryScheduleAsync(
        InstanceCreated created, IReadOnlySet<OrchestrationRuntimeStatus> dedupe, CancellationToken cancellationToken)
    {
        SemaphoreSlim gate = Gate(created.InstanceId);
        await gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (Find(created.InstanceId) is not { } existing)
            {
                Create(created);
                return true;
            }

            return dedupe.Contains(existing.Summary.Status)
                ? throw AlreadyExists(created.InstanceId)
                : await existing.RecreateAsync(created).ConfigureAwait(false);
        }
        finally
        {
            gate.Release();
        }
    }

    private async Task<Exception?> TryStartChildAsync(InstanceCreated start)
    {
        SemaphoreSlim gate = Gate(start.InstanceId);
        await gate.WaitAsync().ConfigureAwait(false);
        try
        {
            if (Find(start.InstanceId) is not { } existing)
            {
                Create(start);
                return null;
            }

            // The same call has come before, if the sender died before it noted that.
            return existing.IsChildOf(start.Parent!) || await existing.RecreateAsync(start).ConfigureAwait(false)
                ? null
                : AlreadyExists(start.InstanceId);
        }
        catch (HistoryCorruptedException e)
        {
            return e;
        }
        finally
        {
            gate.Release();
        }
    }

    private static OrchestrationAlreadyExistsException AlreadyExists(string instanceId) =>
        new($"An Orchestration instance with the ID {instanceId} already exists.");

    private void Create(InstanceCreated created)
    {
        string path = Path.Combine(instanceFolder, InstanceFileName.For(created.InstanceId));
        OrchestrationInstance instance = OrchestrationInstance.Create(this, path, created);
        instances[created.InstanceId] = instance;
        instance.Start();
        Changes.Changed(created.InstanceId);
    }

    private SemaphoreSlim Gate(string instanceId) => gates[(uint)instanceId.GetHashCode(StringComparison.Ordinal) % Gates];

    private async Task RunActivityAsync(OrchestrationInstance instance, string executionId, TaskScheduled task)
    {
        string instanceId = instance.Summary.InstanceId;
        string? name = Invoker.ActivityNames.FirstOrDefault(known => string.Equals(known, task.Name, StringComparison.OrdinalIgnoreCase));
        if (name is null)
        {
            var unknown = new ArgumentException(FunctionNames.Unknown(task.Name, "activity", Invoker.ActivityNames));
            instance.Complete(executionId, new TaskFailed(task.Id, TaskFailureDetails.FromException(unknown), NonRetriable: true));
            return;
        }

        Logger.ActivityStarted(name, task.Id, instanceId);
        try
        {
            string? result = await Invoker.InvokeActivityAsync(name, task.Input, instanceId, stopping.Token).ConfigureAwait(false);
            Logger.ActivityCompleted(name, task.Id, instanceId);
            instance.Complete(executionId, new TaskCompleted(task.Id, result));
        }
#pragma warning disable CA1031 // Whatever an activity throws is told to its orchestration.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (stopping.IsCancellationRequested)
            {
                Logger.ActivityInterrupted(name, task.Id, instanceId);
                return;
            }

            Logger.ActivityFailed(e, name, task.Id, instanceId);
            instance.Complete(executionId, new TaskFailed(task.Id, TaskFailureDetails.FromException(e), NonRetriable: false));
        }
    }
}
