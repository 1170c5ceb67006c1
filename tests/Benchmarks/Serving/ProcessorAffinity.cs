using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;

namespace ServingBenchmark;

/// <summary>Binds threads to processors, on Linux; elsewhere nothing is bound.</summary>
internal static class ProcessorAffinity
{
    private const int BitsOfAWord = 64;

    /// <summary>Whether there is such a thing here.</summary>
    public static bool IsSupported => OperatingSystem.IsLinux();

    /// <summary>Binds every thread of this process, and those that they will begin.</summary>
    /// <param name="cores">The processors, from 0.</param>
    public static void BindProcess(IReadOnlyList<int> cores)
    {
        if (!IsSupported)
        {
            return;
        }
        foreach (string thread in Directory.EnumerateDirectories("/proc/self/task"))
        {
            // One that has ended meanwhile needs no processor.
            _ = Bind(int.Parse(Path.GetFileName(thread), CultureInfo.InvariantCulture), cores);
        }
    }

    /// <summary>Binds the calling thread.</summary>
    /// <param name="cores">The processors, from 0.</param>
    /// <exception cref="Win32Exception">There are none of these for this process.</exception>
    public static void BindThread(IReadOnlyList<int> cores)
    {
        if (IsSupported && !Bind(0, cores))
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"No thread can be bound to the processors {string.Join(',', cores)}.");
        }
    }

    private static bool Bind(int thread, IReadOnlyList<int> cores)
    {
        ulong[] mask = new ulong[(cores.Max() / BitsOfAWord) + 1];
        foreach (int core in cores)
        {
            mask[core / BitsOfAWord] |= 1UL << (core % BitsOfAWord);
        }
        return SetAffinity(thread, (nuint)(mask.Length * sizeof(ulong)), mask) == 0;
    }

    [DllImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetAffinity(int thread, nuint bytes, ulong[] mask);
}
