namespace Microsoft.DurableTask.Client;

/// <summary>Which ended instances to purge.</summary>
/// <param name="CreatedFrom">Those scheduled at this time or later.</param>
/// <param name="CreatedTo">Those scheduled at this time or earlier.</param>
/// <param name="Statuses">Those in one of these statuses; null for all.</param>
public record PurgeInstancesFilter(
    DateTimeOffset? CreatedFrom = null,
    DateTimeOffset? CreatedTo = null,
    IEnumerable<OrchestrationRuntimeStatus>? Statuses = null)
{
    /// <summary>When to stop purging with <see cref="PurgeResult.IsComplete"/> false; null for never.</summary>
    public TimeSpan? Timeout { get; init; }
}
