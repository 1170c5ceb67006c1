using System.Globalization;
using Microsoft.Azure.Functions.Worker;

namespace EmbeddedHost;

/// <summary>How often a failed invocation is tried again, and after which delays.</summary>
/// <param name="MaxRetryCount">Tries after the first; -1 for no limit.</param>
/// <param name="First">The delay before the second try.</param>
/// <param name="Maximum">The longest delay; delays double up to it.</param>
internal sealed record RetryPlan(int MaxRetryCount, TimeSpan First, TimeSpan Maximum)
{
    public static RetryPlan None { get; } = new(0, TimeSpan.Zero, TimeSpan.Zero);

    /// <summary>The plan that a function's attribute states.</summary>
    public static RetryPlan Of(RetryAttribute? attribute) => attribute switch
    {
        FixedDelayRetryAttribute { DelayInterval: var delay } => new(attribute.MaxRetryCount, Parse(delay), Parse(delay)),
        ExponentialBackoffRetryAttribute { MinimumInterval: var minimum, MaximumInterval: var maximum } =>
            new(attribute.MaxRetryCount, Parse(minimum), Parse(maximum)),
        _ => None,
    };

    /// <summary>Whether another try follows after the given number of retries.</summary>
    public bool Allows(int retriesDone) => MaxRetryCount == -1 || retriesDone < MaxRetryCount;

    /// <summary>The delay before the next try after the given number of retries.</summary>
    public TimeSpan DelayAfter(int retriesDone)
    {
        double ticks = First.Ticks * Math.Pow(2, Math.Min(retriesDone, 62));
        return ticks >= Maximum.Ticks ? Maximum : TimeSpan.FromTicks((long)ticks);
    }

    private static TimeSpan Parse(string interval) => TimeSpan.Parse(interval, CultureInfo.InvariantCulture);
}
