using Microsoft.Azure.Functions.Worker;

namespace EmbeddedHost;

/// <summary>Where an invocation stands in its retry policy.</summary>
internal sealed class RetryState(int retryCount, int maxRetryCount) : RetryContext
{
    public static RetryState None { get; } = new(0, 0);

    public override int RetryCount { get; } = retryCount;

    public override int MaxRetryCount { get; } = maxRetryCount;
}
