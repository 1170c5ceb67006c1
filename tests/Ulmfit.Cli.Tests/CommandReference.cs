using System.CommandLine;
using System.CommandLine.Help;
using System.Globalization;
using System.Text;
using Ulmfit.Cli.Terminal;

namespace Ulmfit.Cli.Tests;

/// <summary>The part of <c>docs/cli.md</c> that follows from the commands themselves.</summary>
internal static class CommandReference
{
    /// <summary>What it begins with.</summary>
    public const string Heading = "## Exit codes\n";

    public static string Of(RootCommand root)
    {
        var text = new StringBuilder(Heading).Append("\n| code | means |\n| --- | --- |\n");
        foreach (ExitCode exit in ExitCodes.All)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {exit.Code} | {exit.Meaning} |\n");
        }

        text.Append("\n## Environment\n\n| variable | says |\n| --- | --- |\n");
        foreach ((string name, string meaning) in EnvironmentVariables.All)
        {
            text.Append(CultureInfo.InvariantCulture, $"| `{name}` | {meaning} |\n");
        }

        foreach (DocumentedCommand command in root.Subcommands.Cast<DocumentedCommand>())
        {
            Append(text, command);
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, DocumentedCommand command)
    {
        text.Append(CultureInfo.InvariantCulture, $"\n## ulmfit {command.Name}\n\n{command.Description}. {command.Details}\n\n```bash run\n{string.Join('\n', command.Examples)}\n```\n\n");
        text.Append("| option | default | |\n| --- | --- | --- |\n");
        foreach (Argument argument in command.Arguments)
        {
            string name = argument.HelpName ?? argument.Name;
            text.Append(CultureInfo.InvariantCulture, $"| `{Cell(argument.Arity.MaximumNumberOfValues > 1 ? name + "…" : name)}` | {(argument.Arity.MinimumNumberOfValues > 0 ? "required" : "–")} | {Cell(argument.Description)} |\n");
        }

        foreach (Option option in command.Options.Where(option => option is not HelpOption))
        {
            string value = option.ValueType == typeof(bool) ? "" : option.Arity.MinimumNumberOfValues == 0 ? $" [{option.HelpName}]" : $" {option.HelpName}";
            text.Append(CultureInfo.InvariantCulture, $"| `{Cell(option.Name + value)}` | {DefaultOf(option)} | {Cell(option.Description)} |\n");
        }
    }

    private static string DefaultOf(Option option) =>
        option.Required ? "required"
        : option.ValueType == typeof(bool) || !option.HasDefaultValue ? "–"
        : option.GetDefaultValue() switch
        {
            "" => "empty",
            Enum value => $"`{value.ToString().ToLowerInvariant()}`",
            IFormattable value => $"`{value.ToString(null, CultureInfo.InvariantCulture)}`",
            object value => $"`{value}`",
            null => "–",
        };

    private static string Cell(string? text) => (text ?? "").Replace("|", "\\|", StringComparison.Ordinal);
}
