using BenchmarkDotNet.Jobs;

namespace Benchmarks;

/// <summary>Reads <c>--job</c> off the command line, which the runner would otherwise tie to its default toolchain.</summary>
internal static class JobArguments
{
    public static string[] Take(string[] arguments, out Job? job)
    {
        int place = Array.FindIndex(arguments, argument => argument is "--job" or "-j");
        if (place < 0 || place + 1 == arguments.Length)
        {
            job = null;
            return arguments;
        }

        job = arguments[place + 1].ToUpperInvariant() switch
        {
            "DRY" => Job.Dry,
            "SHORT" => Job.ShortRun,
            "MEDIUM" => Job.MediumRun,
            "LONG" => Job.LongRun,
            "DEFAULT" => Job.Default,
            _ => throw new ArgumentException($"The job '{arguments[place + 1]}' is not known: choose dry, short, medium, long or default."),
        };
        return [.. arguments[..place], .. arguments[(place + 2)..]];
    }
}
