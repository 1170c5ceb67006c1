using System.Runtime.ExceptionServices;
using Microsoft.DurableTask;

namespace EmbeddedHost.Durable;

/// <summary>Tries a task again by a policy or by a handler's word. All of it is orchestrator code: no thread changes.</summary>
internal static class TaskRetry
{
    public static async Task<T> ByPolicyAsync<T>(OrchestratorContext context, RetryPolicy policy, Func<Task<T>> attempt)
    {
        DateTime firstAttempt = context.CurrentUtcDateTime;
        for (int failures = 1; ; failures++)
        {
            ExceptionDispatchInfo failure;
            try
            {
                return await attempt();
            }
#pragma warning disable CA1031 // Every failure is the policy's to judge, a result that cannot be read included.
            catch (Exception e) when (!context.IsNonRetriable(e))
#pragma warning restore CA1031
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }

            if (failures == policy.MaxNumberOfAttempts)
            {
                // The framework sets a timer here that fires at once; without it the numbers of all later tasks would differ.
                await context.CreateTimer(context.CurrentUtcDateTime, CancellationToken.None);
                failure.Throw();
            }

            if (DelayBefore(failures, policy, failure.SourceException, firstAttempt, context.CurrentUtcDateTime) is not { } delay)
            {
                failure.Throw();
                throw failure.SourceException;
            }

            await context.CreateTimer(context.CurrentUtcDateTime.Add(delay), CancellationToken.None);
        }
    }

    public static async Task<T> ByHandlerAsync<T>(OrchestratorContext context, AsyncRetryHandler handler, Func<Task<T>> attempt)
    {
        DateTime firstAttempt = context.CurrentUtcDateTime;
        for (int failures = 1; ; failures++)
        {
            ExceptionDispatchInfo failure;
            TaskFailureDetails details;
            try
            {
                return await attempt();
            }
            catch (TaskFailedException e) when (!context.IsNonRetriable(e))
            {
                failure = ExceptionDispatchInfo.Capture(e);
                details = e.FailureDetails;
            }

            TimeSpan elapsed = context.CurrentUtcDateTime - firstAttempt;
            if (!await handler(new RetryContext(context, failures, details, elapsed, CancellationToken.None)))
            {
                failure.Throw();
            }
        }
    }

    /// <summary>The delay before retry <paramref name="retry"/> (from 1), or null for no more retries.</summary>
    private static TimeSpan? DelayBefore(int retry, RetryPolicy policy, Exception failure, DateTime firstAttempt, DateTime now)
    {
        try
        {
            if (!policy.Handle(failure))
            {
                return null;
            }
        }
#pragma warning disable CA1031 // A predicate that throws must not hide the failure that it was asked about.
        catch (Exception)
#pragma warning restore CA1031
        {
            return null;
        }

        if (policy.RetryTimeout != Timeout.InfiniteTimeSpan && now - firstAttempt >= policy.RetryTimeout)
        {
            return null;
        }

        double milliseconds = policy.FirstRetryInterval.TotalMilliseconds * Math.Pow(policy.BackoffCoefficient, retry - 1);
        TimeSpan longest = policy.MaxRetryInterval == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : policy.MaxRetryInterval;
        return milliseconds < longest.TotalMilliseconds ? TimeSpan.FromMilliseconds(milliseconds) : longest;
    }
}
