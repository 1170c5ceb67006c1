namespace Ulmfit.Storage;

/// <summary>What a failure of a store means for whoever has to do something about it.</summary>
public enum StorageFailure
{
    /// <summary>None of those below: the store did not answer, or was away.</summary>
    Other,

    /// <summary>There is no room left, or no more than a quota allows.</summary>
    Full,

    /// <summary>The store can be read but not written: a read-only file system, or rights that are missing.</summary>
    ReadOnly,
}

/// <summary>Tells failures of a store apart. Where a store says more than that it failed, the operating system's number says it.</summary>
public static class StorageFailures
{
    // Linux: ENOSPC, EDQUOT, EROFS, EACCES, EPERM. Windows: ERROR_DISK_FULL, ERROR_HANDLE_DISK_FULL, ERROR_WRITE_PROTECT.
    private const int NoSpace = 28;
    private const int QuotaExceeded = 122;
    private const int ReadOnlyFileSystem = 30;
    private const int AccessDenied = 13;
    private const int NotPermitted = 1;
    private const int DiskFull = unchecked((int)0x80070070);
    private const int HandleDiskFull = unchecked((int)0x80070027);
    private const int WriteProtected = unchecked((int)0x80070013);

    /// <summary>What a failure means.</summary>
    /// <param name="exception">The failure.</param>
    /// <returns>Null where the exception is no store's.</returns>
    public static StorageFailure? Of(Exception exception)
    {
        for (Exception? cause = exception; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case UnauthorizedAccessException:
                case IOException { HResult: ReadOnlyFileSystem or AccessDenied or NotPermitted or WriteProtected }:
                    return StorageFailure.ReadOnly;
                case IOException { HResult: NoSpace or QuotaExceeded or DiskFull or HandleDiskFull }:
                    return StorageFailure.Full;
            }
        }
        return exception is IOException ? StorageFailure.Other : null;
    }
}
