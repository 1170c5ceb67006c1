namespace Microsoft.DurableTask;

/// <summary>How one call of an activity or sub-orchestration is to be made.</summary>
public record TaskOptions
{
    /// <summary>Options that carry a retry rule.</summary>
    /// <param name="retry">The retry rule, or none.</param>
    public TaskOptions(TaskRetryOptions? retry)
        : this(retry, null)
    {
    }

    /// <summary>Options that carry a retry rule and tags.</summary>
    /// <param name="retry">The retry rule, or none.</param>
    /// <param name="tags">Tags of the task, or none.</param>
    public TaskOptions(TaskRetryOptions? retry = null, IDictionary<string, string>? tags = null)
    {
        Retry = retry;
        Tags = tags;
    }

    /// <summary>A copy.</summary>
    /// <param name="options">What to copy.</param>
    public TaskOptions(TaskOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Retry = options.Retry;
        Tags = options.Tags;
        Version = options.Version;
    }

    /// <summary>The retry rule, or none.</summary>
    public TaskRetryOptions? Retry { get; init; }

    /// <summary>Tags of the task, or none.</summary>
    public IDictionary<string, string>? Tags { get; init; }

    /// <summary>The version to call, or that of the caller.</summary>
    public TaskVersion? Version { get; init; }

    /// <summary>Options that retry by a policy.</summary>
    /// <param name="policy">The policy.</param>
    /// <returns>The options.</returns>
    public static TaskOptions FromRetryPolicy(RetryPolicy policy) => new(policy);

    /// <summary>Options that ask a handler whether to retry.</summary>
    /// <param name="handler">The handler; runs as orchestrator code.</param>
    /// <returns>The options.</returns>
    public static TaskOptions FromRetryHandler(AsyncRetryHandler handler) => new(handler);

    /// <summary>Options that ask a handler whether to retry.</summary>
    /// <param name="handler">The handler; runs as orchestrator code.</param>
    /// <returns>The options.</returns>
    public static TaskOptions FromRetryHandler(RetryHandler handler) => new(handler);

    /// <summary>The same options for a sub-orchestration with a given instance id.</summary>
    /// <param name="instanceId">The id of the sub-orchestration.</param>
    /// <returns>The options.</returns>
    public SubOrchestrationOptions WithInstanceId(string instanceId) => new(this, instanceId);
}
