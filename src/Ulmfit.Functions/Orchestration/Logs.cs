using Microsoft.Extensions.Logging;

namespace Ulmfit.Functions.Orchestration;

/// <summary>What orchestrations tell.</summary>
internal static partial class Logs
{
    [LoggerMessage(130, LogLevel.Information, "{Run} begins: {Directions}.")]
    public static partial void RunBegins(ILogger logger, string run, string directions);

    [LoggerMessage(131, LogLevel.Information, "{Run} {Reason}.")]
    public static partial void RunRejected(ILogger logger, string run, string reason);

    [LoggerMessage(132, LogLevel.Information, "{Run} was called off; what is checkpointed stays.")]
    public static partial void RunCanceled(ILogger logger, string run);

    [LoggerMessage(133, LogLevel.Error, "{Run} failed: {Error}")]
    public static partial void RunFailed(ILogger logger, string run, string error);

    [LoggerMessage(135, LogLevel.Error, "{Dataset}: nothing can be begun: {Error}")]
    public static partial void NotBegun(ILogger logger, string dataset, string error);

    [LoggerMessage(134, LogLevel.Warning, "{Dataset}: checkpoints could not be purged: {Error}")]
    public static partial void PurgeFailed(ILogger logger, string dataset, string error);

    [LoggerMessage(138, LogLevel.Warning, "{Run}: a step of the training was found damaged; it is trained again.")]
    public static partial void TrainedAgain(ILogger logger, string run);

    [LoggerMessage(136, LogLevel.Information, "Pretraining {Name} was called off; what is checkpointed stays.")]
    public static partial void PretrainingEnded(ILogger logger, string name);

    [LoggerMessage(137, LogLevel.Error, "Pretraining {Name} failed: {Error}")]
    public static partial void PretrainingFailed(ILogger logger, string name, string error);
}
