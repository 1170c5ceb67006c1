using System.Collections.Concurrent;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost.Tests.DurableTask;

public sealed class ReplayTests
{
    [Fact]
    public async Task Orchestrator_ChainOfActivities_PassesResultsOn()
    {
        await using var hub = new TestHub();
        hub.Activity("Double", (int n) => n * 2);
        hub.Orchestrator("Chain", async (TaskOrchestrationContext context, int n) =>
        {
            for (int i = 0; i < 3; i++)
            {
                n = await context.CallActivityAsync<int>("Double", n);
            }

            return n;
        });
        await hub.StartAsync();

        OrchestrationMetadata done = await hub.RunAsync("Chain", 5);

        Assert.Equal(OrchestrationRuntimeStatus.Completed, done.RuntimeStatus);
        Assert.Equal(40, done.ReadOutputAs<int>());
        Assert.Equal(5, done.ReadInputAs<int>());
        Assert.True(done.IsCompleted);
        Assert.False(done.IsRunning);
    }

    [Fact]
    public async Task Orchestrator_FanOut_GathersAllResultsInOrder()
    {
        await using var hub = new TestHub();
        hub.Activity("Square", (int n) => n * n);
        hub.Orchestrator("Fan", async context =>
            await Task.WhenAll(Enumerable.Range(0, 50).Select(n => context.CallActivityAsync<int>("Square", n))));
        await hub.StartAsync();

        OrchestrationMetadata done = await hub.RunAsync("Fan");

        Assert.Equal(Enumerable.Range(0, 50).Select(n => n * n), done.ReadOutputAs<int[]>()!);
    }

    [Fact]
    public async Task Orchestrator_AfterEachActivity_RunsAgainFromTheStart()
    {
        await using var hub = new TestHub();
        var seen = new ConcurrentQueue<string>();
        hub.Activity("Work", (int n) => n);
        hub.Orchestrator("Steps", async context =>
        {
            seen.Enqueue($"start {context.IsReplaying}");
            await context.CallActivityAsync<int>("Work", 1);
            seen.Enqueue($"first {context.IsReplaying}");
            await context.CallActivityAsync<int>("Work", 2);
            seen.Enqueue($"second {context.IsReplaying}");
            return true;
        });
        await hub.StartAsync();

        await hub.RunAsync("Steps");

        Assert.Equal(
            ["start False", "start True", "first False", "start True", "first True", "second False"],
            seen);
    }

    [Fact]
    public async Task CurrentUtcDateTime_InReplay_IsTheTimeOfTheBatch()
    {
        var time = new ManualTime();
        await using var hub = new TestHub(time);
        var times = new ConcurrentQueue<(string At, DateTime Time)>();
        hub.Orchestrator("Clock", async context =>
        {
            times.Enqueue(("start", context.CurrentUtcDateTime));
            await context.CreateTimer(TimeSpan.FromMinutes(10), CancellationToken.None);
            times.Enqueue(("later", context.CurrentUtcDateTime));
            await context.CreateTimer(TimeSpan.FromMinutes(10), CancellationToken.None);
            return context.CurrentUtcDateTime;
        });
        DurableTaskClient client = await hub.StartAsync();
        DateTime begin = time.GetUtcNow().UtcDateTime;

        string id = await client.ScheduleNewOrchestrationInstanceAsync("Clock", TestHub.Cancellation);
        await time.AdvanceOverTimerAsync(TimeSpan.FromMinutes(10));
        await time.AdvanceOverTimerAsync(TimeSpan.FromMinutes(10));
        OrchestrationMetadata done = await hub.CompletedAsync(id);

        Assert.Equal(begin.AddMinutes(20), done.ReadOutputAs<DateTime>());
        Assert.Equal([begin], times.Where(entry => entry.At == "start").Select(entry => entry.Time).Distinct());
        Assert.Equal([begin.AddMinutes(10)], times.Where(entry => entry.At == "later").Select(entry => entry.Time).Distinct());
        Assert.Equal(DateTimeKind.Utc, times.First().Time.Kind);
    }

