using System.CommandLine;

namespace Ulmfit.Cli;

/// <summary><c>--threads</c>: on how many threads a command computes.</summary>
internal sealed class ThreadsOption
{
    /// <summary>The option.</summary>
    public Option<int?> Option { get; } = new("--threads") { Description = "Threads that compute, one for each processor when not given; the result does not depend on it", HelpName = "N" };

    /// <summary>How many it is.</summary>
    /// <exception cref="UsageException">Fewer than one.</exception>
    public int Of(ParseResult parsed) =>
        parsed.GetValue(Option) switch
        {
            null => Environment.ProcessorCount,
            >= 1 and int threads => threads,
            _ => throw new UsageException("--threads must be at least 1."),
        };
}
