using Microsoft.Win32.SafeHandles;

namespace Ulmfit.Storage.Folder;

/// <summary>What stands at a path.</summary>
internal enum EntryKind
{
    File,
    Directory,
    Link,
    Other,
}

/// <summary>
/// One version of a file, told from every other version of the same name by what the file system notes: the identity of
/// the file, its length, and two times in nanoseconds since 1970.
/// </summary>
/// <remarks>
/// The store writes each version to a file of its own and gives it a modification time of 100 ns resolution, so no two of its
/// versions are alike. What other programs write in place carries the kernel's time, which stands still for up to 10 ms:
/// <see cref="IsSettled"/> tells when the next such write cannot fall into the same tick. Linux gives identity and change time; elsewhere
/// the creation time stands in for both, and a program that overwrites a file in place with one of equal length and restores its modification time goes
/// unnoticed.
/// </remarks>
internal readonly record struct FileVersion(EntryKind Kind, ulong Identity, long Length, long Modified, long Changed)
{
    private const long Millisecond = 1_000_000;
    private const long Second = 1000 * Millisecond;

    public ETag ETag => new($"{Identity:x}-{Length:x}-{Modified:x}-{Changed:x}");

    public DateTimeOffset LastModified => DateTimeOffset.UnixEpoch.AddTicks(Modified / TimeSpan.NanosecondsPerTick);

    public static FileVersion? Of(string path)
    {
        if (OperatingSystem.IsLinux())
        {
            return Posix.StatusOf(path) is { } status ? Of(status) : null;
        }
        FileSystemInfo info = new FileInfo(path);
        if (!info.Exists)
        {
            info = new DirectoryInfo(path);
        }
        return info.Exists || info.LinkTarget is not null ? Portable(info) : null;
    }

    public static FileVersion Of(SafeFileHandle file, string path) =>
        OperatingSystem.IsLinux()
            ? Of(Posix.StatusOf(file))
            : new FileVersion(
                EntryKind.File, 0, RandomAccess.GetLength(file), Nanoseconds(File.GetLastWriteTimeUtc(file)), Nanoseconds(File.GetCreationTimeUtc(file)));

    public BlobInfo Describe(string name) => new(name, ETag, Length, LastModified);

    /// <summary>Whether both are the same content: the times of a file's last write, not of a change to its links or rights.</summary>
    public bool HasContentOf(FileVersion other) => Length == other.Length && Modified == other.Modified;

    /// <summary>Whether a write in place from now on would carry another time; else how long that takes.</summary>
    public bool IsSettled(DateTimeOffset now, out TimeSpan wait)
    {
        wait = TimeSpan.Zero;
        if (Modified != Changed)
        {
            return true; // a version of the store's own, or one whose modification time was set: told apart by that time
        }
        var wholeSeconds = Modified % Second == 0;
        var resolution = wholeSeconds ? 2 * Second : 20 * Millisecond;
        var age = Nanoseconds(now.UtcDateTime) - Changed;
        if (age >= resolution || age < -Second)
        {
            return true; // long ago, or by a clock that is not this machine's
        }
        wait = TimeSpan.FromTicks((resolution - age) / TimeSpan.NanosecondsPerTick);
        return false;
    }

    private static FileVersion Of(Posix.Status status) =>
        new(
            (status.Mode & 0xF000) switch
            {
                0x8000 => EntryKind.File,
                0x4000 => EntryKind.Directory,
                0xA000 => EntryKind.Link,
                _ => EntryKind.Other,
            },
            status.Inode, status.Length, status.Modified, status.Changed);

    private static FileVersion Portable(FileSystemInfo info)
    {
        var kind = (info.Attributes & FileAttributes.ReparsePoint) != 0 ? EntryKind.Link : info is FileInfo ? EntryKind.File : EntryKind.Directory;
        var length = kind == EntryKind.File ? ((FileInfo)info).Length : 0;
        return new FileVersion(kind, 0, length, Nanoseconds(info.LastWriteTimeUtc), Nanoseconds(info.CreationTimeUtc));
    }

    private static long Nanoseconds(DateTime time) => (time - DateTime.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;
}
