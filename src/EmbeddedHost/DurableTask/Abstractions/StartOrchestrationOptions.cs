using System.Collections.Immutable;

namespace Microsoft.DurableTask;

/// <summary>How a new orchestration instance is to be scheduled.</summary>
public record StartOrchestrationOptions
{
    /// <summary>Options with an instance id and a start time.</summary>
    /// <param name="InstanceId">The id of the new instance; a random one is made where none is given.</param>
    /// <param name="StartAt">When to start; at once where none is given.</param>
    public StartOrchestrationOptions(string? InstanceId = null, DateTimeOffset? StartAt = null)
    {
        this.InstanceId = InstanceId;
        this.StartAt = StartAt;
    }

    /// <summary>A copy.</summary>
    /// <param name="options">What to copy.</param>
    public StartOrchestrationOptions(StartOrchestrationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        InstanceId = options.InstanceId;
        StartAt = options.StartAt;
        Tags = options.Tags;
        Version = options.Version;
        DedupeStatuses = options.DedupeStatuses;
    }

    /// <summary>The id of the new instance, or none.</summary>
    public string? InstanceId { get; init; }

    /// <summary>When to start, or at once.</summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>Tags of the instance.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>The version of the instance, or the host's default version.</summary>
    public TaskVersion? Version { get; init; }

    /// <summary>
    /// The names of the runtime statuses in which an existing instance with the same id makes scheduling fail; use
    /// <c>WithDedupeStatuses</c> to set them. Where none are given, running, pending and suspended instances do.
    /// </summary>
    public IReadOnlyList<string>? DedupeStatuses { get; init; }
}
