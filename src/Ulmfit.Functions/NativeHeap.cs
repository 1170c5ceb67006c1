using System.Runtime.InteropServices;

namespace Ulmfit.Functions;

/// <summary>The C library's memory, out of which ONNX Runtime takes that of its computations.</summary>
internal static class NativeHeap
{
    private const int LargestKeptBlock = -3;
    private const int MostPools = -8;

    /// <summary>
    /// Bounds what the C library of GNU systems keeps of freed memory. By itself it has a pool for each of eight times as many threads
    /// as there are processors and keeps in each what the largest request there has left behind, so that a host under load grows for
    /// hours, although no more is in use. Other systems' libraries do not, and have no such setting.
    /// </summary>
    public static void Bound()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        try
        {
            // More pools than computations run at a time save no waiting.
            _ = SetOption(MostPools, Environment.ProcessorCount);
            _ = SetOption(LargestKeptBlock, 256 * 1024);
        }
        catch (EntryPointNotFoundException)
        {
            // Another C library (musl).
        }
    }

#pragma warning disable SYSLIB1054 // LibraryImport's generated code is unsafe, which this project does not allow.
    [DllImport("libc", EntryPoint = "mallopt")]
    private static extern int SetOption(int option, int value);
#pragma warning restore SYSLIB1054
}
