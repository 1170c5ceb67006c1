using EmbeddedHost.Durable;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace EmbeddedHost.Tests.DurableTask;

public sealed class VersionTests
{
    [Fact]
    public async Task Orchestrator_BranchingByVersion_GoesOnAsTheVersionThatBeganIt()
    {
        await using var hub = new TestHub(defaultVersion: "1.0");
        hub.Activity("Old", (int n) => n);
        hub.Activity("New", (int n) => n);
        Versioned(hub, "1.0");
        DurableTaskClient client = await hub.StartAsync();
        string before = await client.ScheduleNewOrchestrationInstanceAsync("Versioned", TestHub.Cancellation);
        await hub.StatusAsync(before, OrchestrationRuntimeStatus.Running);
        await Eventually.TrueAsync(async () => await hub.CustomStatusAsync<string>(before) == "called");
        await hub.DownAsync();

        await using var next = new TestHub(folder: hub.Folder, defaultVersion: "2.0");
        next.Activity("Old", (int n) => n);
        next.Activity("New", (int n) => n);
        Versioned(next, "2.0");
        client = await next.StartAsync();
        string after = await client.ScheduleNewOrchestrationInstanceAsync("Versioned", TestHub.Cancellation);
        await client.RaiseEventAsync(before, "go", 1, TestHub.Cancellation);
        await client.RaiseEventAsync(after, "go", 1, TestHub.Cancellation);

        Assert.Equal("Old", (await next.CompletedAsync(before)).ReadOutputAs<string>());
        Assert.Equal("New", (await next.CompletedAsync(after)).ReadOutputAs<string>());
    }

    [Theory]
    [InlineData(VersionMatchStrategy.CurrentOrOlder, "1.0", true)]
    [InlineData(VersionMatchStrategy.CurrentOrOlder, "0.9", true)]
    [InlineData(VersionMatchStrategy.CurrentOrOlder, "", true)]
    [InlineData(VersionMatchStrategy.CurrentOrOlder, "1.10", false)]
    [InlineData(VersionMatchStrategy.Strict, "1.0", true)]
    [InlineData(VersionMatchStrategy.Strict, "0.9", false)]
    [InlineData(VersionMatchStrategy.Strict, "1.1", false)]
    [InlineData(VersionMatchStrategy.None, "7", true)]
    public async Task Instance_OfAVersion_RunsOnlyWhereTheHostRunsIt(VersionMatchStrategy match, string version, bool runs)
    {
        await using var hub = new TestHub(defaultVersion: "1.0", versionMatch: match);
        hub.Orchestrator("Any", context => Task.FromResult(context.Version));
        DurableTaskClient client = await hub.StartAsync();

        string id = await client.ScheduleNewOrchestrationInstanceAsync("Any", new StartOrchestrationOptions { Version = version }, TestHub.Cancellation);

        if (runs)
        {
            Assert.Equal(version, (await hub.CompletedAsync(id)).ReadOutputAs<string>());
        }
        else
        {
            await Eventually.TrueAsync(() => hub.Logged.Any(line => line.Contains($"is of version '{version}'", StringComparison.Ordinal)));
            Assert.Equal(OrchestrationRuntimeStatus.Pending, (await client.GetInstanceAsync(id, TestHub.Cancellation))!.RuntimeStatus);
        }
    }

    [Fact]
    public async Task Instance_OfANewerVersion_WaitsOnAnOlderHostAndGoesOnWithANewerOne()
    {
        await using var newer = new TestHub(defaultVersion: "2.0", versionMatch: VersionMatchStrategy.CurrentOrOlder);
        var held = new TaskCompletionSource();
        newer.Activity("Work", async (int n, CancellationToken ct) =>
        {
            await held.Task.WaitAsync(ct);
            return n;
        });
        newer.Orchestrator("Calls", context => context.CallActivityAsync<int>("Work", 3));
        string id = await (await newer.StartAsync()).ScheduleNewOrchestrationInstanceAsync("Calls", TestHub.Cancellation);
        await newer.StatusAsync(id, OrchestrationRuntimeStatus.Running);
        await newer.DownAsync();

        await using (var older = new TestHub(folder: newer.Folder, defaultVersion: "1.0", versionMatch: VersionMatchStrategy.CurrentOrOlder))
        {
            int worked = 0;
            older.Activity("Work", (int n) => ++worked);
            older.Orchestrator("Calls", context => Task.FromResult("something else"));
            DurableTaskClient client = await older.StartAsync();
            Assert.Equal("something else", (await older.RunAsync("Calls")).ReadOutputAs<string>());
            Assert.Equal(OrchestrationRuntimeStatus.Running, (await client.GetInstanceAsync(id, TestHub.Cancellation))!.RuntimeStatus);
            Assert.Equal(0, worked);
        }

        held.SetResult();
        await newer.StartAsync();
        Assert.Equal(3, (await newer.CompletedAsync(id)).ReadOutputAs<int>());
    }

    [Fact]
    public async Task Instance_OfAnotherVersion_FailsWhereTheHostIsToldSo()
    {
        await using var hub = new TestHub(defaultVersion: "1.0", versionMatch: VersionMatchStrategy.Strict, versionFailure: VersionFailureStrategy.Fail);
        hub.Orchestrator("Any", context => Task.FromResult(1));
        DurableTaskClient client = await hub.StartAsync();

        string id = await client.ScheduleNewOrchestrationInstanceAsync("Any", new StartOrchestrationOptions { Version = "3.0" }, TestHub.Cancellation);

        OrchestrationMetadata done = await hub.CompletedAsync(id);
        Assert.Equal(OrchestrationRuntimeStatus.Failed, done.RuntimeStatus);
        Assert.Equal("VersionMismatch", done.FailureDetails!.ErrorType);
        Assert.Contains("'3.0'", done.FailureDetails.ErrorMessage, StringComparison.Ordinal);
    }

    private static void Versioned(TestHub hub, string code) => hub.Orchestrator("Versioned", async context =>
    {
        string call = code == "1.0" || context.CompareVersionTo("2.0") < 0 ? "Old" : "New";
        await context.CallActivityAsync<int>(call, 1);
        context.SetCustomStatus("called");
        await context.WaitForExternalEvent<int>("go");
        await context.CallActivityAsync<int>(call, 2);
        return call;
    });
}
