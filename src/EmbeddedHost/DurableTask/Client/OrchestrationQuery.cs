namespace Microsoft.DurableTask.Client;

/// <summary>Which instances to list.</summary>
/// <param name="CreatedFrom">Those scheduled at this time or later.</param>
/// <param name="CreatedTo">Those scheduled at this time or earlier.</param>
/// <param name="Statuses">Those in one of these statuses; null for all.</param>
/// <param name="TaskHubNames">Those of these task hubs; null for all.</param>
/// <param name="InstanceIdPrefix">Those whose id begins so.</param>
/// <param name="PageSize">How many a page.</param>
/// <param name="FetchInputsAndOutputs">Whether payloads are wanted too.</param>
/// <param name="ContinuationToken">Where to begin.</param>
public record OrchestrationQuery(
    DateTimeOffset? CreatedFrom = null,
    DateTimeOffset? CreatedTo = null,
    IEnumerable<OrchestrationRuntimeStatus>? Statuses = null,
    IEnumerable<string>? TaskHubNames = null,
    string? InstanceIdPrefix = null,
    int PageSize = OrchestrationQuery.DefaultPageSize,
    bool FetchInputsAndOutputs = false,
    string? ContinuationToken = null)
{
    /// <summary>How many instances a page holds where nothing is said.</summary>
    public const int DefaultPageSize = 100;
}
