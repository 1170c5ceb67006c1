using System.ComponentModel;

namespace Microsoft.DurableTask;

/// <summary>
/// Retries at growing intervals: the delay before retry n is min(first · coefficient^(n−1), maximum).
/// </summary>
public class RetryPolicy
{
    /// <summary>Makes a policy.</summary>
    /// <param name="maxNumberOfAttempts">How many attempts at most, the first one included.</param>
    /// <param name="firstRetryInterval">The delay before the first retry.</param>
    /// <param name="backoffCoefficient">The growth of the delay, at least 1.</param>
    /// <param name="maxRetryInterval">The longest delay; one hour where none is given.</param>
    /// <param name="retryTimeout">
    /// How long after the first attempt another delay may still begin; without end where none is given. It is checked before
    /// a delay is scheduled, so that delay can overrun it.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public RetryPolicy(
        int maxNumberOfAttempts,
        TimeSpan firstRetryInterval,
        double backoffCoefficient = 1.0,
        TimeSpan? maxRetryInterval = null,
        TimeSpan? retryTimeout = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxNumberOfAttempts);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(firstRetryInterval, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(backoffCoefficient, 1.0);
        ThrowIfShorterThanFirst(maxRetryInterval, firstRetryInterval, nameof(maxRetryInterval));
        ThrowIfShorterThanFirst(retryTimeout, firstRetryInterval, nameof(retryTimeout));

        MaxNumberOfAttempts = maxNumberOfAttempts;
        FirstRetryInterval = firstRetryInterval;
        BackoffCoefficient = backoffCoefficient;
        MaxRetryInterval = maxRetryInterval ?? TimeSpan.FromHours(1);
        RetryTimeout = retryTimeout ?? Timeout.InfiniteTimeSpan;
        Handle = static _ => true;
    }

    /// <summary>How many attempts at most, the first one included.</summary>
    public int MaxNumberOfAttempts { get; }

    /// <summary>The delay before the first retry.</summary>
    public TimeSpan FirstRetryInterval { get; }

    /// <summary>The growth of the delay, at least 1.</summary>
    public double BackoffCoefficient { get; }

    /// <summary>The longest delay; <see cref="Timeout.InfiniteTimeSpan"/> for no bound.</summary>
    public TimeSpan MaxRetryInterval { get; }

    /// <summary>How long after the first attempt another delay may begin; <see cref="Timeout.InfiniteTimeSpan"/> for no bound.</summary>
    public TimeSpan RetryTimeout { get; }

    /// <summary>Whether an exception is to be retried; set through <see cref="HandleFailure"/>.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public Func<Exception, bool> Handle { get; private init; }

    /// <summary>Says of a failure whether it is to be retried; false stops at once.</summary>
    public Func<TaskFailureDetails, bool> HandleFailure
    {
        init => Handle = exception => exception is TaskFailedException failed
            ? value(failed.FailureDetails)
            : throw new InvalidOperationException("Only the failure of a task has failure details.", exception);
    }

    private static void ThrowIfShorterThanFirst(TimeSpan? value, TimeSpan first, string name)
    {
        if (value < first && value != Timeout.InfiniteTimeSpan)
        {
            throw new ArgumentOutOfRangeException(name, value, $"The value must not be shorter than the first retry interval ({first}).");
        }
    }
}
