using System.Diagnostics;
using System.Text.Json;
using EndToEnd.Tests.Support;
using Ulmfit.Cli.Tests;

namespace EndToEnd.Tests.Hosted;

/// <summary><c>ulmfit drop</c> and <c>ulmfit watch</c> against a host, each a process of its own.</summary>
public sealed class DropAndWatchTests(RunningHost host) : IClassFixture<RunningHost>, IDisposable
{
    private readonly Workspace workspace = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => workspace.Dispose();

    [Fact]
    public async Task Drop_WithWatch_TellsRefusedRowsAndFollowsTheRunToItsModel()
    {
        await host.SendAsync(HttpMethod.Put, "api/datasets/tickets/settings", Samples.Brief);
        string file = workspace.Write("may.csv", Samples.Csv(120) + "\"a row without a label\",\n");

        (int code, string output, string error) = await RunAsync("drop", file, "--dataset", "tickets", "--watch", "--json");

        Assert.True(code == 0, error);
        JsonElement report = JsonDocument.Parse(output).RootElement, drop = Assert.Single(report.GetProperty("drops").EnumerateArray());
        Assert.Equal(("stored", "accepted", 120, 1), (drop.GetProperty("outcome").GetString(), drop.GetProperty("status").GetString(), drop.GetProperty("accepted").GetInt32(), drop.GetProperty("rejected").GetInt32()));
        Assert.Equal(122, drop.GetProperty("errors")[0].GetProperty("line").GetInt64());
        Assert.Equal(("tickets-1", "completed"), (report.GetProperty("run").GetProperty("id").GetString(), report.GetProperty("run").GetProperty("status").GetString()));
        Assert.Contains("forward   lm              1/2", error, StringComparison.Ordinal);
        Assert.Contains("forward   all             3/3", error, StringComparison.Ordinal);
        Assert.Contains("may.csv(122): ", error, StringComparison.Ordinal);

        // The run has ended: watching it again tells the same at once, under its own name and under that of the data set.
        (code, output, error) = await RunAsync("watch", "tickets");
        Assert.True(code == 0, error);
        Assert.Contains("tickets-1: completed, published as version 1 of model tickets", output, StringComparison.Ordinal);
        Assert.Contains("complaint", output, StringComparison.Ordinal);
        (code, output, _) = await RunAsync("watch", "tickets-1", "--json");
        Assert.Equal((0, 1), (code, JsonDocument.Parse(output).RootElement.GetProperty("modelVersion").GetInt32()));

        // The same bytes are no new drop, and begin no run; other bytes are refused under that name.
        (code, output, error) = await RunAsync("drop", file, "--dataset", "tickets", "--watch", "--json");
        Assert.True(code == 0, error);
        Assert.Equal("unchanged", JsonDocument.Parse(output).RootElement.GetProperty("drops")[0].GetProperty("outcome").GetString());
        Assert.Equal("tickets-1", JsonDocument.Parse(output).RootElement.GetProperty("run").GetProperty("id").GetString());
        workspace.Write("may.csv", Samples.Csv(100, seed: 5));
        (code, _, error) = await RunAsync("drop", file, "--dataset", "tickets");
        Assert.Equal(2, code);
        Assert.Contains("under another name", error, StringComparison.Ordinal);

        // The same training again is no better than what it made before.
        await host.SendAsync(HttpMethod.Post, "api/datasets/tickets/runs", "");
        (code, output, error) = await RunAsync("watch", "tickets");
        Assert.True(code == 3, output + error);
        Assert.Contains("tickets-2: rejected, not published", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_RunThatIsCalledOff_EndsWithItsOwnCode()
    {
        await host.SendAsync(HttpMethod.Put, "api/datasets/endless/settings", Samples.Endless);
        Assert.Equal(0, (await RunAsync("drop", workspace.Write("a.csv", Samples.Csv(100)), "--dataset", "endless")).Code);
        Task<(int Code, string Output, string Error)> watching = RunAsync("watch", "endless");
        await host.WaitForAsync("api/runs/endless-1", run => run.GetProperty("history").GetArrayLength() > 1);

        await host.SendAsync(HttpMethod.Delete, "api/runs/endless-1", "");

        (int code, string output, string error) = await watching;
        Assert.True(code == 4, error);
        Assert.Contains("endless-1: canceled", output, StringComparison.Ordinal);
        Assert.Contains("forward   lm ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_RunThatFails_SaysWhy()
    {
        await host.SendAsync(HttpMethod.Put, "api/datasets/unlucky/settings", """{"pretrained": "nowhere", "directions": "forward"}""");

        (int code, string output, string error) = await RunAsync("drop", workspace.Write("a.csv", Samples.Csv(60)), "--dataset", "unlucky", "--watch");

        Assert.True(code == 1, output + error);
        Assert.Contains("failed", output, StringComparison.Ordinal);
        Assert.Contains("nowhere", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Drop_FileThatCannotBeUsed_EndsWithTwoAndTheReason()
    {
        (int code, string output, string error) = await RunAsync("drop", workspace.Write("noise.csv", "one column alone\nand nothing else\n"), "--dataset", "noise");

        Assert.True(code == 2, output + error);
        Assert.Contains("rejected", output, StringComparison.Ordinal);
        Assert.Contains("noise.csv(", output, StringComparison.Ordinal);

        (code, _, error) = await RunAsync("watch", "noise");
        Assert.Equal(2, code);
        Assert.Contains("has no run yet", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("watch", "nobody", "knows no run and no data set 'nobody'")]
    [InlineData("watch", "nobody-4", "knows no run and no data set 'nobody-4'")]
    public async Task Watch_Unknown_EndsWithTwo(string command, string name, string message)
    {
        (int code, string output, string error) = await RunAsync(command, name);

        Assert.Equal((2, ""), (code, output));
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_ConnectionThatBreaks_GoesOnWithWhatWasNotSeen()
    {
        await host.SendAsync(HttpMethod.Put, "api/datasets/broken/settings", Samples.Endless);
        Assert.Equal(0, (await RunAsync("drop", workspace.Write("a.csv", Samples.Csv(100)), "--dataset", "broken")).Code);
        await host.WaitForAsync("api/datasets/broken", found => found.GetProperty("activeRun").ValueKind == JsonValueKind.String);
        await using var relay = new Relay(host.Address);
        using Process watching = CommandLine.Start("watch", "broken-1", "--host", relay.Address.ToString());
        Task<string> error = watching.StandardError.ReadToEndAsync(Ct);
        var lines = new List<string>();
        await ReadUntilAsync(watching, lines, line => line.Contains("forward   lm ", StringComparison.Ordinal));

        relay.Cut();
        int before = lines.Count;
        await ReadUntilAsync(watching, lines, line => line.Contains("forward   lm ", StringComparison.Ordinal));
        await ReadUntilAsync(watching, lines, line => line.Contains("forward   lm ", StringComparison.Ordinal));
        await host.SendAsync(HttpMethod.Delete, "api/runs/broken-1", "");
        lines.AddRange((await watching.StandardOutput.ReadToEndAsync(Ct)).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        await watching.WaitForExitAsync(Ct);

        Assert.Equal(4, watching.ExitCode);
        Assert.Contains("is lost; the run goes on there", await error, StringComparison.Ordinal);
        Assert.Contains("The host answers again.", await error, StringComparison.Ordinal);
        string[] requests = [.. relay.Requests.Where(request => request.Contains("/events", StringComparison.Ordinal))];
        Assert.DoesNotContain("Last-Event-ID", requests[0], StringComparison.OrdinalIgnoreCase);
        Assert.Contains("Last-Event-ID: ", requests[^1], StringComparison.OrdinalIgnoreCase);

        // Every epoch once, in its order, whichever connection it came over.
        string[] epochs = [.. lines.Where(line => line.StartsWith("forward   lm ", StringComparison.Ordinal)).Select(line => line.Split('/')[0].Split(' ')[^1])];
        Assert.True(epochs.Length > before, string.Join('\n', lines));
        Assert.Equal(Enumerable.Range(1, epochs.Length).Select(epoch => $"{epoch}"), epochs);
    }

    [Fact]
    public async Task AnyCommand_HostThatAsksForKeys_TakesThemFromTheEnvironment()
    {
        await using var guarded = RunningHost.With("--Host:RequireKeys", "true");
        await guarded.InitializeAsync();

        (int code, _, string error) = await CommandLine.RunAsync("watch", "tickets", "--host", guarded.Address.ToString());
        Assert.Equal(2, code);
        Assert.Contains("asks for a key (401): give it with --key or the variable ULMFIT_KEY", error, StringComparison.Ordinal);

        string key = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(guarded.Data, "keys", "host.json"), Ct)).RootElement.GetProperty("keys").GetProperty("default").GetString()!;
        (code, _, error) = await CommandLine.RunAsync("ULMFIT_KEY=" + key, ["watch", "tickets", "--host", guarded.Address.ToString()]);
        Assert.Equal(2, code);
        Assert.Contains("knows no run and no data set 'tickets'", error, StringComparison.Ordinal);
        (_, _, error) = await CommandLine.RunAsync("watch", "tickets", "--host", guarded.Address.ToString(), "--key", key);
        Assert.Contains("knows no run and no data set 'tickets'", error, StringComparison.Ordinal);
    }

    private static async Task ReadUntilAsync(Process process, List<string> lines, Func<string, bool> found)
    {
        while (await process.StandardOutput.ReadLineAsync(Ct) is string line)
        {
            lines.Add(line);
            if (found(line))
            {
                return;
            }
        }

        Assert.Fail($"The command has ended:\n{string.Join('\n', lines)}");
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments) => await CommandLine.RunAsync("ULMFIT_HOST=" + host.Address, arguments);
}
