using System.ComponentModel;
using System.Runtime.InteropServices;

namespace EmbeddedHost.Durable;

/// <summary>
/// Makes created, renamed and deleted names in a folder durable. .NET has no call for it; on Windows the file system's journal
/// does it unasked.
/// </summary>
internal static partial class DirectorySync
{
    private const int ReadOnly = 0;

    /// <summary>Makes a folder and those above it, durably.</summary>
    public static void Create(string folder)
    {
        if (Directory.Exists(folder))
        {
            return;
        }

        string? above = Path.GetDirectoryName(folder);
        if (above is not null)
        {
            Create(above);
        }

        Directory.CreateDirectory(folder);
        if (above is not null)
        {
            Flush(above);
        }
    }

    /// <summary>Makes the names in a folder durable.</summary>
    public static void Flush(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        int descriptor = Open(folder, ReadOnly);
        if (descriptor < 0)
        {
            throw Failure(folder);
        }

        try
        {
            if (Sync(descriptor) != 0)
            {
                throw Failure(folder);
            }
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static IOException Failure(string folder)
    {
        var cause = new Win32Exception(Marshal.GetLastPInvokeError());
        return new IOException($"The folder '{folder}' cannot be flushed to disk: {cause.Message}", cause);
    }

#pragma warning disable SYSLIB1054 // LibraryImport's generated code is unsafe, which this project does not allow.
#pragma warning disable CA2101 // The path is marshalled as UTF-8, which is what these systems take.
    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static extern int Sync(int descriptor);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    private static extern int Close(int descriptor);
#pragma warning restore CA2101
#pragma warning restore SYSLIB1054
}
