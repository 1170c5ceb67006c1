namespace Microsoft.DurableTask;

/// <summary>How one call of a sub-orchestration is to be made.</summary>
public record SubOrchestrationOptions : TaskOptions
{
    /// <summary>Options with a retry rule and an instance id.</summary>
    /// <param name="retry">The retry rule, or none.</param>
    /// <param name="instanceId">The id of the sub-orchestration; a deterministic one is made where none is given.</param>
    public SubOrchestrationOptions(TaskRetryOptions? retry = null, string? instanceId = null)
        : base(retry) => InstanceId = instanceId;

    /// <summary>Options of a task, with an instance id.</summary>
    /// <param name="options">What to copy.</param>
    /// <param name="instanceId">The id; where none is given, that of <paramref name="options"/> if it has one.</param>
    public SubOrchestrationOptions(TaskOptions options, string? instanceId = null)
        : base(options) => InstanceId = instanceId ?? (options as SubOrchestrationOptions)?.InstanceId;

    /// <summary>A copy.</summary>
    /// <param name="options">What to copy.</param>
    public SubOrchestrationOptions(SubOrchestrationOptions options)
        : base(options) => InstanceId = options.InstanceId;

    /// <summary>The id of the sub-orchestration, or none.</summary>
    public string? InstanceId { get; init; }

    /// <summary>The version of the sub-orchestration, or the host's default version.</summary>
    public new TaskVersion? Version
    {
        get => base.Version;
        init => base.Version = value;
    }
}
