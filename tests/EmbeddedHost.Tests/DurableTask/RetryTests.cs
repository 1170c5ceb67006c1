using System.Collections.Concurrent;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace EmbeddedHost.Tests.DurableTask;

public sealed class RetryTests
{
    [Fact]
    public async Task RetryPolicy_FailingToTheEnd_TriesThatOftenAtGrowingDelays()
    {
        var time = new ManualTime { JumpsToTimers = true };
        await using var hub = new TestHub(time);
        (Func<IReadOnlyList<double>> delays, _) = Failing(hub, time, int.MaxValue);
        hub.Orchestrator("Retry", context => context.CallActivityAsync<int>(
            "Fail", 1, TaskOptions.FromRetryPolicy(new RetryPolicy(5, TimeSpan.FromSeconds(10), 2, TimeSpan.FromSeconds(35)))));
        await hub.StartAsync();

        OrchestrationMetadata done = await hub.RunAsync("Retry");

        Assert.Equal([10, 20, 35, 35], delays());
        Assert.Equal("Task 'Fail' (#8) failed with an unhandled exception: attempt 5", done.FailureDetails!.ErrorMessage);
    }

    [Fact]
    public async Task RetryPolicy_UsedUp_HasNumberedATimerAfterTheLastAttempt()
    {
        var time = new ManualTime { JumpsToTimers = true };
        await using var hub = new TestHub(time);
        Failing(hub, time, int.MaxValue);
        hub.Orchestrator("Retry", async context =>
        {
            TaskOptions twice = TaskOptions.FromRetryPolicy(new RetryPolicy(2, TimeSpan.FromSeconds(1)));
            TaskFailedException first = await Assert.ThrowsAsync<TaskFailedException>(() => context.CallActivityAsync<int>("Fail", 1, twice));
            TaskFailedException next = await Assert.ThrowsAsync<TaskFailedException>(() => context.CallActivityAsync<int>("Fail", 1));
            return $"{first.TaskId} {next.TaskId}";
        });
        await hub.StartAsync();

        Assert.Equal("2 4", (await hub.RunAsync("Retry")).ReadOutputAs<string>());
    }

    [Fact]
    public async Task RetryPolicy_SucceedingAtLast_ReturnsTheResult()
    {
        var time = new ManualTime { JumpsToTimers = true };
        await using var hub = new TestHub(time);
        (Func<IReadOnlyList<double>> delays, _) = Failing(hub, time, failures: 2);
        hub.Orchestrator("Retry", context => context.CallActivityAsync<int>(
            "Fail", 1, new TaskOptions(new RetryPolicy(5, TimeSpan.FromSeconds(7)))));
        await hub.StartAsync();

        OrchestrationMetadata done = await hub.RunAsync("Retry");

        Assert.Equal([7, 7], delays());
        Assert.Equal(3, done.ReadOutputAs<int>());
    }

    [Fact]
    public async Task RetryPolicy_WithoutLongestDelay_WaitsAnHourAtMost()
    {
        var time = new ManualTime { JumpsToTimers = true };
        await using var hub = new TestHub(time);
        (Func<IReadOnlyList<double>> delays, _) = Failing(hub, time, int.MaxValue);
        hub.Orchestrator("Retry", context => context.CallActivityAsync<int>(
            "Fail", 1, TaskOptions.FromRetryPolicy(new RetryPolicy(4, TimeSpan.FromMinutes(20), 10))));
        await hub.StartAsync();

        await hub.RunAsync("Retry");

        Assert.Equal([1200, 3600, 3600], delays());
    }

    [Fact]
    public async Task RetryPolicy_TimeOut_IsCheckedBeforeADelayAndSoIsOverrun()
    {
        var time = new ManualTime { JumpsToTimers = true };
        await using var hub = new TestHub(time);
        (Func<IReadOnlyList<double>> delays, _) = Failing(hub, time, int.MaxValue);
        hub.Orchestrator("Retry", context => context.CallActivityAsync<int>("Fail", 1, TaskOptions.FromRetryPolicy(
            new RetryPolicy(100, TimeSpan.FromSeconds(10), retryTimeout: TimeSpan.FromSeconds(25)))));
        await hub.StartAsync();

        await hub.RunAsync("Retry");

        Assert.Equal([10, 10, 10], delays());
    }

