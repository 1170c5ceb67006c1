using Microsoft.DurableTask;
using Ulmfit.Pipeline;
using Ulmfit.Training;

namespace Ulmfit.Functions.Orchestration;

/// <summary>How failures are met.</summary>
internal static class Policies
{
    private const int Attempts = 5;

    /// <summary>Storage and machines fail for a while; what trying again does not mend is not tried again.</summary>
    public static TaskOptions Activity { get; } = TaskOptions.FromRetryPolicy(
        new RetryPolicy(Attempts, TimeSpan.FromSeconds(2), backoffCoefficient: 3, maxRetryInterval: TimeSpan.FromMinutes(2))
        {
            HandleFailure = failure => !IsPermanent(failure),
        });

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
            : $"{cause.ErrorMessage} ({cause.ErrorType}, tried {Attempts} times.) The host's log has the details; once the cause is mended, {again}.";
    }

    private static bool IsPermanent(TaskFailureDetails failure) =>
        failure.IsCausedBy<PipelineException>() || failure.IsCausedBy<TrainingDivergedException>() || failure.IsCausedBy<TrainingSettingsException>();
}
