namespace Microsoft.DurableTask;

/// <summary>What an activity knows about its call.</summary>
public abstract class TaskActivityContext
{
    /// <summary>The name of the activity.</summary>
    public abstract TaskName Name { get; }

    /// <summary>The id of the calling orchestration instance.</summary>
    public abstract string InstanceId { get; }

    /// <summary>The version that was called, empty where there is none.</summary>
    public virtual string Version => string.Empty;
}
