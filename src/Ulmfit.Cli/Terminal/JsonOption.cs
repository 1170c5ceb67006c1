using System.CommandLine;
using System.Text.Json;

namespace Ulmfit.Cli.Terminal;

/// <summary>
/// <c>--json</c>: the result for programs, to a file or, without one, to standard output as one document and nothing else. A command
/// that takes arguments of its own never takes a file here: <c>--json a.csv</c> would be written over.
/// </summary>
internal sealed class JsonOption
{
    private readonly Option<string?>? file;
    private readonly Option<bool>? flag;

    private JsonOption(Option<string?>? file, Option<bool>? flag) => (this.file, this.flag) = (file, flag);

    /// <summary>The option.</summary>
    public Option Option => (Option?)file ?? flag!;

    /// <summary>Of a command without arguments.</summary>
    /// <param name="what">What is written.</param>
    public static JsonOption WithFile(string what) => new(
        new("--json") { Description = $"Write {what} as JSON to FILE; without FILE to standard output, and what is for people to standard error", Arity = ArgumentArity.ZeroOrOne, HelpName = "FILE" }, null);

    /// <summary>Of a command with arguments.</summary>
    /// <param name="what">What is written.</param>
    public static JsonOption OnOutput(string what) => new(
        null, new("--json") { Description = $"Write {what} as JSON to standard output, and what is for people to standard error" });

    /// <summary>The screen of a command that was called so.</summary>
    public Screen Open(ParseResult parsed) => Screen.Open(IsOnOutput(parsed));

    /// <summary>Whether standard output is to have the document.</summary>
    public bool IsOnOutput(ParseResult parsed) =>
        file is null ? parsed.GetValue(flag!) : parsed.GetResult(file) is { Implicit: false } && parsed.GetValue(file) is null;

    /// <summary>Writes the result where it was asked for.</summary>
    public void Write<T>(ParseResult parsed, T report)
    {
        WriteFile(parsed, report);
        if (IsOnOutput(parsed))
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(report, Reports.Json));
        }
    }

    /// <summary>Writes a result that is not yet the last one: to the file, if there is one.</summary>
    public void WriteFile<T>(ParseResult parsed, T report) => Reports.WriteJson(file is null ? null : parsed.GetValue(file), report);
}
