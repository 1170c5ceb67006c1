using Microsoft.Extensions.Logging;

namespace EmbeddedHost.Durable;

/// <summary>What the engine logs.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Task hub '{Folder}' is open: {Active} active and {Ended} ended instances")]
    public static partial void HubOpened(this ILogger logger, string folder, int active, int ended);

    [LoggerMessage(2, LogLevel.Information, "Task hub '{Folder}' is closed")]
    public static partial void HubClosed(this ILogger logger, string folder);

    [LoggerMessage(3, LogLevel.Warning, "History '{Path}' ended in an interrupted write; its last {Bytes} bytes are left out")]
    public static partial void TornTail(this ILogger logger, string path, long bytes);

    [LoggerMessage(4, LogLevel.Error, "Instance '{InstanceId}' is set aside because its history is damaged")]
    public static partial void Corrupted(this ILogger logger, Exception exception, string instanceId);

    [LoggerMessage(5, LogLevel.Information, "Orchestration '{Name}' with id '{InstanceId}' is scheduled")]
    public static partial void Scheduled(this ILogger logger, string name, string instanceId);

    [LoggerMessage(6, LogLevel.Debug, "Orchestration '{Name}' with id '{InstanceId}' runs over {Events} new events")]
    public static partial void TurnStarted(this ILogger logger, string name, string instanceId, int events);

    [LoggerMessage(7, LogLevel.Information, "Orchestration '{Name}' with id '{InstanceId}' has ended: {Status}")]
    public static partial void Ended(this ILogger logger, string name, string instanceId, string status);

    [LoggerMessage(8, LogLevel.Warning, "Orchestration '{Name}' with id '{InstanceId}' has failed: {Failure}")]
    public static partial void Failed(this ILogger logger, string name, string instanceId, string failure);

    [LoggerMessage(9, LogLevel.Debug, "Activity '{Name}' (#{TaskId}) of '{InstanceId}' begins")]
    public static partial void ActivityStarted(this ILogger logger, string name, int taskId, string instanceId);

    [LoggerMessage(10, LogLevel.Debug, "Activity '{Name}' (#{TaskId}) of '{InstanceId}' has ended")]
    public static partial void ActivityCompleted(this ILogger logger, string name, int taskId, string instanceId);

    [LoggerMessage(11, LogLevel.Warning, "Activity '{Name}' (#{TaskId}) of '{InstanceId}' has failed")]
    public static partial void ActivityFailed(this ILogger logger, Exception exception, string name, int taskId, string instanceId);

    [LoggerMessage(12, LogLevel.Information, "Activity '{Name}' (#{TaskId}) of '{InstanceId}' is interrupted and will run again")]
    public static partial void ActivityInterrupted(this ILogger logger, string name, int taskId, string instanceId);

    [LoggerMessage(13, LogLevel.Information, "{EventKind} for instance '{InstanceId}' is dropped: there is no such active instance")]
    public static partial void MessageDropped(this ILogger logger, string eventKind, string instanceId);

    [LoggerMessage(15, LogLevel.Warning, "Orchestration '{Name}' with id '{InstanceId}' is of version '{Version}', which this host of version '{HostVersion}' does not run; it waits for one that does")]
    public static partial void VersionRejected(this ILogger logger, string name, string instanceId, string version, string? hostVersion);

    [LoggerMessage(14, LogLevel.Error, "The history '{Path}' cannot be written; it will be tried again")]
    public static partial void WriteFailed(this ILogger logger, Exception exception, string path);
}
