using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Ulmfit.Cli;
using Ulmfit.Cli.Tests;
using Ulmfit.Text;
using Ulmfit.Training;

namespace EndToEnd.Tests.Documents;

/// <summary>What stands in the documents is so: blocks parse, commands and links exist, tables are those of the code.</summary>
public sealed partial class DocumentTests
{
    private const string CliByProject = "dotnet run --project src/Ulmfit.Cli -c Release -- ";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<string> Paths => [.. MarkdownDocument.Paths];

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Blocks_OfEveryKind_Parse(string path)
    {
        foreach (CodeBlock block in new MarkdownDocument(path).Blocks())
        {
            string at = $"{path}({block.Line})";
            switch (block.Info.Split(' ')[0])
            {
                case "json" when block.Info == "json settings":
                    Assert.Null(Record.Exception(() => TrainingSettings.Parse(block.Content)));
                    break;
                case "json":
                    Assert.True(Record.Exception(() => JsonDocument.Parse(block.Content)) is null, $"{at}: no JSON.");
                    break;
                case "bash":
                    await AssertBashAsync(at, block.Content);
                    break;
                default:
                    // Other languages have tests of their own.
                    break;
            }
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Blocks_OfEveryKind_AreRunOrReadByATest(string path)
    {
        // HttpDocumentTests runs every block of its document.
        string[] known = path == "docs/http.md"
            ? ["bash", "javascript", "csharp", "json"]
            : [DocumentShell.Mark, DocumentShell.LongMark, "json", "json settings", "json ClassifyResponse", "text", .. ShownBlocksTests.Languages, .. ServedByOthersTests.Languages];

        Assert.All(new MarkdownDocument(path).Blocks(), block => Assert.True(
            known.Contains(path == "docs/http.md" ? block.Info.Split(' ')[0] : block.Info), $"{path}({block.Line}): no test runs a block that is marked '{block.Info}'. Commands are '{DocumentShell.Mark}' or '{DocumentShell.LongMark}'."));
        Assert.All(new MarkdownDocument(path).Blocks().Where(block => block.Info == "text"), block => Assert.False(
            Command().IsMatch(block.Content), $"{path}({block.Line}): a command is not text."));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Commands_OfUlmfit_AreThoseThatThereAre(string path)
    {
        RootCommand root = CommandTree.Create();
        foreach (CodeBlock block in new MarkdownDocument(path).Blocks().Where(block => block.Info is DocumentShell.Mark or DocumentShell.LongMark))
        {
            foreach (string line in Continued(block.Content))
            {
                string? arguments = line.StartsWith("ulmfit ", StringComparison.Ordinal) ? line["ulmfit ".Length..]
                    : line.StartsWith(CliByProject, StringComparison.Ordinal) ? line[CliByProject.Length..]
                    : null;

                // A synopsis shows what may be left out, which is no command.
                if (arguments is null || arguments.Contains('[', StringComparison.Ordinal) || arguments.Contains('…', StringComparison.Ordinal))
                {
                    continue;
                }

                ParseResult parsed = root.Parse(ShellWords.Of(arguments));
                Assert.True(parsed.Errors.Count == 0, $"{path}({block.Line}): {line}: {string.Join(' ', parsed.Errors.Select(error => error.Message))}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Links_WithinTheRepository_LeadSomewhere(string path)
    {
        string folder = Path.GetDirectoryName(Path.Combine(Repository.Root, path))!;
        foreach (Match link in Link().Matches(new MarkdownDocument(path).Prose()))
        {
            string target = link.Groups[1].Value;
            if (target.Contains("://", StringComparison.Ordinal) || target.StartsWith("mailto:", StringComparison.Ordinal))
            {
                continue;
            }

            string[] parts = target.Split('#');
            string file = parts[0].Length == 0 ? Path.Combine(Repository.Root, path) : Path.GetFullPath(Path.Combine(folder, parts[0]));
            Assert.True(File.Exists(file) || Directory.Exists(file), $"{path}: {target} leads to nothing.");
            if (parts.Length > 1)
            {
                Assert.True(AnchorsOf(file).Contains(parts[1]), $"{path}: {target} leads to no heading of {parts[0]}.");
            }
        }
    }

    [Fact]
    public void Readme_IndexOfDocuments_HasAllOfThem()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));

        Assert.All(MarkdownDocument.Paths.Skip(1), path => Assert.True(readme.Contains($"({path})", StringComparison.Ordinal), $"README.md does not lead to {path}."));
    }

    [Fact]
    public void TrainingSettings_Document_HasEveryMemberWithItsDefaultAndNoOther()
    {
        string[] stated = [.. Rows("docs/training-settings.md").Select(cells => $"{cells[0].Trim('`')} = {cells[1].Trim('`')}")];

        Assert.Equal(Members("", JsonDocument.Parse(TrainingSettings.Default.ToJson()).RootElement).Order(StringComparer.Ordinal), stated.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("我的包裹在哪里？", "我 的 包 裹 在 哪 里 ？")]
    [InlineData("我的 包裹 在 哪里？", "我 的 包 裹 在 哪 里 ？")]
    [InlineData("哈哈哈", "xxrep 3 哈")]
    [InlineData("어디에 있나요", "어디에 있나요")]
    public void Chinese_WhatTheDocumentSays_IsWhatTheTokenizerDoes(string text, string tokens) =>
        Assert.Equal(["xxbos", .. tokens.Split(' ')], new Tokenizer().Tokenize(text));

    /// <summary>The cells of the rows of a document's tables, headings left out.</summary>
    internal static IEnumerable<string[]> Rows(string path) => new MarkdownDocument(path).Prose().Split('\n')
        .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
        .Select(line => line.Trim().Trim('|').Split(" | ").Select(cell => cell.Trim()).ToArray());

    private static IEnumerable<string> Members(string prefix, JsonElement settings)
    {
        foreach (JsonProperty member in settings.EnumerateObject())
        {
            if (member.Value.ValueKind == JsonValueKind.Object)
            {
                foreach (string inner in Members($"{prefix}{member.Name}.", member.Value))
                {
                    yield return inner;
                }
            }
            else
            {
                yield return $"{prefix}{member.Name} = {(member.Value.ValueKind == JsonValueKind.Null ? "–" : member.Value.GetRawText())}";
            }
        }
    }

    private static IEnumerable<string> Continued(string content) => content.Replace("\\\n", " ", StringComparison.Ordinal).Split('\n').Select(line => line.Trim());

    // As GitHub makes them: small letters, marks dropped, spaces to hyphens.
    private static string[] AnchorsOf(string file) =>
        [.. Heading().Matches(File.ReadAllText(file)).Select(match => NotInAnchor().Replace(match.Groups[1].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-'))];

    private static async Task AssertBashAsync(string at, string content)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        using var bash = Process.Start(new ProcessStartInfo("bash", ["-n"]) { RedirectStandardInput = true, RedirectStandardError = true })!;
        await bash.StandardInput.WriteAsync(content);
        bash.StandardInput.Close();
        string error = await bash.StandardError.ReadToEndAsync(Ct);
        await bash.WaitForExitAsync(Ct);
        Assert.True(bash.ExitCode == 0, $"{at}: {error}");
    }

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^\s*(?:[A-Z_]+=\S+ )*(?:ulmfit|dotnet|curl|az|azd|git|python3|npm|apt-get|func|docker|tests/\S+)\s", RegexOptions.Multiline)]
    private static partial Regex Command();

    [GeneratedRegex(@"^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\p{L}\p{N} _-]")]
    private static partial Regex NotInAnchor();
}
