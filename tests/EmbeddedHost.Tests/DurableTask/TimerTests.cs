using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace EmbeddedHost.Tests.DurableTask;

public sealed class TimerTests
{
    [Fact]
    public async Task CreateTimer_FiresAtItsTimeAndNotBefore()
    {
        var time = new ManualTime();
        await using var hub = new TestHub(time);
        hub.Orchestrator("Sleep", async context =>
        {
            DateTime start = context.CurrentUtcDateTime;
            await context.CreateTimer(start.AddHours(2), CancellationToken.None);
            return context.CurrentUtcDateTime - start;
        });
        DurableTaskClient client = await hub.StartAsync();

        string id = await client.ScheduleNewOrchestrationInstanceAsync("Sleep", TestHub.Cancellation);
        await hub.StatusAsync(id, OrchestrationRuntimeStatus.Running);
        time.Advance(TimeSpan.FromHours(2) - TimeSpan.FromMilliseconds(1));
        OrchestrationMetadata before = (await client.GetInstanceAsync(id, TestHub.Cancellation))!;
        await time.AdvanceOverTimerAsync(TimeSpan.FromMilliseconds(1));

        Assert.Equal(OrchestrationRuntimeStatus.Running, before.RuntimeStatus);
        Assert.Equal(TimeSpan.FromHours(2), (await hub.CompletedAsync(id)).ReadOutputAs<TimeSpan>());
    }

    [Fact]
    public async Task CreateTimer_ClockSetBackByADay_FiresAfterTheTimeAskedForAndOrchestrationTimeGoesOn()
    {
        var time = new ManualTime();
        await using var hub = new TestHub(time);
        hub.Orchestrator("Sleep", async context =>
        {
            DateTime start = context.CurrentUtcDateTime;
            await context.CreateTimer(TimeSpan.FromMinutes(2), CancellationToken.None);
            TimeSpan first = context.CurrentUtcDateTime - start;
            await context.CreateTimer(TimeSpan.FromMinutes(3), CancellationToken.None);
            return (TimeSpan[])[first, context.CurrentUtcDateTime - start];
        });
        DurableTaskClient client = await hub.StartAsync();

        string id = await client.ScheduleNewOrchestrationInstanceAsync("Sleep", TestHub.Cancellation);
        await hub.StatusAsync(id, OrchestrationRuntimeStatus.Running);
        time.SetBack(TimeSpan.FromDays(1));
        await time.AdvanceOverTimerAsync(TimeSpan.FromMinutes(2));
        await time.AdvanceOverTimerAsync(TimeSpan.FromMinutes(3));

        Assert.Equal([TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(5)], (await hub.CompletedAsync(id)).ReadOutputAs<TimeSpan[]>()!);
    }

    [Fact]
    public async Task CreateTimer_InThePast_FiresAtOnce()
    {
        await using var hub = new TestHub(new ManualTime());
        hub.Orchestrator("Past", async context =>
        {
            await context.CreateTimer(context.CurrentUtcDateTime.AddDays(-1), CancellationToken.None);
            return true;
        });
        await hub.StartAsync();

        Assert.True((await hub.RunAsync("Past")).ReadOutputAs<bool>());
    }

    [Fact]
    public async Task CreateTimer_LongerThanSystemTimersReach_Fires()
    {
        await using var hub = new TestHub(new ManualTime { JumpsToTimers = true });
        hub.Orchestrator("Year", async context =>
        {
            DateTime start = context.CurrentUtcDateTime;
            await context.CreateTimer(TimeSpan.FromDays(365), CancellationToken.None);
            return context.CurrentUtcDateTime - start;
        });
        await hub.StartAsync();

        Assert.Equal(TimeSpan.FromDays(365), (await hub.RunAsync("Year")).ReadOutputAs<TimeSpan>());
    }

    [Fact]
    public async Task CreateTimer_LeftOpen_KeepsTheInstanceRunning()
    {
        var time = new ManualTime();
        await using var hub = new TestHub(time);
        hub.Orchestrator("Open", context =>
        {
            _ = context.CreateTimer(TimeSpan.FromHours(1), CancellationToken.None);
            return Task.FromResult("done");
        });
        DurableTaskClient client = await hub.StartAsync();

        string id = await client.ScheduleNewOrchestrationInstanceAsync("Open", TestHub.Cancellation);
        await hub.StatusAsync(id, OrchestrationRuntimeStatus.Running);
        await time.AdvanceOverTimerAsync(TimeSpan.FromHours(1));

        Assert.Equal("done", (await hub.CompletedAsync(id)).ReadOutputAs<string>());
    }

    [Fact]
    public async Task CreateTimer_Cancelled_LetsTheInstanceComplete()
    {
        await using var hub = new TestHub(new ManualTime());
        hub.Activity("Work", (int n) => n);
        hub.Orchestrator("Race", async context =>
        {
            using var cancel = new CancellationTokenSource();
            Task timer = context.CreateTimer(TimeSpan.FromHours(1), cancel.Token);
            Task<int> work = context.CallActivityAsync<int>("Work", 3);
            Task winner = await Task.WhenAny(timer, work);
#pragma warning disable CA1849 // An orchestrator must stay on its thread.
            cancel.Cancel();
#pragma warning restore CA1849
            await Assert.ThrowsAsync<TaskCanceledException>(() => timer);
            return winner == work ? await work : -1;
        });
        await hub.StartAsync();

        Assert.Equal(3, (await hub.RunAsync("Race")).ReadOutputAs<int>());
    }
}
