using System.Diagnostics;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace EmbeddedHost.Durable;

/// <summary>The client of a <see cref="DurableTaskHost"/> in the same process.</summary>
internal sealed class EmbeddedDurableTaskClient(DurableTaskHost host) : DurableTaskClient(host.Options.HubName)
{
    // host.json's overridableExistingInstanceStates is NonRunningStates by default.
    private static readonly HashSet<OrchestrationRuntimeStatus> s_active =
        [OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Pending, OrchestrationRuntimeStatus.Suspended];

    private DataConverter Converter => host.Options.DataConverter;

    public override async Task<string> ScheduleNewOrchestrationInstanceAsync(
        TaskName orchestratorName,
        object? input = null,
        StartOrchestrationOptions? options = null,
        CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(orchestratorName.Name, nameof(orchestratorName));
        string instanceId = options?.InstanceId ?? Guid.NewGuid().ToString("N");
        InstanceId.Check(instanceId, nameof(options));
        string version = options?.Version is { } requested ? requested.Version : host.Options.DefaultVersion ?? string.Empty;
        InstanceCreated created = host.NewInstance(
            instanceId,
            orchestratorName.Name,
            version,
            Converter.Serialize(input),
            null,
            options?.Tags is { Count: > 0 } tags ? tags : null,
            options?.StartAt?.UtcDateTime);
        await host.ScheduleAsync(created, DedupeStatuses(options), cancellation).ConfigureAwait(false);
        return instanceId;
    }

    public override Task RaiseEventAsync(
        string instanceId, string eventName, object? eventPayload = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(eventName);
        return SendAsync(instanceId, new EventRaised(eventName, Converter.Serialize(eventPayload)), cancellation);
    }

    public override async Task TerminateInstanceAsync(
        string instanceId, TerminateInstanceOptions? options = null, CancellationToken cancellation = default)
    {
        await SendAsync(instanceId, new ExecutionTerminated(Converter.Serialize(options?.Output)), cancellation).ConfigureAwait(false);
        if (options is { Recursive: true })
        {
            foreach (string child in Children(instanceId))
            {
                await TerminateInstanceAsync(child, options, cancellation).ConfigureAwait(false);
            }
        }
    }

    public override Task SuspendInstanceAsync(string instanceId, string? reason = null, CancellationToken cancellation = default) =>
        SendAsync(instanceId, new ExecutionSuspended(reason), cancellation);

    public override Task ResumeInstanceAsync(string instanceId, string? reason = null, CancellationToken cancellation = default) =>
        SendAsync(instanceId, new ExecutionResumed(reason), cancellation);

    public override Task<OrchestrationMetadata> WaitForInstanceStartAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
        WaitAsync(instanceId, status => status != OrchestrationRuntimeStatus.Pending, getInputsAndOutputs, cancellation);

    public override Task<OrchestrationMetadata> WaitForInstanceCompletionAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
        WaitAsync(instanceId, status => !s_active.Contains(status), getInputsAndOutputs, cancellation);

