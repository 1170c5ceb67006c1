using System.Text.Json;
using EndToEnd.Tests.Support;

namespace EndToEnd.Tests.Documents;

/// <summary>The examples of <c>docs/cli.md</c>, which are also those of <c>--help</c>, each run as it stands.</summary>
public sealed class CommandExamplesTests(RunningHost host) : IClassFixture<RunningHost>
{
    public const string Document = "docs/cli.md";

    [Fact]
    public async Task Examples_OfTheCommandLine_Run()
    {
        Programs.SkipUnlessThere("bash", "jq");
        using var shell = new DocumentShell(host);
        shell.Write("tickets.csv", Samples.Csv(100, seed: 2));
        await host.SendAsync(HttpMethod.Put, "api/datasets/tickets/settings", Samples.Brief);
        await MakeTwoRunsAsync();
        await shell.RunAsync("a model to take for one's own", "ulmfit pretrain --corpus domain.txt --size tiny --epochs 1 --out models/own");
        int ran = 0;
        foreach (CodeBlock block in new MarkdownDocument(Document).Blocks().Where(block => block.Info == DocumentShell.Mark))
        {
            foreach (string example in block.Content.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                await shell.RunAsync(example, example);
                ran++;
            }
        }

        Assert.True(ran > 25, $"Only {ran} examples were found.");
    }

    // The examples watch a third.
    private async Task MakeTwoRunsAsync()
    {
        await host.SendAsync(HttpMethod.Put, "api/datasets/tickets/drops/april.csv", Samples.Csv(60, seed: 5));
        await host.WaitForAsync("api/runs/tickets-1", HasEnded);
        await host.SendAsync(HttpMethod.Post, "api/datasets/tickets/runs", "");
        await host.WaitForAsync("api/runs/tickets-2", HasEnded);

        static bool HasEnded(JsonElement run) => run.GetProperty("finishedAt").ValueKind == JsonValueKind.String;
    }
}
