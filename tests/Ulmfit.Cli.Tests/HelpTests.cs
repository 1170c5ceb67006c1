using System.CommandLine;
using System.CommandLine.Help;
using System.Text.RegularExpressions;
using Ulmfit.Cli.Terminal;

namespace Ulmfit.Cli.Tests;

/// <summary>What commands say of themselves, and that <c>docs/cli.md</c> says the same.</summary>
public sealed partial class HelpTests
{
    // Set to write the reference anew where it is no longer that of the commands.
    private const string Write = "ULMFIT_WRITE_DOCS";

    private readonly RootCommand root = CommandTree.Create();

    [Fact]
    public void Reference_InTheDocument_IsThatOfTheCommands()
    {
        string path = Path.Combine(Repository.Root, "docs", "cli.md"), document = File.ReadAllText(path);
        int begin = document.IndexOf(CommandReference.Heading, StringComparison.Ordinal);
        Assert.True(begin > 0, $"{path} has no heading '{CommandReference.Heading.Trim()}'.");
        string expected = CommandReference.Of(root);
        if (Environment.GetEnvironmentVariable(Write) == "1")
        {
            document = document[..begin] + expected;
            File.WriteAllText(path, document);
        }

        Assert.True(document[begin..] == expected, $"{path} is not what the commands say of themselves. '{Write}=1 dotnet test tests/Ulmfit.Cli.Tests --filter HelpTests' writes it anew.");
    }

    [Fact]
    public void Document_AboveTheReference_NamesNoOptionThatThereIsNot()
    {
        string document = File.ReadAllText(Path.Combine(Repository.Root, "docs", "cli.md"));
        string[] known = [.. root.Subcommands.SelectMany(command => command.Options).Select(option => option.Name), "--help", "--version", "--project"];

        string[] named = [.. OptionName().Matches(document[..document.IndexOf(CommandReference.Heading, StringComparison.Ordinal)]).Select(match => match.Value)];

        Assert.NotEmpty(named);
        Assert.Empty(named.Except(known));
    }

    public static TheoryData<string> Commands => [.. CommandTree.Create().Subcommands.Select(command => command.Name)];

    [Theory]
    [MemberData(nameof(Commands))]
    public void Command_Itself_HasExamplesThatParseAndOptionsThatAreExplained(string name)
    {
        var command = Assert.IsType<DocumentedCommand>(root.Subcommands.Single(one => one.Name == name));

        Assert.NotEmpty(command.Examples);
        Assert.All(command.Examples, example =>
        {
            string[] words = ShellWords.Of(example);
            Assert.Equal(["ulmfit", name], words[..2]);
            ParseResult parsed = root.Parse(words[1..]);
            Assert.True(parsed.Errors.Count == 0, $"{example}: {string.Join(' ', parsed.Errors.Select(error => error.Message))}");
        });
        foreach (Option option in command.Options.Where(option => option is not HelpOption))
        {
            Assert.False(string.IsNullOrWhiteSpace(option.Description), $"{option.Name} is not explained.");
            Assert.True(option.ValueType == typeof(bool) || !string.IsNullOrWhiteSpace(option.HelpName), $"The value of {option.Name} has no name.");
        }
    }

    [Fact]
    public void Commands_ThatGiveAResult_HaveJson() =>
        Assert.All(root.Subcommands, command => Assert.Contains("--json", command.Options.Select(option => option.Name)));

    [Fact]
    public void ExitCodes_Table_HasEachOnceAndInOrder() =>
        Assert.Equal(Enumerable.Range(0, ExitCodes.All.Count), ExitCodes.All.Select(exit => exit.Code));

    [Theory]
    [InlineData("train", "Examples:", "ulmfit train --data", "the same command goes on")]
    [InlineData("watch", "Examples:", "--host <URL>", "RUN|DATASET")]
    [InlineData("compare", "Examples:", "--list")]
    public async Task Help_OfACommand_ShowsExamplesAndOptions(string command, params string[] expected)
    {
        (int code, string output, string error) = await CommandLine.RunAsync(command, "--help");

        Assert.Equal((0, ""), (code, error));
        Assert.All(expected, part => Assert.Contains(part, output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task NoCommand_IsTheHelpOfAllAndWrongUsage()
    {
        (int code, string output, string error) = await CommandLine.RunAsync();

        Assert.Equal((2, ""), (code, error));
        Assert.Contains("Exit codes:", output, StringComparison.Ordinal);
        Assert.All(root.Subcommands, command => Assert.Contains("\n  " + command.Name, output, StringComparison.Ordinal));
    }

    [GeneratedRegex("--[a-z][a-z0-9-]*")]
    private static partial Regex OptionName();
}
