using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Ulmfit.Cli.Terminal;

/// <summary>The library's help, and under it what it has no place for: examples, exit codes, variables of the environment.</summary>
/// <param name="usual">The library's help.</param>
internal sealed class FullHelp(HelpAction usual) : SynchronousCommandLineAction
{
    /// <inheritdoc/>
    public override bool ClearsParseErrors => true;

    /// <summary>Puts this help in place of the library's, for a command and all below it.</summary>
    public static void Install(RootCommand root)
    {
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new FullHelp((HelpAction)help.Action!);
    }

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        int code = usual.Invoke(parseResult);
        TextWriter output = parseResult.InvocationConfiguration.Output;
        if (parseResult.CommandResult.Command is DocumentedCommand command)
        {
            if (command.Details.Length > 0)
            {
                output.WriteLine(command.Details);
                output.WriteLine();
            }

            output.WriteLine("Examples:");
            foreach (string example in command.Examples)
            {
                output.WriteLine("  " + example);
            }

            output.WriteLine();
        }

        if (parseResult.CommandResult.Command is RootCommand)
        {
            output.WriteLine("Exit codes:");
            foreach (ExitCode exit in ExitCodes.All)
            {
                output.WriteLine($"  {exit.Code}  {exit.Meaning}");
            }

            output.WriteLine();
            output.WriteLine("Environment:");
            foreach ((string name, string meaning) in EnvironmentVariables.All)
            {
                output.WriteLine($"  {name,-12}  {meaning}");
            }

            output.WriteLine();
            output.WriteLine("'ulmfit COMMAND --help' tells the options of a command, with examples; docs/cli.md has all of them.");
        }

        return code;
    }
}
