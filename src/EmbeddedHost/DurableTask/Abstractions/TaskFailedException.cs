namespace Microsoft.DurableTask;

/// <summary>An activity or sub-orchestration failed with an exception that it did not handle.</summary>
public sealed class TaskFailedException : Exception
{
    /// <summary>A failure told by an exception.</summary>
    /// <param name="taskName">The name of the task.</param>
    /// <param name="taskId">The sequence number of the task in its orchestration.</param>
    /// <param name="innerException">What the task threw.</param>
    public TaskFailedException(string taskName, int taskId, Exception innerException)
        : base(Describe(taskName, taskId, innerException?.Message), innerException)
    {
        ArgumentNullException.ThrowIfNull(innerException);
        TaskName = taskName;
        TaskId = taskId;
        FailureDetails = TaskFailureDetails.FromException(innerException);
    }

    /// <summary>A failure told by recorded details.</summary>
    /// <param name="taskName">The name of the task.</param>
    /// <param name="taskId">The sequence number of the task in its orchestration.</param>
    /// <param name="failureDetails">What the task threw.</param>
    public TaskFailedException(string taskName, int taskId, TaskFailureDetails failureDetails)
        : base(Describe(taskName, taskId, failureDetails?.ErrorMessage))
    {
        ArgumentNullException.ThrowIfNull(failureDetails);
        TaskName = taskName;
        TaskId = taskId;
        FailureDetails = failureDetails;
    }

    /// <summary>The name of the failed task.</summary>
    public string TaskName { get; }

    /// <summary>The sequence number of the failed task in its orchestration; timers and sent events count too.</summary>
    public int TaskId { get; }

    /// <summary>What the task threw.</summary>
    public TaskFailureDetails FailureDetails { get; }

    /// <summary>Whether the failure is exactly of type <typeparamref name="T"/>.</summary>
    /// <typeparam name="T">The type of exception.</typeparam>
    /// <returns>Whether the names of the types are equal.</returns>
    [Obsolete("Use the FailureDetails property and its IsCausedBy<T>() method")]
    public bool IsCausedByException<T>()
        where T : Exception => FailureDetails.ErrorType == typeof(T).FullName;

    private static string Describe(string taskName, int taskId, string? cause) => cause is null
        ? $"Task '{taskName}' (#{taskId}) failed with an unhandled exception."
        : $"Task '{taskName}' (#{taskId}) failed with an unhandled exception: {cause}";
}
