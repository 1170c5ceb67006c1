using System.CommandLine;
using Spectre.Console;
using Ulmfit.Training;

namespace Ulmfit.Cli;

/// <summary>Wrong usage or input; the message tells what to do.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>0 done, 1 the work failed, 2 wrong usage or input.</summary>
internal static class ExitCodes
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int Usage = 2;

    public static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        ParseResult parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (System.CommandLine.Parsing.ParseError error in parsed.Errors)
            {
                await Console.Error.WriteLineAsync(error.Message);
            }

            await Console.Error.WriteLineAsync("See --help.");
            return Usage;
        }

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (Exception exception) when (exception is UsageException or TrainingSettingsException or InvalidDataException or FileNotFoundException or DirectoryNotFoundException)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return Usage;
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("Interrupted. The same command goes on from the last checkpoint.");
            return Failed;
        }
        catch (Exception exception) when (exception is TrainingDivergedException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return Failed;
        }
        catch (Exception exception)
        {
            AnsiConsole.WriteException(exception);
            return Failed;
        }
    }
}