    [Fact]
    public async Task NewGuid_InReplay_IsTheSameAndOfVersion5()
    {
        await using var hub = new TestHub();
        var made = new ConcurrentQueue<(Guid First, Guid Second)>();
        hub.Activity("Work", (int n) => n);
        hub.Orchestrator("Ids", async context =>
        {
            made.Enqueue((context.NewGuid(), context.NewGuid()));
            await context.CallActivityAsync("Work", 1);
            return context.NewGuid();
        });
        await hub.StartAsync();

        OrchestrationMetadata done = await hub.RunAsync("Ids");

        (Guid first, Guid second) = Assert.Single(made.Distinct());
        Assert.Equal(2, made.Count);
        Assert.Equal(3, new[] { first, second, done.ReadOutputAs<Guid>() }.Distinct().Count());
        Assert.Equal(5, first.Version);
    }

    [Fact]
    public async Task ReplaySafeLogger_InReplay_IsSilent()
    {
        await using var hub = new TestHub();
        hub.Activity("Work", (int n) => n);
        hub.Orchestrator("Talk", async context =>
        {
            ILogger[] loggers =
            [
                context.CreateReplaySafeLogger("by name"),
                context.CreateReplaySafeLogger<ReplayTests>(),
                context.CreateReplaySafeLogger(typeof(ReplayTests) as Type),
                context.ReplaySafeLoggerFactory.CreateLogger("by factory"),
            ];
            foreach (ILogger logger in loggers)
            {
                logger.LogInformation("said at the start");
            }

            await context.CallActivityAsync("Work", 1);
            loggers[0].LogInformation("said at the end");
            return true;
        });
        await hub.StartAsync();

        await hub.RunAsync("Talk");

        Assert.Equal(4, hub.Logged.Count(message => message == "said at the start"));
        Assert.Single(hub.Logged, message => message == "said at the end");
    }

    [Fact]
    public async Task SetCustomStatus_WhileRunning_IsShown()
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Status", async context =>
        {
            context.SetCustomStatus(new { Stage = "one" });
            await context.WaitForExternalEvent<string>("go");
            context.SetCustomStatus("two");
            await context.WaitForExternalEvent<string>("go");
            context.SetCustomStatus(null);
            return true;
        });
        DurableTaskClient client = await hub.StartAsync();

        string id = await client.ScheduleNewOrchestrationInstanceAsync("Status", TestHub.Cancellation);
        await client.WaitForInstanceStartAsync(id, TestHub.Cancellation);
        OrchestrationMetadata first = (await client.GetInstanceAsync(id, true, TestHub.Cancellation))!;
        await client.RaiseEventAsync(id, "go", "x", TestHub.Cancellation);
        await Eventually.TrueAsync(async () =>
            (await client.GetInstanceAsync(id, true, TestHub.Cancellation))!.SerializedCustomStatus == "\"two\"");
        await client.RaiseEventAsync(id, "go", "x", TestHub.Cancellation);
        OrchestrationMetadata done = await hub.CompletedAsync(id);

        Assert.Equal("""{"Stage":"one"}""", first.SerializedCustomStatus);
        Assert.Null(done.SerializedCustomStatus);
    }

    [Fact]
    public async Task GetInput_PropertyNamesInOtherCase_AreRead()
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Shape", context => Task.FromResult(context.GetInput<Shape>()));
        await hub.StartAsync();

        OrchestrationMetadata done = await hub.RunAsync("Shape", new { sides = 3, NAME = "triangle" });

        Assert.Equal(new Shape("triangle", 3), done.ReadOutputAs<Shape>());
        Assert.Equal("""{"Name":"triangle","Sides":3}""", done.SerializedOutput);
    }

    [Fact]
    public async Task Orchestrator_ManySteps_TakesSecondsNotMinutes()
    {
        await using var hub = new TestHub();
        hub.Activity("Next", (int n) => n + 1);
        hub.Orchestrator("Long", async context =>
        {
            int n = 0;
            for (int i = 0; i < 300; i++)
            {
                n = await context.CallActivityAsync<int>("Next", n);
            }

            int[] fan = await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => context.CallActivityAsync<int>("Next", i)));
            return n + fan.Length;
        });
        await hub.StartAsync();

        OrchestrationMetadata done = await hub.RunAsync("Long");

        Assert.Equal(1300, done.ReadOutputAs<int>());
    }

    private sealed record Shape(string Name, int Sides);
}