    public override Task<OrchestrationMetadata?> GetInstancesAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        cancellation.ThrowIfCancellationRequested();
        return Task.FromResult(host.Find(instanceId) is { } instance ? ToMetadata(instance, getInputsAndOutputs) : null);
    }

    public override AsyncPageable<OrchestrationMetadata> GetAllInstancesAsync(OrchestrationQuery? filter = null)
    {
        OrchestrationQuery query = filter ?? new OrchestrationQuery();
        return Pageable.Create<OrchestrationMetadata>((token, size, cancellation) =>
        {
            cancellation.ThrowIfCancellationRequested();
            string? after = token ?? query.ContinuationToken;
            int length = Math.Max(1, size ?? query.PageSize);
            InstanceSummary[] found = [.. host.All()
                .Select(instance => instance.Summary)
                .Where(summary => Matches(summary, query) && (after is null || string.CompareOrdinal(summary.InstanceId, after) > 0))
                .Take(length + 1)];
            OrchestrationMetadata[] page = [.. found
                .Take(length)
                .Select(summary => host.Find(summary.InstanceId) is { } instance ? ToMetadata(instance, query.FetchInputsAndOutputs) : null)
                .OfType<OrchestrationMetadata>()];
            return Task.FromResult(new Page<OrchestrationMetadata>(page, found.Length > length ? found[length - 1].InstanceId : null));
        });
    }

    public override async Task<PurgeResult> PurgeInstanceAsync(
        string instanceId, PurgeInstanceOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        return new PurgeResult(await PurgeAsync(instanceId, options, cancellation).ConfigureAwait(false), isComplete: true);
    }

    public override async Task<PurgeResult> PurgeAllInstancesAsync(
        PurgeInstancesFilter filter, PurgeInstanceOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        var query = new OrchestrationQuery(filter.CreatedFrom, filter.CreatedTo, filter.Statuses);
        long start = Stopwatch.GetTimestamp();
        int purged = 0;
        foreach (OrchestrationInstance instance in host.All())
        {
            if (Stopwatch.GetElapsedTime(start) > filter.Timeout)
            {
                return new PurgeResult(purged, isComplete: false);
            }

            if (instance.Summary is { HasEnded: true } summary && Matches(summary, query))
            {
                purged += await PurgeAsync(summary.InstanceId, options, cancellation).ConfigureAwait(false);
            }
        }

        return new PurgeResult(purged, isComplete: true);
    }

    public override async Task<string> RestartAsync(
        string instanceId, bool restartWithNewInstanceId = false, CancellationToken cancellation = default)
    {
        string newId = restartWithNewInstanceId ? Guid.NewGuid().ToString("N") : instanceId;
        InstanceCreated created = host.Find(instanceId)?.Read(former =>
                host.NewInstance(newId, former.Name, former.Version, former.Input, null, former.Tags, null))
            ?? throw new ArgumentException($"An orchestration with the instanceId {instanceId} was not found.", nameof(instanceId));
        await host.ScheduleAsync(created, s_active, cancellation).ConfigureAwait(false);
        return newId;
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static HashSet<OrchestrationRuntimeStatus> DedupeStatuses(StartOrchestrationOptions? options) =>
        options?.DedupeStatuses is not { } names ? s_active : [.. names.Select(name =>
            Enum.TryParse(name, ignoreCase: true, out OrchestrationRuntimeStatus status)
                ? status
                : throw new ArgumentException($"Invalid orchestration runtime status: '{name}' for deduplication."))];

    private static bool Matches(InstanceSummary summary, OrchestrationQuery query) =>
        (query.CreatedFrom is not { } from || summary.CreatedAt >= from.UtcDateTime)
        && (query.CreatedTo is not { } to || summary.CreatedAt <= to.UtcDateTime)
        && (query.Statuses is not { } statuses || statuses.Contains(summary.Status))
        && (query.InstanceIdPrefix is not { } prefix || summary.InstanceId.StartsWith(prefix, StringComparison.Ordinal));

    private Task SendAsync(string instanceId, HistoryEvent message, CancellationToken cancellation)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        cancellation.ThrowIfCancellationRequested();
        _ = host.Find(instanceId);
        return host.ReceiveAsync(instanceId, new MessageReceived(message, null, null, 0));
    }

    private async Task<OrchestrationMetadata> WaitAsync(
        string instanceId, Func<OrchestrationRuntimeStatus, bool> reached, bool payloads, CancellationToken cancellation)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        while (true)
        {
            using ChangeSignals.Watch watch = host.Changes.Begin(instanceId);
            if (host.Find(instanceId) is { } instance
                && ToMetadata(instance, payloads) is { } metadata && reached(metadata.RuntimeStatus))
            {
                return metadata;
            }

            await watch.Change.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    private async Task<int> PurgeAsync(string instanceId, PurgeInstanceOptions? options, CancellationToken cancellation)
    {
        List<string> children = options is { Recursive: true } ? Children(instanceId) : [];
        if (!await host.PurgeAsync(instanceId, cancellation).ConfigureAwait(false))
        {
            return 0;
        }

        int purged = 1;
        foreach (string child in children)
        {
            purged += await PurgeAsync(child, options, cancellation).ConfigureAwait(false);
        }

        return purged;
    }

    private List<string> Children(string instanceId) =>
        host.Find(instanceId)?.Read(state => state.History.OfType<SubOrchestrationCreated>().Select(sub => sub.InstanceId).Distinct().ToList())
        ?? [];

    private OrchestrationMetadata? ToMetadata(OrchestrationInstance instance, bool payloads)
    {
        if (payloads)
        {
            return instance.Read(state => new OrchestrationMetadata(state.Name, state.InstanceId)
            {
                DataConverter = Converter,
                RuntimeStatus = state.Status,
                CreatedAt = state.CreatedAt,
                LastUpdatedAt = state.LastUpdatedAt,
                SerializedInput = state.Input,
                SerializedOutput = state.Output,
                SerializedCustomStatus = state.CustomStatus,
                FailureDetails = state.Failure,
                Tags = state.Tags ?? new Dictionary<string, string>(),
            });
        }

        InstanceSummary summary = instance.Summary;
        return new OrchestrationMetadata(summary.Name, summary.InstanceId)
        {
            RuntimeStatus = summary.Status,
            CreatedAt = summary.CreatedAt,
            LastUpdatedAt = summary.LastUpdatedAt,
            Tags = summary.Tags ?? new Dictionary<string, string>(),
        };
    }
}
