using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace EmbeddedHost.Tests.DurableTask;

public sealed class EventTests
{
    [Fact]
    public async Task RaiseEvent_NameInOtherCase_IsReceived()
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Wait", context => context.WaitForExternalEvent<int>("Approval"));
        DurableTaskClient client = await hub.StartAsync();

        string id = await client.ScheduleNewOrchestrationInstanceAsync("Wait", TestHub.Cancellation);
        await client.WaitForInstanceStartAsync(id, TestHub.Cancellation);
        await client.RaiseEventAsync(id, "aPPROVAL", 42, TestHub.Cancellation);

        Assert.Equal(42, (await hub.CompletedAsync(id)).ReadOutputAs<int>());
    }

    [Fact]
    public async Task RaiseEvent_BeforeAnybodyWaits_IsKeptInOrder()
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Late", async context =>
        {
            await context.WaitForExternalEvent<string>("start");
            return new[]
            {
                await context.WaitForExternalEvent<int>("number"),
                await context.WaitForExternalEvent<int>("NUMBER"),
                await context.WaitForExternalEvent<int>("number"),
            };
        });
        DurableTaskClient client = await hub.StartAsync();

        string id = await client.ScheduleNewOrchestrationInstanceAsync("Late", TestHub.Cancellation);
        foreach (int n in new[] { 1, 2, 3 })
        {
            await client.RaiseEventAsync(id, "number", n, TestHub.Cancellation);
        }

        await client.RaiseEventAsync(id, "start", "now", TestHub.Cancellation);

        Assert.Equal("[1,2,3]", (await hub.CompletedAsync(id)).SerializedOutput);
    }

    [Fact]
    public async Task RaiseEvent_SeveralWaiters_TheNewestGetsIt()
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Stack", async context =>
        {
            Task<string> old = context.WaitForExternalEvent<string>("e");
            Task<string> young = context.WaitForExternalEvent<string>("e");
            context.SetCustomStatus("waiting");
            return new[] { await old, await young };
        });
        DurableTaskClient client = await hub.StartAsync();

        string id = await client.ScheduleNewOrchestrationInstanceAsync("Stack", TestHub.Cancellation);
        await client.WaitForInstanceStartAsync(id, TestHub.Cancellation);
        await client.RaiseEventAsync(id, "e", "first", TestHub.Cancellation);
        await client.RaiseEventAsync(id, "e", "second", TestHub.Cancellation);

        Assert.Equal(["second", "first"], (await hub.CompletedAsync(id)).ReadOutputAs<string[]>()!);
    }

    [Fact]
    public async Task WaitForExternalEvent_TimedOut_ThrowsTaskCanceledException()
    {
        var time = new ManualTime { JumpsToTimers = true };
        await using var hub = new TestHub(time);
        hub.Orchestrator("Impatient", async context =>
        {
            DateTime start = context.CurrentUtcDateTime;
            await Assert.ThrowsAsync<TaskCanceledException>(() => context.WaitForExternalEvent<int>("never", TimeSpan.FromDays(3), CancellationToken.None));
            return context.CurrentUtcDateTime - start;
        });
        await hub.StartAsync();

        Assert.Equal(TimeSpan.FromDays(3), (await hub.RunAsync("Impatient")).ReadOutputAs<TimeSpan>());
    }

    [Fact]
    public async Task WaitForExternalEvent_InTime_CancelsItsTimer()
    {
        var time = new ManualTime();
        await using var hub = new TestHub(time);
        hub.Orchestrator("Patient", context => context.WaitForExternalEvent<int>("e", TimeSpan.FromDays(3)));
        DurableTaskClient client = await hub.StartAsync();

        string id = await client.ScheduleNewOrchestrationInstanceAsync("Patient", TestHub.Cancellation);
        await client.RaiseEventAsync(id, "e", 7, TestHub.Cancellation);

        Assert.Equal(7, (await hub.CompletedAsync(id)).ReadOutputAs<int>());
    }

    [Fact]
    public async Task WaitForExternalEvent_GivenUp_LeavesTheEventToTheNextWaiter()
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Again", async context =>
        {
            using var giveUp = new CancellationTokenSource();
            Task<int> first = context.WaitForExternalEvent<int>("e", giveUp.Token);
            await context.WaitForExternalEvent<int>("give up");
#pragma warning disable CA1849 // An orchestrator must stay on its thread.
            giveUp.Cancel();
#pragma warning restore CA1849
            await Assert.ThrowsAsync<TaskCanceledException>(() => first);
            await context.WaitForExternalEvent<int>("go on");
            return await context.WaitForExternalEvent<int>("e");
        });
        DurableTaskClient client = await hub.StartAsync();

        string id = await client.ScheduleNewOrchestrationInstanceAsync("Again", TestHub.Cancellation);
        await client.RaiseEventAsync(id, "give up", 0, TestHub.Cancellation);
        await client.RaiseEventAsync(id, "e", 5, TestHub.Cancellation);
        await client.RaiseEventAsync(id, "go on", 0, TestHub.Cancellation);

        Assert.Equal(5, (await hub.CompletedAsync(id)).ReadOutputAs<int>());
    }

    [Fact]
    public async Task WaitForExternalEvent_AnotherTypeForTheSameName_Throws()
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Types", async context =>
        {
            _ = context.WaitForExternalEvent<int>("e");
            return await context.WaitForExternalEvent<string>("E");
        });
        await hub.StartAsync();

        Assert.True((await hub.RunAsync("Types")).FailureDetails!.IsCausedBy<ArgumentException>());
    }

    [Fact]
    public async Task WaitForExternalEvent_PayloadOfAnotherShape_ThrowsInTheOrchestrator()
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Number", context => context.WaitForExternalEvent<int>("e"));
        DurableTaskClient client = await hub.StartAsync();

        string id = await client.ScheduleNewOrchestrationInstanceAsync("Number", TestHub.Cancellation);
        await client.RaiseEventAsync(id, "e", "text", TestHub.Cancellation);

        Assert.True((await hub.CompletedAsync(id)).FailureDetails!.IsCausedBy<System.Text.Json.JsonException>());
    }

    [Fact]
    public async Task SendEvent_ToAnotherInstance_ArrivesOnce()
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Receiver", async context =>
        {
            var got = new List<int>();
            while (got.Count == 0 || got[^1] != 99)
            {
                got.Add(await context.WaitForExternalEvent<int>("n"));
            }

            return got;
        });
        hub.Orchestrator("Sender", async (TaskOrchestrationContext context, string receiver) =>
        {
            context.SendEvent(receiver, "n", 1);
            await context.CreateTimer(TimeSpan.FromMilliseconds(1), CancellationToken.None);
            context.SendEvent(receiver, "n", 2);
            context.SendEvent("no such instance", "n", 3);
            context.SendEvent(receiver, "n", 99);
            return true;
        });
        DurableTaskClient client = await hub.StartAsync();

        string receiver = await client.ScheduleNewOrchestrationInstanceAsync("Receiver", TestHub.Cancellation);
        await hub.RunAsync("Sender", receiver);

        Assert.Equal("[1,2,99]", (await hub.CompletedAsync(receiver)).SerializedOutput);
    }

    [Fact]
    public async Task RaiseEvent_ToNobody_IsDropped()
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Done", context => Task.FromResult(1));
        DurableTaskClient client = await hub.StartAsync();
        OrchestrationMetadata done = await hub.RunAsync("Done");

        await client.RaiseEventAsync("nobody", "e", 1, TestHub.Cancellation);
        await client.RaiseEventAsync(done.InstanceId, "e", 1, TestHub.Cancellation);
        await client.TerminateInstanceAsync(done.InstanceId, "late", TestHub.Cancellation);

        Assert.Equal(OrchestrationRuntimeStatus.Completed, (await hub.CompletedAsync(done.InstanceId)).RuntimeStatus);
    }
}
