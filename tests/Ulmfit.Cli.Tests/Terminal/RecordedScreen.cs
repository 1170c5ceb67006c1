using System.Text;
using Spectre.Console;
using Ulmfit.Cli.Terminal;

namespace Ulmfit.Cli.Tests.Terminal;

/// <summary>A screen whose two streams are kept, either of them a terminal or not.</summary>
internal sealed class RecordedScreen
{
    private readonly StringBuilder output = new();
    private readonly StringBuilder error = new();

    public RecordedScreen(bool outputIsTerminal, bool errorIsTerminal, int width = 100) =>
        Screen = new Screen(ConsoleOf(new StringWriter(output), outputIsTerminal, width), ConsoleOf(new StringWriter(error), errorIsTerminal, width));

    public Screen Screen { get; }

    public string Output => output.ToString();

    public string Error => error.ToString();

    /// <summary>A console of plain characters, in which a terminal still moves its cursor.</summary>
    public static IAnsiConsole ConsoleOf(TextWriter writer, bool terminal, int width)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = terminal ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = terminal ? InteractionSupport.Yes : InteractionSupport.No,
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
        console.Profile.Width = width;
        console.Profile.Capabilities.Unicode = true;
        return console;
    }
}
