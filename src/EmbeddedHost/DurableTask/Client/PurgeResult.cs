namespace Microsoft.DurableTask.Client;

/// <summary>What was purged.</summary>
public class PurgeResult
{
    /// <summary>A number of purged instances.</summary>
    /// <param name="count">How many, not negative.</param>
    public PurgeResult(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        PurgedInstanceCount = count;
    }

    /// <summary>A number of purged instances.</summary>
    /// <param name="count">How many, not negative.</param>
    /// <param name="isComplete">Whether these are all that matched; null where that is not known.</param>
    public PurgeResult(int count, bool? isComplete)
        : this(count) => IsComplete = isComplete;

    /// <summary>How many instances were purged.</summary>
    public int PurgedInstanceCount { get; }

    /// <summary>Whether these are all that matched; null where that is not known.</summary>
    public bool? IsComplete { get; }
}
