using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using EndToEnd.Tests.Support;

namespace EndToEnd.Tests.Documents;

/// <summary>The blocks marked <c>bash run</c>, done as a newcomer would: document by document, on one host.</summary>
public sealed partial class RunnableBlocksTests(RunningHost host) : IClassFixture<RunningHost>
{
    // The how-tos and the README go on with what the tutorial has made, and the others with that.
    private static readonly string[] First = ["docs/tutorial.md", "docs/how-to-imbalanced.md", "docs/how-to-rollback.md", "README.md"];

    private static readonly string[] Further =
        ["docs/calibration.md", "docs/operate.md", "docs/pretraining.md", "docs/how-to-chinese.md", "docs/comparing.md", "docs/serving.md", "docs/results.md"];

    // Those of which the examples of commands and the way to Azure are tested elsewhere.
    private static readonly string[] Others = [CommandExamplesTests.Document, DeploymentDocumentTests.Document];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void Documents_WithMarkedBlocks_AreAllRun()
    {
        string[] marked = [.. MarkdownDocument.Paths.Where(path => new MarkdownDocument(path).Blocks().Any(block => block.Info == DocumentShell.Mark))];

        Assert.Equal(First.Concat(Further).Concat(Others).Order(StringComparer.Ordinal), marked.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Documents_RunInTheirOrder_DoWhatTheySay()
    {
        Programs.SkipUnlessThere("bash", "curl", "jq", "python3");
        using var shell = new DocumentShell(host);
        foreach (string path in First)
        {
            await shell.RunDocumentAsync(path);
        }

        JsonElement run = await host.Http.GetFromJsonAsync<JsonElement>("api/runs/tickets-1", Ct), drop = await host.Http.GetFromJsonAsync<JsonElement>("api/datasets/tickets/drops/more.csv", Ct);
        Assert.Equal("completed", run.GetProperty("status").GetString());
        Assert.Equal((1, 1, 3), (drop.GetProperty("accepted").GetInt32(), drop.GetProperty("rejected").GetInt32(), drop.GetProperty("errors")[0].GetProperty("line").GetInt32()));
        Assert.Equal(1, (await host.Http.GetFromJsonAsync<JsonElement>("api/models/tickets", Ct)).GetProperty("champion").GetInt32());

        // A language model of another name than those that ship, and the variables that the way to Azure sets.
        await shell.RunAsync("a language model to compare from", "ulmfit pretrain --corpus domain.txt --size tiny --epochs 1 --out en");
        await shell.RunAsync("what a deployment sets", DeploymentDocumentTests.Variables);
        foreach (string path in Further)
        {
            await shell.RunDocumentAsync(path);
        }

        JsonElement pretraining = await host.WaitForAsync("api/pretrained/en-own", found => found.GetProperty("status").GetString() is "completed" or "failed");
        Assert.Equal("completed", pretraining.GetProperty("status").GetString());
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
