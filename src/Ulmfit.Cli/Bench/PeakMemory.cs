using System.Diagnostics;
using System.Globalization;

namespace Ulmfit.Cli.Bench;

/// <summary>The most memory that the process ever had in use.</summary>
internal static class PeakMemory
{
    /// <summary>Largest resident set so far, in bytes.</summary>
    public static long Bytes()
    {
        const string Field = "VmHWM:", Status = "/proc/self/status";

        // What time -v and getrusage tell too; .NET's own figure is zero on some systems.
        if (OperatingSystem.IsLinux() && File.Exists(Status)
            && File.ReadLines(Status).FirstOrDefault(line => line.StartsWith(Field, StringComparison.Ordinal)) is string found
            && long.TryParse(found[Field.Length..].Trim().Split(' ')[0], CultureInfo.InvariantCulture, out long kibibytes))
        {
            return kibibytes * 1024;
        }

        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }
}
