using System.Collections.Concurrent;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace EmbeddedHost.Tests.DurableTask;

public sealed class FailureTests
{
    [Fact]
    public async Task CallActivity_ThatThrows_ThrowsTaskFailedException()
    {
        await using var hub = new TestHub();
        hub.Activity("Break", new Func<string, int>(what => throw new FormatException(what, new KeyNotFoundException("inside"))));
        hub.Orchestrator("Catch", async context =>
        {
            await context.CreateTimer(TimeSpan.FromMilliseconds(1), CancellationToken.None);
            TaskFailedException failed = await Assert.ThrowsAsync<TaskFailedException>(() => context.CallActivityAsync<int>("Break", "bad"));
            Assert.True(failed.FailureDetails.IsCausedBy<FormatException>());
            Assert.True(failed.FailureDetails.IsCausedBy<SystemException>());
            Assert.False(failed.FailureDetails.IsCausedBy<ArgumentException>());
            Assert.Contains(nameof(FailureTests), failed.FailureDetails.StackTrace, StringComparison.Ordinal);
            TaskFailureDetails inner = failed.FailureDetails.InnerFailure!;
            return new[]
            {
                failed.Message, failed.TaskName, $"{failed.TaskId}", failed.FailureDetails.ToString(), inner.ToString(),
            };
        });
        await hub.StartAsync();

        OrchestrationMetadata done = await hub.RunAsync("Catch");

        Assert.Equal(
            [
                "Task 'Break' (#1) failed with an unhandled exception: bad",
                "Break",
                "1",
                "System.FormatException: bad",
                "System.Collections.Generic.KeyNotFoundException: inside",
            ],
            done.ReadOutputAs<string[]>()!);
    }

    [Fact]
    public async Task Orchestrator_NotHandlingAFailedActivity_FailsWithItsDetails()
    {
        await using var hub = new TestHub();
        hub.Activity("Break", new Func<string, int>(what => throw new CustomException(what)));
        hub.Orchestrator("Careless", context => context.CallActivityAsync<int>("Break", "bad"));
        await hub.StartAsync();

        OrchestrationMetadata done = await hub.RunAsync("Careless");

        Assert.Equal(OrchestrationRuntimeStatus.Failed, done.RuntimeStatus);
        Assert.Equal("Task 'Break' (#0) failed with an unhandled exception: bad", done.FailureDetails!.ErrorMessage);
        Assert.Equal(typeof(TaskFailedException).FullName, done.FailureDetails.ErrorType);
        Assert.Equal(typeof(CustomException).FullName, done.FailureDetails.InnerFailure!.ErrorType);
        Assert.True(done.FailureDetails.InnerFailure.IsCausedBy<CustomException>());
        Assert.Equal("Task 'Break' (#0) failed with an unhandled exception: bad", done.SerializedOutput);
    }

    [Fact]
    public async Task Orchestrator_ThatThrows_FailsWithItsException()
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Throw", new Func<TaskOrchestrationContext, Task<int>>(_ => throw new InvalidDataException("no good")));
        await hub.StartAsync();

        OrchestrationMetadata done = await hub.RunAsync("Throw");

        Assert.Equal(OrchestrationRuntimeStatus.Failed, done.RuntimeStatus);
        Assert.Equal("System.IO.InvalidDataException: no good", done.FailureDetails!.ToString());
    }

    [Fact]
    public async Task Orchestrator_ThrowingWithOpenTasks_FailsWhenTheyHaveEnded()
    {
        await using var hub = new TestHub();
        var release = new TaskCompletionSource<int>();
        hub.Activity("Slow", (int _) => release.Task);
        hub.Orchestrator("Throw", new Func<TaskOrchestrationContext, Task<int>>(context =>
        {
            _ = context.CallActivityAsync<int>("Slow", 1);
            context.SetCustomStatus("thrown");
            throw new InvalidDataException("no good");
        }));
        DurableTaskClient client = await hub.StartAsync();

        string id = await client.ScheduleNewOrchestrationInstanceAsync("Throw", TestHub.Cancellation);
        await Eventually.TrueAsync(async () => await hub.CustomStatusAsync<string>(id) == "thrown");
        OrchestrationMetadata before = (await client.GetInstanceAsync(id, TestHub.Cancellation))!;
        release.SetResult(1);
        OrchestrationMetadata done = await hub.CompletedAsync(id);

        Assert.Equal(OrchestrationRuntimeStatus.Running, before.RuntimeStatus);
        Assert.Equal(OrchestrationRuntimeStatus.Failed, done.RuntimeStatus);
    }

    [Fact]
    public async Task CallActivity_ThatDoesNotExist_FailsNamingTheKnownOnesAndIsNotRetried()
    {
        await using var hub = new TestHub();
        hub.Activity("Known", (int n) => n);
        hub.Orchestrator("Ask", context => context.CallActivityAsync<int>(
            "Unknown", 1, TaskOptions.FromRetryPolicy(new RetryPolicy(5, TimeSpan.FromHours(1)))));
        await hub.StartAsync();

        OrchestrationMetadata done = await hub.RunAsync("Ask");

        Assert.Equal(OrchestrationRuntimeStatus.Failed, done.RuntimeStatus);
        Assert.Contains("The function 'Unknown' doesn't exist, is disabled, or is not an activity function", done.FailureDetails!.ErrorMessage, StringComparison.Ordinal);
        Assert.Contains("'Known'", done.FailureDetails.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CallActivity_NameInOtherCase_IsTheSame()
    {
        await using var hub = new TestHub();
        hub.Activity("Echo", (string text) => text);
        hub.Orchestrator("Ask", context => context.CallActivityAsync<string>("eCHO", "hello"));
        await hub.StartAsync();

        Assert.Equal("hello", (await hub.RunAsync("ask")).ReadOutputAs<string>());
    }

    [Fact]
    public async Task CallActivity_OptionsGivenAsInput_Throws()
    {
        await using var hub = new TestHub();
        hub.Activity("Echo", (string text) => text);
        hub.Orchestrator("Ask", context => context.CallActivityAsync<string>("Echo", (object)new TaskOptions(retry: null)));
        await hub.StartAsync();

        Assert.True((await hub.RunAsync("Ask")).FailureDetails!.IsCausedBy<ArgumentException>());
    }

    [Fact]
    public async Task CallActivity_MoreThanTheLimit_RunBoundedAtATime()
    {
        await using var hub = new TestHub(maxActivities: 2);
        var gate = new SemaphoreSlim(0);
        int running = 0;
        var most = new ConcurrentQueue<int>();
        hub.Activity("Wait", async (int n) =>
        {
            most.Enqueue(Interlocked.Increment(ref running));
            await gate.WaitAsync();
            Interlocked.Decrement(ref running);
            return n;
        });
        hub.Orchestrator("Fan", async context =>
            await Task.WhenAll(Enumerable.Range(0, 6).Select(n => context.CallActivityAsync<int>("Wait", n))));
        DurableTaskClient client = await hub.StartAsync();

        string id = await client.ScheduleNewOrchestrationInstanceAsync("Fan", TestHub.Cancellation);
        await Eventually.TrueAsync(() => most.Count == 2);
        gate.Release(6);
        await hub.CompletedAsync(id);

        Assert.Equal(6, most.Count);
        Assert.Equal(2, most.Max());
    }

    private sealed class CustomException(string message) : Exception(message);
}
