using System.Globalization;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>Tries a failed invocation again after a constant delay.</summary>
public sealed class FixedDelayRetryAttribute : RetryAttribute
{
    /// <summary>Makes the policy.</summary>
    /// <param name="maxRetryCount">Tries after the first; -1 for no limit.</param>
    /// <param name="delayInterval">The delay as <c>hh:mm:ss</c>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The delay is not a time span, or is negative.</exception>
    public FixedDelayRetryAttribute(int maxRetryCount, string delayInterval)
    {
        if (!TimeSpan.TryParse(delayInterval, CultureInfo.InvariantCulture, out TimeSpan delay))
        {
            throw new ArgumentOutOfRangeException(nameof(delayInterval), delayInterval, "The delay must be a time span such as 00:00:05.");
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero, nameof(delayInterval));
        MaxRetryCount = maxRetryCount;
        DelayInterval = delayInterval;
    }

    /// <summary>The delay before each new try, as <c>hh:mm:ss</c>.</summary>
    public string DelayInterval { get; }
}
