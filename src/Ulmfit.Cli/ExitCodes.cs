using System.CommandLine;
using Ulmfit.Cli.Hosted;
using Ulmfit.Cli.Terminal;
using Ulmfit.Training;

namespace Ulmfit.Cli;

/// <summary>Wrong usage or input; the message tells what to do.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>A code that a command ends with.</summary>
/// <param name="Code">The number.</param>
/// <param name="Meaning">What it tells.</param>
internal sealed record ExitCode(int Code, string Meaning);

/// <summary>The codes that commands end with, and where each failure gets its own.</summary>
internal static class ExitCodes
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int Usage = 2;
    public const int Rejected = 3;
    public const int Canceled = 4;
    public const int Unreachable = 5;

    // A step of a large model on a small machine; the terminal is put in order after it.
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(15);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<ExitCode> All { get; } =
    [
        new(Done, "done; watch: the run's model was published"),
        new(Failed, "the work failed or was interrupted; watch: the run failed"),
        new(Usage, "wrong usage or input, or a request that the host refuses"),
        new(Rejected, "watch, drop --watch: the run ended, but its model is no better than the champion"),
        new(Canceled, "watch, drop --watch: the run was called off"),
        new(Unreachable, "watch, drop: no host answers"),
    ];

    public static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        ParseResult parsed = root.Parse(args.Length == 0 ? ["--help"] : args);
        if (parsed.Errors.Count > 0)
        {
            foreach (System.CommandLine.Parsing.ParseError error in parsed.Errors)
            {
                await Console.Error.WriteLineAsync(error.Message);
            }

            await Console.Error.WriteLineAsync("See --help.");
            return Usage;
        }

        Screen screen = Screen.Open(jsonOnOutput: true);
        try
        {
            int code = await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = StopWithin });
            return args.Length == 0 ? Usage : code;
        }
        catch (Exception exception) when (exception is UsageException or TrainingSettingsException or InvalidDataException or FileNotFoundException or DirectoryNotFoundException)
        {
            screen.Fail(exception.Message);
            return Usage;
        }
        catch (HostUnreachableException exception)
        {
            screen.Fail(exception.Message);
            return Unreachable;
        }
        catch (OperationCanceledException)
        {
            screen.Fail(parsed.CommandResult.Command.Name is "watch" or "drop"
                ? "Interrupted. The host goes on by itself; 'ulmfit watch' looks again."
                : "Interrupted. The same command goes on from the last checkpoint.");
            return Failed;
        }
        catch (Exception exception) when (exception is TrainingDivergedException or HostFailedException or IOException or UnauthorizedAccessException)
        {
            screen.Fail(exception.Message);
            return Failed;
        }
        catch (Exception exception)
        {
            screen.Fail(exception);
            return Failed;
        }
    }
}
