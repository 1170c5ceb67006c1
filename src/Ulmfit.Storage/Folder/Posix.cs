using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ulmfit.Storage.Folder;

/// <summary>What Linux offers and the base class library does not: change times, renaming without replacing, a directory's fsync.</summary>
internal static class Posix
{
    private const int CurrentDirectory = -100;
    private const int SymlinkNoFollow = 0x100;
    private const int EmptyPath = 0x1000;
    private const uint BasicStats = 0x7ff;
    private const uint NoReplace = 1;
    private const int ReadOnlyDirectory = 0x80000; // O_RDONLY | O_CLOEXEC: the same value on x64 and arm64

    private const int NoEntry = 2;
    private const int AlreadyExists = 17;
    private const int NotADirectory = 20;
    private const int InvalidArgument = 22;
    private const int NotImplemented = 38;

    /// <summary>The status of a path, a symbolic link not followed; null when there is nothing.</summary>
    public static Status? StatusOf(string path)
    {
        if (Statx(CurrentDirectory, path, SymlinkNoFollow, BasicStats, out var status) == 0)
        {
            return status;
        }
        var error = Marshal.GetLastPInvokeError();
        return error is NoEntry or NotADirectory ? null : throw Failure(error, path);
    }

    /// <summary>The status of an open file.</summary>
    public static Status StatusOf(SafeFileHandle file) =>
        Statx(file, "", EmptyPath, BasicStats, out var status) == 0 ? status : throw Failure(Marshal.GetLastPInvokeError(), "an open file");

    /// <summary>Renames a file unless the new name is taken, in one step.</summary>
    /// <returns>Whether it was renamed; null where the file system cannot do it in one step.</returns>
    public static bool? TryRenameWithoutReplacing(string from, string to)
    {
        if (RenameAt2(CurrentDirectory, from, CurrentDirectory, to, NoReplace) == 0)
        {
            return true;
        }
        return Marshal.GetLastPInvokeError() switch
        {
            AlreadyExists => false,
            InvalidArgument or NotImplemented => null,
            NoEntry => throw new DirectoryNotFoundException($"The folder of {to} is gone."),
            var error => throw Failure(error, to),
        };
    }

    /// <summary>Brings a directory's entries to the disk.</summary>
    public static void SyncDirectory(string path)
    {
        var descriptor = Open(path, ReadOnlyDirectory);
        if (descriptor < 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error == NoEntry)
            {
                return; // removed meanwhile, so it has no entries to keep
            }
            throw Failure(error, path);
        }
        using var directory = new SafeFileHandle(descriptor, ownsHandle: true);
        if (Fsync(directory) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error != InvalidArgument) // a file system without such a thing: its directories need none
            {
                throw Failure(error, path);
            }
        }
    }

    private static IOException Failure(int error, string path) => new($"{path}: {new Win32Exception(error).Message}", error);

    [DllImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static extern int Statx(int directory, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, out Status status);

    [DllImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static extern int Statx(SafeFileHandle file, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, out Status status);

    [DllImport("libc", EntryPoint = "renameat2", SetLastError = true)]
    private static extern int RenameAt2(
        int fromDirectory, [MarshalAs(UnmanagedType.LPUTF8Str)] string from, int toDirectory, [MarshalAs(UnmanagedType.LPUTF8Str)] string to, uint flags);

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static extern int Fsync(SafeFileHandle file);

    /// <summary><c>struct statx</c>, whose layout is the same on every processor.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal readonly struct Status
    {
        [FieldOffset(28)] public readonly ushort Mode;
        [FieldOffset(32)] public readonly ulong Inode;
        [FieldOffset(40)] public readonly long Length;
        [FieldOffset(96)] private readonly long changedSeconds;
        [FieldOffset(104)] private readonly uint changedNanoseconds;
        [FieldOffset(112)] private readonly long modifiedSeconds;
        [FieldOffset(120)] private readonly uint modifiedNanoseconds;

        /// <summary>When content or status last changed, nanoseconds since 1970.</summary>
        public long Changed => (changedSeconds * 1_000_000_000) + changedNanoseconds;

        /// <summary>When the content last changed, as the file says, nanoseconds since 1970.</summary>
        public long Modified => (modifiedSeconds * 1_000_000_000) + modifiedNanoseconds;
    }
}
