using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace EmbeddedHost.Tests.DurableTask;

public sealed class ContinueAsNewTests
{
    [Fact]
    public async Task ContinueAsNew_StartsOverWithTheNewInput()
    {
        await using var hub = new TestHub();
        hub.Activity("Next", (int n) => n + 1);
        hub.Orchestrator("Count", async (TaskOrchestrationContext context, int n) =>
        {
            int next = await context.CallActivityAsync<int>("Next", n);
            if (next < 5)
            {
                context.SetCustomStatus(next);
                context.ContinueAsNew(next);
                return -1;
            }

            return next;
        });
        await hub.StartAsync();

        OrchestrationMetadata done = await hub.RunAsync("Count", 0);

        Assert.Equal(5, done.ReadOutputAs<int>());
        Assert.Equal(4, done.ReadInputAs<int>());
        Assert.Equal(4, done.ReadCustomStatusAs<int>());
    }

    [Fact]
    public async Task ContinueAsNew_ManyTimes_KeepsTheLogShort()
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Eternal", (TaskOrchestrationContext context, string input) =>
        {
            int n = int.Parse(input.AsSpan(0, 4), System.Globalization.CultureInfo.InvariantCulture);
            if (n < 500)
            {
                context.ContinueAsNew($"{n + 1:0000}{new string('x', 2000)}");
            }

            return Task.FromResult(n);
        });
        await hub.StartAsync();

        OrchestrationMetadata done = await hub.RunAsync("Eternal", "0000");

        Assert.Equal(500, done.ReadOutputAs<int>());
        Assert.InRange(new FileInfo(hub.FileOf(done.InstanceId)).Length, 1, 100_000);
    }

    [Theory]
    [InlineData(true, "2,3,4")]
    [InlineData(false, "4")]
    public async Task ContinueAsNew_UnprocessedEvents_GoOnIfPreserved(bool preserve, string expected)
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Events", async (TaskOrchestrationContext context, bool again) =>
        {
            if (!again)
            {
                await context.WaitForExternalEvent<int>("go");
                context.ContinueAsNew(true, preserve);
                return string.Empty;
            }

            context.SetCustomStatus("again");
            var got = new List<int>();
            while (got.Count == 0 || got[^1] != 4)
            {
                got.Add(await context.WaitForExternalEvent<int>("n"));
            }

            return string.Join(',', got);
        });
        DurableTaskClient client = await hub.StartAsync();

        string id = await client.ScheduleNewOrchestrationInstanceAsync("Events", false, TestHub.Cancellation);
        await client.RaiseEventAsync(id, "n", 2, TestHub.Cancellation);
        await client.RaiseEventAsync(id, "N", 3, TestHub.Cancellation);
        await client.RaiseEventAsync(id, "go", 0, TestHub.Cancellation);
        await Eventually.TrueAsync(async () => await hub.CustomStatusAsync<string>(id) == "again");
        await client.RaiseEventAsync(id, "n", 4, TestHub.Cancellation);

        Assert.Equal(expected, (await hub.CompletedAsync(id)).ReadOutputAs<string>());
    }

    [Fact]
    public async Task ContinueAsNew_EventsRaisedAroundIt_AreNotLost()
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Sum", async (TaskOrchestrationContext context, int sum) =>
        {
            int n = await context.WaitForExternalEvent<int>("n");
            if (n < 0)
            {
                return sum;
            }

            context.ContinueAsNew(sum + n);
            return 0;
        });
        DurableTaskClient client = await hub.StartAsync();

        string id = await client.ScheduleNewOrchestrationInstanceAsync("Sum", 0, TestHub.Cancellation);
        await Task.WhenAll(Enumerable.Range(1, 100).Select(n => client.RaiseEventAsync(id, "n", n, TestHub.Cancellation)));
        await client.RaiseEventAsync(id, "n", -1, TestHub.Cancellation);

        Assert.Equal(5050, (await hub.CompletedAsync(id)).ReadOutputAs<int>());
    }

    [Fact]
    public async Task ContinueAsNew_TimersOfTheOldExecution_DoNotFireInTheNew()
    {
        var time = new ManualTime();
        await using var hub = new TestHub(time);
        hub.Orchestrator("Timers", async (TaskOrchestrationContext context, DateTime? begun) =>
        {
            if (begun is null)
            {
                using var cancel = new CancellationTokenSource();
                _ = context.CreateTimer(TimeSpan.FromHours(1), cancel.Token);
                await context.WaitForExternalEvent<int>("go");
#pragma warning disable CA1849 // An orchestrator must stay on its thread.
                cancel.Cancel();
#pragma warning restore CA1849
                context.ContinueAsNew(context.CurrentUtcDateTime);
                return TimeSpan.Zero;
            }

            context.SetCustomStatus("again");
            await context.CreateTimer(TimeSpan.FromHours(10), CancellationToken.None);
            return context.CurrentUtcDateTime - begun.Value;
        });
        DurableTaskClient client = await hub.StartAsync();
        string id = await client.ScheduleNewOrchestrationInstanceAsync("Timers", TestHub.Cancellation);
        await hub.StatusAsync(id, OrchestrationRuntimeStatus.Running);
        await client.RaiseEventAsync(id, "go", 1, TestHub.Cancellation);
        await Eventually.TrueAsync(async () => await hub.CustomStatusAsync<string>(id) == "again");

        // The orderly restart lets what the first timer may have begun come to its end before the clock goes on.
        await time.AdvanceOverTimerAsync(TimeSpan.FromHours(1));
        await hub.RestartAsync(orderly: true);
        await time.AdvanceOverTimerAsync(TimeSpan.FromHours(9));

        Assert.Equal(TimeSpan.FromHours(10), (await hub.CompletedAsync(id)).ReadOutputAs<TimeSpan>());
    }

    [Fact]
    public async Task ContinueAsNew_NewVersion_IsTheNextExecutions()
    {
        await using var hub = new TestHub(defaultVersion: "1.0");
        hub.Orchestrator("Upgrade", context =>
        {
            if (context.CompareVersionTo("2.0") < 0)
            {
                context.ContinueAsNew(new ContinueAsNewOptions { NewVersion = "2.1" });
            }

            return Task.FromResult(context.Version);
        });
        await hub.StartAsync();

        Assert.Equal("2.1", (await hub.RunAsync("Upgrade")).ReadOutputAs<string>());
    }

    [Fact]
    public async Task ContinueAsNew_InASubOrchestration_ReportsToTheParentOnce()
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Child", (TaskOrchestrationContext context, int n) =>
        {
            if (n < 3)
            {
                context.ContinueAsNew(n + 1);
            }

            return Task.FromResult(n);
        });
        hub.Orchestrator("Parent", context => context.CallSubOrchestratorAsync<int>("Child", 0));
        await hub.StartAsync();

        Assert.Equal(3, (await hub.RunAsync("Parent")).ReadOutputAs<int>());
    }
}
