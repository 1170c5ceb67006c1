using System.Text.Json;
using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Web.Tests;

/// <summary>The page in a headless browser, against the host as a process of its own.</summary>
public sealed class PageTests : IDisposable
{
    /// <summary>Gradual, so that something is frozen.</summary>
    private const string Settings = """
        {"pretrained": "none", "directions": "forward", "strategy": "gradual", "heldOutFraction": 0.2, "languageModel": {"fineTune": true, "epochs": 3, "bptt": 20}, "classifier": {"epochs": 3, "batch": 16}}
        """;

    private readonly TemporaryFolder folder = new();
    private readonly TemporaryFolder files = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        folder.Dispose();
        files.Dispose();
    }

    [Fact]
    public async Task FirstVisit_OfANewcomer_IsQuickAndLightAndSaysWhatToDo()
    {
        Browser.Require();
        await using HostProcess host = await HostProcess.StartAsync(folder.Path);

        await Browser.PlayAsync("firstVisit", host);
    }

    [Fact]
    public async Task MainJob_WithThePageAlone_EndsInAClassifiedSentenceAndARollback()
    {
        Browser.Require();
        await using HostProcess host = await HostProcess.StartAsync(folder.Path);
        await host.PutOkAsync("api/datasets/tickets/settings", Settings);
        string[] rows = TinyData.Csv(100).Split('\n');
        string first = await WriteAsync("first.csv", string.Join('\n', [.. rows[..2], ",praise", rows[2], "no label here,", rows[3], "  ,complaint", .. rows[4..]]));
        string second = await WriteAsync(
            "second.csv", "text,label\n" + string.Concat(Enumerable.Range(0, 120).Select(i => $"please tell me how many colours number {i} has before buying,question\n")));

        await Browser.PlayAsync("mainJob", host, first, second);
    }

    [Fact]
    public async Task Run_CalledOffOnThePage_IsAskedForOnceMoreAndEndsCanceled()
    {
        Browser.Require();
        await using HostProcess host = await HostProcess.StartAsync(folder.Path);
        await host.PutOkAsync("api/datasets/off/settings", TinySettings.Endless);
        await host.PutOkAsync("api/datasets/off/drops/a.csv", TinyData.Csv(100));
        await Wait.UntilAsync(
            async () =>
            {
                JsonElement runs = (await host.GetJsonAsync("api/runs")).GetProperty("runs");
                return runs.GetArrayLength() > 0 && runs[0].GetProperty("history").GetArrayLength() > 0;
            },
            "the first epoch ends",
            TimeSpan.FromMinutes(3));

        await Browser.PlayAsync("cancel", host, "off-1");
    }

    [Fact]
    public async Task Keys_AskedForByTheHost_AreAskedForByThePageAndKeptInTheTab()
    {
        Browser.Require();
        await using HostProcess host = await HostProcess.StartAsync(folder.Path, "--Host:RequireKeys");
        JsonElement keys = JsonSerializer.Deserialize<JsonElement>(await File.ReadAllBytesAsync(Path.Combine(folder.Path, "keys", "host.json"), Ct));
        string key = keys.GetProperty("keys").GetProperty("default").GetString()!;
        host.Http.DefaultRequestHeaders.Add("x-functions-key", key);
        await host.PutOkAsync("api/datasets/locked/settings", TinySettings.Forward);
        await host.PutOkAsync("api/datasets/locked/drops/a.csv", TinyData.Csv(100));
        await Wait.UntilAsync(async () => (await host.GetJsonAsync("api/runs")).GetProperty("runs").GetArrayLength() > 0, "a run begins", TimeSpan.FromMinutes(2));

        await Browser.PlayAsync("keyAsked", host, key, "locked-1");
    }

    [Fact]
    public async Task Page_ByKeyboardInTwoLanguagesAndColours_CanBeUsed()
    {
        Browser.Require();
        await using HostProcess host = await HostProcess.StartAsync(folder.Path);

        await Browser.PlayAsync("waysOfUse", host);
    }

    [Fact]
    public async Task Reference_OnThePage_HasEveryCallOfTheDocument()
    {
        Browser.Require();
        await using HostProcess host = await HostProcess.StartAsync(folder.Path);

        await Browser.PlayAsync("reference", host);
    }

    [Fact]
    public async Task Run_OfHundredsOfEpochs_StaysSmooth()
    {
        Browser.Require();
        await using HostProcess host = await HostProcess.StartAsync(folder.Path);

        await Browser.PlayAsync("manyEpochs", host);
    }

    private async Task<string> WriteAsync(string name, string content)
    {
        string path = Path.Combine(files.Path, name);
        await File.WriteAllTextAsync(path, content, Ct);
        return path;
    }
}
