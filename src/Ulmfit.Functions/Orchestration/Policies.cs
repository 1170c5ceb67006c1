using Microsoft.DurableTask;
using Ulmfit.Pipeline;
using Ulmfit.Training;

namespace Ulmfit.Functions.Orchestration;

/// <summary>How failures are met.</summary>
internal static class Policies
{
    private const int Attempts = 5;

    // A disk is full until somebody makes room, and a storage account is away until somebody pays: a weekend, and then some.
    private static readonly TimeSpan StoragePatience = TimeSpan.FromDays(7);
    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Storage and machines fail for a while; what trying again does not mend is not tried again. A failure of the storage (a full disk, a
    /// read-only folder, a service that does not answer) loses no run: the activity is tried again for a week, and goes on within a
    /// minute once there is room. Anything else is tried five times.
    /// </summary>
    public static TaskOptions Activity { get; } = TaskOptions.FromRetryHandler(TryAgainAsync);

    /// <summary>What a person is told of a failure.</summary>
    /// <param name="failure">The failure.</param>
    /// <param name="again">What begins again once the cause is mended, as a clause.</param>
    public static string Describe(TaskFailureDetails failure, string again)
    {
        TaskFailureDetails cause = failure;
        while (cause.InnerFailure is { } inner && cause.IsCausedBy<TaskFailedException>())
        {
            cause = inner;
        }
        return IsPermanent(cause)
            ? cause.ErrorMessage
            : $"{cause.ErrorMessage} ({cause.ErrorType}, tried {(IsStorage(cause) ? $"for {StoragePatience.Days} days" : $"{Attempts} times")}.) The host's log has the details; once the cause is mended, {again}.";
    }

    private static async Task<bool> TryAgainAsync(RetryContext retry)
    {
        bool patient = IsStorage(retry.LastFailure) ? retry.TotalRetryTime < StoragePatience : retry.LastAttemptNumber < Attempts;
        if (!patient || IsPermanent(retry.LastFailure))
        {
            return false;
        }
        double seconds = FirstDelay.TotalSeconds * Math.Pow(3, Math.Min(retry.LastAttemptNumber - 1, 10));
        await retry.OrchestrationContext.CreateTimer(TimeSpan.FromSeconds(Math.Min(seconds, LongestDelay.TotalSeconds)), retry.CancellationToken);
        return true;
    }

    private static bool IsStorage(TaskFailureDetails failure) => failure.IsCausedBy<IOException>() || failure.IsCausedBy<UnauthorizedAccessException>();

    private static bool IsPermanent(TaskFailureDetails failure) =>
        failure.IsCausedBy<PipelineException>() || failure.IsCausedBy<TrainingDivergedException>() || failure.IsCausedBy<TrainingSettingsException>();
}
