using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using EndToEnd.Tests.Support;

namespace EndToEnd.Tests.Documents;

/// <summary>The examples of <c>docs/cli.md</c>, which are also those of <c>--help</c>, each run as it stands.</summary>
public sealed class CommandExamplesTests(RunningHost host) : IClassFixture<RunningHost>
{
    /// <summary>What no test can wait for, or has no file for; that they are read as commands <see cref="DocumentTests"/> sees to.</summary>
    private static readonly Dictionary<string, string> NotRun = new(StringComparer.Ordinal)
    {
        ["ulmfit compare --data "] = "trains dozens of models",
        ["ulmfit lowshot --data "] = "trains dozens of models",
        ["ulmfit pretrain --corpus wiki"] = "trains for hours",
        ["ulmfit import --fastai "] = "needs the weights of fastai, some hundred MB",
        ["ulmfit bench --task lm "] = "trains for five minutes",
    };

    [Fact]
    public async Task Examples_OfTheCommandLine_Run()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The examples are for bash.");
        Assert.SkipUnless(Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator).Any(path => File.Exists(Path.Combine(path, "jq"))), "Some examples pipe into jq, which is not here.");
        string[] examples = [.. new MarkdownDocument("docs/cli.md").Blocks().SelectMany(block => block.Content.Split('\n')).Where(line => line.StartsWith("ulmfit ", StringComparison.Ordinal))];
        Assert.All(NotRun.Keys, begin => Assert.Single(examples, example => example.StartsWith(begin, StringComparison.Ordinal)));

        using var shell = new DocumentShell(host);
        WriteFiles(shell);
        await host.SendAsync(HttpMethod.Put, "api/datasets/tickets/settings", Samples.Brief);
        await MakeTwoRunsAsync();
        await shell.RunAsync("a model to take for one's own", "ulmfit pretrain --corpus domain.txt --size tiny --epochs 1 --out models/own");
        int ran = 0;
        foreach (string example in examples.Where(example => !NotRun.Keys.Any(begin => example.StartsWith(begin, StringComparison.Ordinal))))
        {
            await shell.RunAsync(example, example);
            ran++;
        }

        Assert.True(ran > 15, $"Only {ran} examples were found.");
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

    private static void WriteFiles(DocumentShell shell)
    {
        string[] texts = [.. Enumerable.Range(0, 150).Select(i => string.Create(CultureInfo.InvariantCulture, $"parcel number {i} came late, and the box was broken"))];
        shell.Write("train.csv", Samples.Csv(100));
        shell.Write("test.csv", Samples.Csv(30, seed: 1));
        shell.Write("tickets.csv", Samples.Csv(100, seed: 2));
        shell.Write("may.csv", Samples.Csv(40, seed: 3));
        shell.Write("messages.txt", string.Join('\n', texts[..5]) + "\n");
        shell.Write("more.txt", string.Join('\n', texts) + "\n");
        shell.Write("domain.txt", string.Join("\n\n", texts) + "\n");
        Pack("june.jsonl.gz", string.Concat(texts.Select(text => $$"""{"text": "{{text}}", "label": "complaint"}""" + "\n")));
        Pack("reviews.csv.gz", Samples.Csv(100, seed: 4));

        void Pack(string name, string content)
        {
            using var packed = new StreamWriter(new GZipStream(File.Create(Path.Combine(shell.Folder, name)), CompressionLevel.Fastest));
            packed.Write(content);
        }
    }
}
