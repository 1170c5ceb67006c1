using System.Globalization;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>Tries a failed invocation again after delays that double from a minimum to a maximum.</summary>
public sealed class ExponentialBackoffRetryAttribute : RetryAttribute
{
    /// <summary>Makes the policy.</summary>
    /// <param name="maxRetryCount">Tries after the first; -1 for no limit.</param>
    /// <param name="minimumInterval">The first delay as <c>hh:mm:ss</c>.</param>
    /// <param name="maximumInterval">The longest delay as <c>hh:mm:ss</c>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A delay is not a time span, or is negative.</exception>
    /// <exception cref="ArgumentException">The minimum is greater than the maximum.</exception>
    public ExponentialBackoffRetryAttribute(int maxRetryCount, string minimumInterval, string maximumInterval)
    {
        TimeSpan minimum = Parse(minimumInterval, nameof(minimumInterval));
        TimeSpan maximum = Parse(maximumInterval, nameof(maximumInterval));
        if (minimum > maximum)
        {
            throw new ArgumentException($"The minimum interval {minimumInterval} is greater than the maximum interval {maximumInterval}.", nameof(minimumInterval));
        }

        MaxRetryCount = maxRetryCount;
        MinimumInterval = minimumInterval;
        MaximumInterval = maximumInterval;
    }

    /// <summary>The first delay, as <c>hh:mm:ss</c>.</summary>
    public string MinimumInterval { get; }

    /// <summary>The longest delay, as <c>hh:mm:ss</c>.</summary>
    public string MaximumInterval { get; }

    private static TimeSpan Parse(string interval, string parameter)
    {
        if (!TimeSpan.TryParse(interval, CultureInfo.InvariantCulture, out TimeSpan value))
        {
            throw new ArgumentOutOfRangeException(parameter, interval, "The interval must be a time span such as 00:00:05.");
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero, parameter);
        return value;
    }
}
