namespace Microsoft.Azure.Functions.Worker;

/// <summary>Where an invocation stands in its retry policy.</summary>
public abstract class RetryContext
{
    /// <summary>How often this invocation was tried before; 0 in the first try.</summary>
    public abstract int RetryCount { get; }

    /// <summary>How often it is tried again at most; -1 for no limit, 0 where there is no policy.</summary>
    public abstract int MaxRetryCount { get; }
}
