namespace Microsoft.Azure.Functions.Worker;

/// <summary>The base of function-level retry policies. Functions supports them on timer triggers; a blob trigger has its own five tries.</summary>
[AttributeUsage(AttributeTargets.Method)]
public abstract class RetryAttribute : Attribute
{
    /// <summary>How often an invocation is tried again after its first failure; -1 tries for ever.</summary>
    public int MaxRetryCount { get; set; }
}
