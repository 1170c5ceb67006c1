using System.Diagnostics;

namespace EmbeddedHost.Tests.Hosting;

public sealed class HostProcessTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task Signal_HostServes_EndsWithExitCodeZeroThoughSomebodyListens(string signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals are those of Unix.");
        Assert.SkipWhen(signal == "INT" && IgnoresInterrupts(), "Whatever started the tests ignores SIGINT, as shells do for jobs in the background, and so does the app then.");
        using var folder = new TemporaryFolder();
        using Process app = StartApp(folder);
        (string address, _) = await ChildApp.ReadyAsync(app);
        using var client = new HttpClient { BaseAddress = new Uri(address) };
        using HttpResponseMessage listening = await client.GetAsync("/api/listen", HttpCompletionOption.ResponseHeadersRead, Ct);

        var clock = Stopwatch.StartNew();
        using (Process kill = Process.Start("sh", ["-c", $"kill -s {signal} {app.Id}"]))
        {
            await kill.WaitForExitAsync(Ct);
        }

        Task<string> rest = app.StandardOutput.ReadToEndAsync(Ct);
        await app.WaitForExitAsync(Ct).WaitAsync(TimeSpan.FromMinutes(1), Ct);

        Assert.Equal(0, app.ExitCode);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), $"It took {clock.Elapsed}.");
        Assert.DoesNotContain("Unhandled", await rest, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_DataDirectoryIsInUse_SecondHostStandsByNamesTheFirstAndTakesOverWhenItIsKilled()
    {
        using var folder = new TemporaryFolder();
        using Process first = StartApp(folder);
        (string address, _) = await ChildApp.ReadyAsync(first);

        using Process second = StartApp(folder);
        (string other, _) = await ChildApp.ReadyAsync(second);
        string standsBy = await ChildApp.LineAsync(second, "stands by");
        using var client = new HttpClient();
        string answer = await client.GetStringAsync($"{other}/api/ping", Ct);
        first.Kill();
        await first.WaitForExitAsync(Ct);
        string tookOver = await ChildApp.LineAsync(second, "taken over");

        Assert.Contains($"process {first.Id} at {address}", standsBy, StringComparison.Ordinal);
        Assert.Contains(folder.Path, standsBy, StringComparison.Ordinal);
        Assert.Equal($"{second.Id}", answer);
        Assert.Contains(folder.Path, tookOver, StringComparison.Ordinal);
        Assert.StartsWith($"{second.Id} at", File.ReadAllText(folder["host/lock.pid"]), StringComparison.Ordinal);
        second.Kill();
        await second.WaitForExitAsync(Ct);
    }

    [Fact]
    public async Task Start_EarlierHostWasKilled_NothingIsInTheWay()
    {
        using var folder = new TemporaryFolder();
        using Process first = StartApp(folder);
        await ChildApp.ReadyAsync(first);
        first.Kill();
        await first.WaitForExitAsync(Ct);

        using Process second = StartApp(folder);
        (string address, List<string> output) = await ChildApp.ReadyAsync(second);
        using var client = new HttpClient();

        Assert.Equal($"{second.Id}", await client.GetStringAsync($"{address}/api/ping", Ct));
        Assert.Contains(output, l => l.Contains("Listen: [GET]", StringComparison.Ordinal) && l.Contains("info: EmbeddedHost", StringComparison.Ordinal));
        second.Kill();
        await second.WaitForExitAsync(Ct);
    }

    [Fact]
    public async Task Start_EntryAssemblyHasFunctionsThatCannotBeBound_ExitsWithOneAndNamesThem()
    {
        using var folder = new TemporaryFolder();
        using Process app = StartApp(folder, "--all-functions");

        string error = await app.StandardError.ReadToEndAsync(Ct);
        await app.WaitForExitAsync(Ct);

        Assert.Equal(1, app.ExitCode);
        Assert.Contains("Function 'NoTrigger'", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_PortIsTaken_SaysSoAndGivesTheDataDirectoryBack()
    {
        using var folder = new TemporaryFolder();
        await using TestApp first = await TestApp.StartAsync([typeof(ChildFunctions)]);
        string taken = first.Client.BaseAddress!.GetLeftPart(UriPartial.Authority);

        HostStartException e = await Assert.ThrowsAsync<HostStartException>(
            () => TestApp.StartAsync([typeof(ChildFunctions)], folder: folder, args: ["--urls", taken]));

        Assert.Contains("--urls", e.Message, StringComparison.Ordinal);
        await using TestApp second = await TestApp.StartAsync([typeof(ChildFunctions)], folder: folder);
        Assert.Equal($"{Environment.ProcessId}", await second.Client.GetStringAsync("/api/ping", Ct));
    }

    // A process inherits what its parent ignores. Bit n - 1 of the mask is signal n; SIGINT is 2.
    private static bool IgnoresInterrupts() =>
        OperatingSystem.IsLinux()
        && File.ReadLines("/proc/self/status").Single(line => line.StartsWith("SigIgn:", StringComparison.Ordinal)) is { } mask
        && (Convert.ToUInt64(mask["SigIgn:".Length..].Trim(), 16) & 0b10) != 0;

    private static Process StartApp(TemporaryFolder folder, params string[] more) =>
        ChildApp.Start(["--data", folder.Path, "--urls", "http://127.0.0.1:0", .. more]);
}
