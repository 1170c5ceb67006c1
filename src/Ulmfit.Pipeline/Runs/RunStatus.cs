namespace Ulmfit.Pipeline.Runs;

/// <summary>How a run stands.</summary>
public enum RunStatus
{
    /// <summary>Taken, not yet begun.</summary>
    Queued,

    /// <summary>Training, evaluating or publishing.</summary>
    Running,

    /// <summary>Its model was published.</summary>
    Completed,

    /// <summary>Its model was trained, and is not better than the champion.</summary>
    Rejected,

    /// <summary>It cannot go on; the error says why and what to do.</summary>
    Failed,

    /// <summary>Somebody called it off.</summary>
    Canceled,
}

/// <summary>Helpers over <see cref="RunStatus"/>.</summary>
public static class RunStatusExtensions
{
    /// <summary>Whether the run has ended; an ended run never changes again.</summary>
    /// <param name="status">The status.</param>
    public static bool IsFinal(this RunStatus status) => status is not (RunStatus.Queued or RunStatus.Running);
}
