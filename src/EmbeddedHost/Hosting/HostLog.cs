using Microsoft.Extensions.Logging;

namespace EmbeddedHost;

/// <summary>The host's log messages.</summary>
internal static partial class HostLog
{
    [LoggerMessage(1, LogLevel.Information, "Functions:")]
    public static partial void FunctionsHeading(ILogger logger);

    [LoggerMessage(2, LogLevel.Information, "    {Name}: {Trigger}")]
    public static partial void Function(ILogger logger, string name, string trigger);

    [LoggerMessage(3, LogLevel.Warning, "No functions were found in {Sources}. Is a method public and marked with [Function]?")]
    public static partial void NoFunctions(ILogger logger, string sources);

    [LoggerMessage(4, LogLevel.Information, "State is kept in {DataDirectory}. Keys are {Keys}.")]
    public static partial void State(ILogger logger, string dataDirectory, string keys);

    [LoggerMessage(5, LogLevel.Warning, "This host stands by: {Owner}. It serves what needs storage alone, and takes over when the other one is gone.")]
    public static partial void StandsBy(ILogger logger, string owner);

    [LoggerMessage(6, LogLevel.Information, "This host has taken over the work on {DataDirectory}: triggers and orchestrations go on here.")]
    public static partial void TookOver(ILogger logger, string dataDirectory);

    [LoggerMessage(7, LogLevel.Warning, "This host has lost the lease of its storage. It stops its triggers and orchestrations and stands by; another host goes on with them.")]
    public static partial void OwnershipLost(ILogger logger);

    [LoggerMessage(8, LogLevel.Warning, "This host cannot take over at present; it goes on trying.")]
    public static partial void TakeOverFailed(ILogger logger, Exception exception);

    [LoggerMessage(10, LogLevel.Debug, "Executed '{Function}' (Id={InvocationId}, {Milliseconds} ms)")]
    public static partial void RequestServed(ILogger logger, string function, string invocationId, double milliseconds);

    [LoggerMessage(11, LogLevel.Error, "Executed '{Function}' (Failed, Id={InvocationId})")]
    public static partial void RequestFailed(ILogger logger, string function, string invocationId, Exception exception);

    [LoggerMessage(12, LogLevel.Warning, "'{Function}' (Id={InvocationId}) was sent a value that does not fit: {Message}")]
    public static partial void RequestRejected(ILogger logger, string function, string invocationId, string message);

    [LoggerMessage(13, LogLevel.Error, "A call of the durable management API failed")]
    public static partial void ManagementFailed(ILogger logger, Exception exception);

    [LoggerMessage(20, LogLevel.Error, "Activity '{Function}' of instance '{InstanceId}' failed")]
    public static partial void ActivityFailed(ILogger logger, string function, string instanceId, Exception exception);

    [LoggerMessage(30, LogLevel.Information, "Executing '{Function}' (Blob {Path}, try {Attempt} of {Limit})")]
    public static partial void BlobStarting(ILogger logger, string function, string path, int attempt, int limit);

    [LoggerMessage(31, LogLevel.Information, "Executed '{Function}' (Succeeded, Blob {Path}, {Milliseconds} ms)")]
    public static partial void BlobDone(ILogger logger, string function, string path, double milliseconds);

    [LoggerMessage(32, LogLevel.Error, "Executed '{Function}' (Failed, Blob {Path}, try {Attempt} of {Limit})")]
    public static partial void BlobFailed(ILogger logger, string function, string path, int attempt, int limit, Exception exception);

    [LoggerMessage(33, LogLevel.Error, "Blob {Path} was given up after {Attempts} failed tries of '{Function}' and moved to the list webjobs-blobtrigger-poison: {Reason}")]
    public static partial void BlobPoisoned(ILogger logger, string path, int attempts, string function, string reason);

    [LoggerMessage(34, LogLevel.Information, "Blob {Path} was deleted or changed before '{Function}' could process it; skipped")]
    public static partial void BlobGone(ILogger logger, string path, string function);

    [LoggerMessage(35, LogLevel.Error, "Listing the container '{Container}' for '{Function}' failed; it is tried again with the next scan")]
    public static partial void ListingFailed(ILogger logger, string container, string function, Exception exception);

    [LoggerMessage(36, LogLevel.Warning, "The folder {Folder} cannot be watched, it is scanned every {Seconds} s instead: {Reason}")]
    public static partial void WatchFailed(ILogger logger, string folder, double seconds, string reason);

    [LoggerMessage(37, LogLevel.Warning, "{Path} could not be read and is started anew: {Reason}")]
    public static partial void RecordUnreadable(ILogger logger, string path, string reason);

    [LoggerMessage(38, LogLevel.Error, "The record of '{Function}' for blob {Path} could not be written; it is tried again with the next scan")]
    public static partial void BlobRecordFailed(ILogger logger, string function, string path, Exception exception);

    [LoggerMessage(40, LogLevel.Information, "Executing '{Function}' (Timer {Schedule}, {Reason})")]
    public static partial void TimerStarting(ILogger logger, string function, string schedule, string reason);

    [LoggerMessage(41, LogLevel.Information, "Executed '{Function}' (Succeeded, next at {Next:yyyy-MM-dd HH:mm:ss zzz})")]
    public static partial void TimerDone(ILogger logger, string function, DateTimeOffset next);

    [LoggerMessage(42, LogLevel.Error, "Executed '{Function}' (Failed, next at {Next:yyyy-MM-dd HH:mm:ss zzz})")]
    public static partial void TimerFailed(ILogger logger, string function, DateTimeOffset next);

    [LoggerMessage(43, LogLevel.Warning, "'{Function}' failed and is tried again after {Delay} (retry {Retry} of {Limit})")]
    public static partial void Retrying(ILogger logger, string function, TimeSpan delay, int retry, string limit, Exception exception);

    [LoggerMessage(44, LogLevel.Error, "'{Function}' failed")]
    public static partial void InvocationFailed(ILogger logger, string function, Exception exception);

    [LoggerMessage(45, LogLevel.Error, "The schedule of '{Function}' could not be recorded in {Path}; a run missed while the host is down will not be noticed")]
    public static partial void ScheduleRecordFailed(ILogger logger, string function, string path, Exception exception);

    [LoggerMessage(50, LogLevel.Warning, "The instrument '{Instrument}' of the meter '{Meter}' is not exported: another one of the name {Name} measures something else")]
    public static partial void InstrumentLeftOut(ILogger logger, string meter, string instrument, string name);

    [LoggerMessage(51, LogLevel.Warning, "Some instruments could not be asked for their values; the others are exported")]
    public static partial void InstrumentsFailed(ILogger logger, Exception exception);
}
