using DurableTask.Core.Exceptions;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace EmbeddedHost.Tests.DurableTask;

public sealed class DeterminismTests
{
    public static TheoryData<string, string> Changes => new()
    {
        { "other name", "named 'Work'" },
        { "other kind", "timer" },
        { "other order", "named 'Work'" },
        { "nothing", "has not done so" },
        { "sub-orchestration", "sub-orchestration task" },
        { "event", "send event task" },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task Orchestrator_DoingSomethingElseInReplay_FailsTheInstance(string change, string told)
    {
        await using var hub = new TestHub();
        hub.Activity("Work", (int n) => n);
        hub.Activity("Other", (int n) => n);
        hub.Orchestrator("Child", async context =>
        {
            await context.CallActivityAsync("Work", 1);
            return 1;
        });
        int runs = 0;
        hub.Orchestrator("Changing", async context =>
        {
            bool changed = ++runs > 1;
            switch (changed ? change : "as it was")
            {
                case "other name":
                    await context.CallActivityAsync<int>("Other", 1);
                    break;
                case "other kind":
                    await context.CreateTimer(TimeSpan.FromSeconds(1), CancellationToken.None);
                    break;
                case "other order":
                    Task first = context.CallActivityAsync<int>("Other", 1);
                    await context.CallActivityAsync<int>("Work", 1);
                    await first;
                    break;
                case "nothing":
                    break;
                case "sub-orchestration":
                    await context.CallSubOrchestratorAsync<int>("Child");
                    break;
                case "event":
                    context.SendEvent("somebody", "something", 1);
                    break;
                default:
                    await context.CallActivityAsync<int>("Work", 1);
                    await context.CallActivityAsync<int>("Other", 1);
                    break;
            }

            return true;
        });
        await hub.StartAsync();

        OrchestrationMetadata done = await hub.RunAsync("Changing");

        Assert.Equal(OrchestrationRuntimeStatus.Failed, done.RuntimeStatus);
        Assert.Equal(typeof(NonDeterministicOrchestrationException).FullName, done.FailureDetails!.ErrorType);
        Assert.True(done.FailureDetails.IsCausedBy<NonDeterministicOrchestrationException>());
        Assert.StartsWith("Non-Deterministic workflow detected: ", done.FailureDetails.ErrorMessage, StringComparison.Ordinal);
        Assert.Contains(told, done.FailureDetails.ErrorMessage, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("timer")]
    [InlineData("sub-orchestration")]
    [InlineData("event")]
    public async Task Orchestrator_WhoseHistoryHasAnotherKind_FailsTheInstance(string before)
    {
        await using var hub = new TestHub();
        hub.Activity("Work", (int n) => n);
        hub.Orchestrator("Child", context => Task.FromResult(1));
        int runs = 0;
        hub.Orchestrator("Changing", async context =>
        {
            if (++runs > 1)
            {
                await context.CallActivityAsync<int>("Work", 1);
                return true;
            }

            switch (before)
            {
                case "timer":
                    await context.CreateTimer(TimeSpan.FromMilliseconds(1), CancellationToken.None);
                    break;
                case "sub-orchestration":
                    await context.CallSubOrchestratorAsync<int>("Child");
                    break;
                default:
                    context.SendEvent("nobody", "something", 1);
                    await context.CreateTimer(TimeSpan.FromMilliseconds(1), CancellationToken.None);
                    break;
            }

            return true;
        });
        await hub.StartAsync();

        OrchestrationMetadata done = await hub.RunAsync("Changing");

        Assert.True(done.FailureDetails!.IsCausedBy<NonDeterministicOrchestrationException>(), done.FailureDetails.ToString());
    }

    [Fact]
    public async Task Context_TouchedOnAnotherThread_Throws()
    {
        await using var hub = new TestHub();
        hub.Activity("Work", (int n) => n);
        var thrown = new TaskCompletionSource<Exception?>();
        hub.Orchestrator("Stray", context =>
        {
            var thread = new Thread(() =>
                thrown.SetResult(Record.Exception(() => { _ = context.CallActivityAsync<int>("Work", 1); })));
            thread.Start();
            thread.Join();
            return Task.FromResult(true);
        });
        await hub.StartAsync();

        await hub.RunAsync("Stray");

        Assert.IsType<InvalidOperationException>(await thrown.Task);
    }

    [Fact]
    public async Task Context_TouchedAfterTheTurn_Throws()
    {
        await using var hub = new TestHub();
        TaskOrchestrationContext? kept = null;
        hub.Orchestrator("Leak", context =>
        {
            kept = context;
            return Task.FromResult(true);
        });
        await hub.StartAsync();

        await hub.RunAsync("Leak");

        Assert.Throws<InvalidOperationException>(() => kept!.NewGuid());
        Assert.Throws<InvalidOperationException>(() => kept!.SetCustomStatus(1));
        Assert.Throws<InvalidOperationException>(() => kept!.ContinueAsNew(1));
        Assert.Throws<InvalidOperationException>(() => { _ = kept!.WaitForExternalEvent<int>("e", CancellationToken.None); });
        Assert.Throws<InvalidOperationException>(() => { _ = kept!.CreateTimer(DateTime.UnixEpoch, CancellationToken.None); });
    }

    [Fact]
    public async Task Orchestrator_AwaitingSomethingElseThanDurableTasks_FailsTheInstance()
    {
        await using var hub = new TestHub();
        var never = new TaskCompletionSource();
        hub.Orchestrator("Impure", async context =>
        {
            await Task.WhenAny(never.Task, Task.Run(() => 1, TestHub.Cancellation).ContinueWith(_ => never.Task, TaskScheduler.Default).Unwrap());
            return true;
        });
        await hub.StartAsync();

        OrchestrationMetadata done = await hub.RunAsync("Impure");

        Assert.True(done.FailureDetails!.IsCausedBy<InvalidOperationException>());
        Assert.Contains("non-durable tasks", done.FailureDetails.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Orchestrator_UsingDurableTasksInItsOwnHelpers_StaysOnItsThread()
    {
        await using var hub = new TestHub();
        hub.Activity("Work", (int n) => n);
        hub.Orchestrator("Helpers", async context =>
        {
            async Task<int> SumAsync(int count)
            {
                int sum = 0;
                for (int i = 1; i <= count; i++)
                {
                    sum += await context.CallActivityAsync<int>("Work", i);
                    await Task.Yield();
                }

                return sum;
            }

            int[] sums = await Task.WhenAll(SumAsync(2), SumAsync(3), SumAsync(4));
            return sums.Sum();
        });
        await hub.StartAsync();

        OrchestrationMetadata done = await hub.RunAsync("Helpers");

        Assert.Equal(19, done.ReadOutputAs<int>());
    }
}
