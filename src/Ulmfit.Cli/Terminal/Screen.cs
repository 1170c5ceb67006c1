using System.Text;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Ulmfit.Cli.Terminal;

/// <summary>
/// What a command writes for people: its results to standard output, how far it is to standard error. Each is plain, and its lines
/// are never wrapped, where it is not a terminal; where standard output carries JSON, all goes to standard error.
/// </summary>
/// <param name="output">Where results go.</param>
/// <param name="error">Where progress goes.</param>
internal sealed class Screen(IAnsiConsole output, IAnsiConsole error)
{
    // Wider than any line of ours.
    private const int Unwrapped = 1 << 14;
    private const int UsualWidth = 80;

    private bool isDrawing;

    /// <summary>Whether results are read on a terminal.</summary>
    public bool IsTerminal => IsTerminalOf(output);

    /// <summary>Whether progress can be drawn over and over in one place.</summary>
    public bool IsLive => IsTerminalOf(error) && error.Profile.Capabilities.Ansi;

    /// <summary>Columns of a line of results.</summary>
    public int Width => output.Profile.Width;

    /// <summary>The screen of this process.</summary>
    /// <param name="jsonOnOutput">Whether standard output carries JSON, and nothing else.</param>
    public static Screen Open(bool jsonOnOutput = false)
    {
        IAnsiConsole error = ConsoleOf(Console.Error, Console.IsErrorRedirected);
        return new Screen(jsonOnOutput ? error : ConsoleOf(Console.Out, Console.IsOutputRedirected), error);
    }

    /// <summary>A console as the environment asks for it: colours on a terminal alone, and none where <c>NO_COLOR</c> is set (https://no-color.org).</summary>
    /// <param name="writer">What it writes to.</param>
    /// <param name="redirected">Whether that is no terminal.</param>
    public static IAnsiConsole ConsoleOf(TextWriter writer, bool redirected)
    {
        bool terminal = !redirected && Environment.GetEnvironmentVariable("TERM") != "dumb";
        bool colours = terminal && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = terminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = colours ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = terminal ? InteractionSupport.Yes : InteractionSupport.No,

            // They would send colours to the logs of build servers.
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
        console.Profile.Width = !terminal ? Unwrapped : console.Profile.Width is > 0 and int width ? width : UsualWidth;
        return console;
    }

    /// <summary>A line of results.</summary>
    public void Line(string text = "") => WriteLine(output, text, Style.Plain);

    /// <summary>A line of results that stands out, where there are colours.</summary>
    public void Line(string text, Style style) => WriteLine(output, text, style);

    /// <summary>A line beside the results: how far the work is, what is odd.</summary>
    public void Note(string text) => WriteLine(error, text, Style.Plain);

    /// <summary>A line that tells of a failure.</summary>
    public void Fail(string text) => WriteLine(error, text, new Style(Color.Red));

    /// <summary>Results that are more than a line.</summary>
    public void Write(IRenderable content) => Target(output).Write(content);

    /// <summary>Tells of a failure that nobody foresaw.</summary>
    public void Fail(Exception exception) => error.WriteException(exception);

    /// <summary>Does work with a region at the foot of the terminal, above which lines go on appearing; it is gone afterwards.</summary>
    /// <param name="content">What stands there; asked for again at every refreshment.</param>
    /// <param name="work">The work, which is handed the refreshment.</param>
    public async Task<T> DrawAsync<T>(IRenderable content, Func<Action, Task<T>> work)
    {
        isDrawing = true;
        try
        {
            return await error.Live(content).AutoClear(true).StartAsync(region => work(region.Refresh));
        }
        finally
        {
            isDrawing = false;
        }
    }

    private static bool IsTerminalOf(IAnsiConsole console) => console.Profile.Capabilities.Interactive;

    // While a region is drawn, what goes to the same terminal goes the same way, or it would be drawn over.
    private IAnsiConsole Target(IAnsiConsole console) => isDrawing && IsTerminalOf(console) ? error : console;

    private void WriteLine(IAnsiConsole console, string text, Style style)
    {
        if (IsTerminalOf(console))
        {
            // What people sent in may be anything: no control characters reach the terminal.
            string shown = Printable(text);
            Target(console).Write(new Spectre.Console.Text((isDrawing ? OverDrawn(shown, console.Profile.Width) : shown) + "\n", style));
        }
        else
        {
            console.Profile.Out.Writer.WriteLine(text);
        }
    }

    // The line appears where the region was: it has to cover what was drawn there.
    private static string OverDrawn(string text, int width) =>
        string.Join('\n', text.Split('\n').SelectMany(line => line.Length == 0 ? [new string(' ', width)] : line.Chunk(width).Select(part => new string(part).PadRight(width))));

    private static string Printable(string text)
    {
        if (!text.Any(char.IsControl))
        {
            return text;
        }

        var kept = new StringBuilder(text.Length);
        foreach (char c in text.Where(c => c == '\n' || !char.IsControl(c)))
        {
            kept.Append(c);
        }

        return kept.ToString();
    }
}
