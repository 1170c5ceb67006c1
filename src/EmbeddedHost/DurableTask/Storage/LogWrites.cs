using System.Diagnostics;
using Microsoft.Win32.SafeHandles;

namespace EmbeddedHost.Durable;

/// <summary>
/// Tells whoever subscribed to the diagnostic listener of this name, in the same process, of every write of a log: before it and when it
/// is on disk. The kill matrix ends the process there; with no subscriber a write costs one look at a flag more.
/// </summary>
internal static class LogWrites
{
    public const string Listener = "EmbeddedHost.DurableTask.Log";
    public const string Begins = "Begins";
    public const string IsOnDisk = "IsOnDisk";

    private static readonly DiagnosticListener s_listener = new(Listener);

    public static void Tell(string what, string path, SafeFileHandle file, long offset, ReadOnlyMemory<byte> frame)
    {
        if (s_listener.IsEnabled())
        {
            s_listener.Write(what, new LogWrite(path, file, offset, frame));
        }
    }
}

/// <summary>A write of a log.</summary>
/// <param name="Path">The log; a new one has this name only after its first frame is on disk.</param>
/// <param name="File">The file that is written to.</param>
/// <param name="Offset">Where in it.</param>
/// <param name="Frame">What is written.</param>
internal sealed record LogWrite(string Path, SafeFileHandle File, long Offset, ReadOnlyMemory<byte> Frame);