    [Fact]
    public async Task RetryPolicy_HandleFailureSaysNo_StopsAtOnce()
    {
        var time = new ManualTime { JumpsToTimers = true };
        await using var hub = new TestHub(time);
        (Func<IReadOnlyList<double>> delays, Func<int> attempts) = Failing(hub, time, int.MaxValue);
        var asked = new ConcurrentQueue<string>();
        hub.Orchestrator("Retry", context =>
        {
            var policy = new RetryPolicy(10, TimeSpan.FromSeconds(1))
            {
                HandleFailure = failure =>
                {
                    asked.Enqueue(failure.ErrorMessage);
                    return failure.IsCausedBy<TimeoutException>() && failure.ErrorMessage != "attempt 2";
                },
            };
            return context.CallActivityAsync<int>("Fail", 1, TaskOptions.FromRetryPolicy(policy));
        });
        await hub.StartAsync();

        OrchestrationMetadata done = await hub.RunAsync("Retry");

        Assert.Equal(2, attempts());
        Assert.Equal([1], delays());
        Assert.Equal(["attempt 1", "attempt 2"], asked.Distinct());
        Assert.EndsWith("attempt 2", done.FailureDetails!.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RetryHandler_IsAskedWithTheFailure()
    {
        var time = new ManualTime { JumpsToTimers = true };
        await using var hub = new TestHub(time);
        (_, Func<int> attempts) = Failing(hub, time, int.MaxValue);
        var asked = new ConcurrentQueue<(int Attempt, string Message)>();
        hub.Orchestrator("Retry", context => context.CallActivityAsync<int>("Fail", 1, TaskOptions.FromRetryHandler(retry =>
        {
            Assert.Same(context, retry.OrchestrationContext);
            asked.Enqueue((retry.LastAttemptNumber, retry.LastFailure.ErrorMessage));
            return retry.LastAttemptNumber < 3;
        })));
        await hub.StartAsync();

        OrchestrationMetadata done = await hub.RunAsync("Retry");

        Assert.Equal(3, attempts());
        Assert.Equal([(1, "attempt 1"), (2, "attempt 2"), (3, "attempt 3")], asked.Distinct());
        Assert.Equal(OrchestrationRuntimeStatus.Failed, done.RuntimeStatus);
    }

    [Fact]
    public async Task AsyncRetryHandler_MayWaitOnDurableTimers()
    {
        var time = new ManualTime { JumpsToTimers = true };
        await using var hub = new TestHub(time);
        (Func<IReadOnlyList<double>> delays, _) = Failing(hub, time, failures: 3);
        hub.Orchestrator("Retry", context => context.CallActivityAsync<int>("Fail", 1, TaskOptions.FromRetryHandler(async retry =>
        {
            await context.CreateTimer(TimeSpan.FromSeconds(retry.LastAttemptNumber * 100), retry.CancellationToken);
            return retry.TotalRetryTime < TimeSpan.FromHours(1);
        })));
        await hub.StartAsync();

        OrchestrationMetadata done = await hub.RunAsync("Retry");

        Assert.Equal([100, 200, 300], delays());
        Assert.Equal(4, done.ReadOutputAs<int>());
    }

    [Fact]
    public async Task RetryPolicy_OnASubOrchestration_RunsItAgain()
    {
        var time = new ManualTime { JumpsToTimers = true };
        await using var hub = new TestHub(time);
        int runs = 0;
        hub.Orchestrator("Child", new Func<TaskOrchestrationContext, Task<string>>(context =>
            Interlocked.Increment(ref runs) < 3 ? throw new TimeoutException("not yet") : Task.FromResult(context.InstanceId)));
        hub.Orchestrator("Parent", context => context.CallSubOrchestratorAsync<string>(
            "Child", null, TaskOptions.FromRetryPolicy(new RetryPolicy(3, TimeSpan.FromSeconds(5))).WithInstanceId("the-child")));
        await hub.StartAsync();

        OrchestrationMetadata done = await hub.RunAsync("Parent");

        Assert.Equal("the-child", done.ReadOutputAs<string>());
        Assert.Equal(3, runs);
    }

    [Fact]
    public void RetryPolicy_ValuesOutOfRange_AreRefused()
    {
        TimeSpan second = TimeSpan.FromSeconds(1);
        Assert.Throws<ArgumentOutOfRangeException>(() => new RetryPolicy(0, second));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RetryPolicy(1, TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RetryPolicy(1, second, 0.5));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RetryPolicy(1, second, maxRetryInterval: second / 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RetryPolicy(1, second, retryTimeout: second / 2));
        Assert.Equal(Timeout.InfiniteTimeSpan, new RetryPolicy(1, second, maxRetryInterval: Timeout.InfiniteTimeSpan).MaxRetryInterval);
    }

    /// <summary>An activity that fails a number of times; tells the seconds between its attempts, and their number.</summary>
    private static (Func<IReadOnlyList<double>> Delays, Func<int> Attempts) Failing(TestHub hub, ManualTime time, int failures)
    {
        var attempts = new ConcurrentQueue<DateTimeOffset>();
        hub.Activity("Fail", (int _) =>
        {
            attempts.Enqueue(time.GetUtcNow());
            return attempts.Count <= failures ? throw new TimeoutException($"attempt {attempts.Count}") : attempts.Count;
        });
        return (() => [.. attempts.Zip(attempts.Skip(1), (a, b) => Math.Round((b - a).TotalSeconds))], () => attempts.Count);
    }
}
