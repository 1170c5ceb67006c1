using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using EndToEnd.Tests.Support;
using Ulmfit.Cli.Tests;

namespace EndToEnd.Tests.Documents;

/// <summary>The blocks marked <c>bash run</c>, done as a newcomer would: document by document, on one host.</summary>
public sealed partial class RunnableBlocksTests(RunningHost host) : IClassFixture<RunningHost>
{
    private const string Mark = "bash run";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Documents_RunInTheirOrder_DoWhatTheySay()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The blocks are for bash.");

        // The how-tos and the README go on with what the tutorial has made.
        string[] order = ["docs/tutorial.md", "docs/how-to-imbalanced.md", "docs/how-to-rollback.md", "README.md"];
        string[] marked = [.. MarkdownDocument.Paths.Where(path => new MarkdownDocument(path).Blocks().Any(block => block.Info == Mark))];
        Assert.Equal(order.Order(StringComparer.Ordinal), marked.Order(StringComparer.Ordinal));

        using var shell = new DocumentShell(host);
        Directory.CreateSymbolicLink(Path.Combine(shell.Folder, "src"), Path.Combine(Repository.Root, "src"));
        shell.Write("train.csv", Samples.Csv(100));
        shell.Write("test.csv", Samples.Csv(30, seed: 1));
        foreach (string path in order)
        {
            foreach (CodeBlock block in new MarkdownDocument(path).Blocks().Where(block => block.Info == Mark))
            {
                await shell.RunAsync($"{path}({block.Line})", block.Content);
            }
        }

        JsonElement run = await host.Http.GetFromJsonAsync<JsonElement>("api/runs/tickets-1", Ct), drop = await host.Http.GetFromJsonAsync<JsonElement>("api/datasets/tickets/drops/more.csv", Ct);
        Assert.Equal("completed", run.GetProperty("status").GetString());
        Assert.Equal((1, 1, 3), (drop.GetProperty("accepted").GetInt32(), drop.GetProperty("rejected").GetInt32(), drop.GetProperty("errors")[0].GetProperty("line").GetInt32()));
        Assert.Equal(1, (await host.Http.GetFromJsonAsync<JsonElement>("api/models/tickets", Ct)).GetProperty("champion").GetInt32());
        AssertEveryFileIsDocumented();
    }

    private void AssertEveryFileIsDocumented()
    {
        Regex[] documented = [.. DocumentTests.Rows("docs/storage.md").SelectMany(cells => cells[0].Split(", ")).Select(cell => PatternOf(cell.Trim('`')))];

        string[] unknown = [.. Directory.GetFiles(host.Data, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(host.Data, file).Replace('\\', '/'))
            .Where(file => !documented.Any(pattern => pattern.IsMatch(file)))];

        Assert.Empty(unknown);
    }

    private static Regex PatternOf(string path) => new(
        "^" + Placeholder().Replace(Regex.Escape(path).Replace("\\{", "{", StringComparison.Ordinal), match => match.Groups[1].Value switch
        {
            "rest" => ".+",
            "number" => "[0-9]{6}",
            "version" => "[0-9]+",
            "digest" => "[0-9a-f]{64}",
            _ => "[^/]+",
        }) + "$",
        RegexOptions.CultureInvariant);

    [GeneratedRegex("{([a-z]+)}")]
    private static partial Regex Placeholder();
}
