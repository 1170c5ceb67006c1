using System.Collections.Concurrent;
using EmbeddedHost.Durable;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace EmbeddedHost.Tests.DurableTask;

public sealed class RecoveryTests
{
    private static CancellationToken Cancellation => TestHub.Cancellation;

    [Fact]
    public async Task Crash_WhileAnActivityRuns_RunsItAgain()
    {
        await using var hub = new TestHub();
        var runs = new ConcurrentQueue<int>();
        hub.Activity("Work", async (int n, CancellationToken cancellation) =>
        {
            runs.Enqueue(n);
            if (runs.Count(run => run == 2) == 1 && n == 2)
            {
                await Task.Delay(Timeout.Infinite, cancellation);
            }

            return n;
        });
        hub.Orchestrator("Steps", async context =>
            await context.CallActivityAsync<int>("Work", 1) + await context.CallActivityAsync<int>("Work", 2));
        DurableTaskClient client = await hub.StartAsync();
        string id = await client.ScheduleNewOrchestrationInstanceAsync("Steps", Cancellation);
        await Eventually.TrueAsync(() => runs.Contains(2));

        await hub.RestartAsync();

        Assert.Equal(3, (await hub.CompletedAsync(id)).ReadOutputAs<int>());
        Assert.Equal([1, 2, 2], runs);
    }

    [Fact]
    public async Task Crash_WhileATimerRuns_ArmsItAgain()
    {
        var time = new ManualTime();
        await using var hub = new TestHub(time);
        hub.Orchestrator("Sleep", async context =>
        {
            DateTime start = context.CurrentUtcDateTime;
            await context.CreateTimer(TimeSpan.FromHours(3), CancellationToken.None);
            return context.CurrentUtcDateTime - start;
        });
        DurableTaskClient client = await hub.StartAsync();
        string id = await client.ScheduleNewOrchestrationInstanceAsync("Sleep", Cancellation);
        await hub.StatusAsync(id, OrchestrationRuntimeStatus.Running);

        await hub.DownAsync();
        time.Advance(TimeSpan.FromHours(1));
        await hub.StartAsync();
        await time.AdvanceOverTimerAsync(TimeSpan.FromHours(2));

        Assert.Equal(TimeSpan.FromHours(3), (await hub.CompletedAsync(id)).ReadOutputAs<TimeSpan>());
    }

    [Fact]
    public async Task Crash_AfterATimerWasDue_FiresItAtTheStart()
    {
        var time = new ManualTime();
        await using var hub = new TestHub(time);
        hub.Orchestrator("Sleep", async context =>
        {
            await context.CreateTimer(TimeSpan.FromHours(3), CancellationToken.None);
            return true;
        });
        DurableTaskClient client = await hub.StartAsync();
        string id = await client.ScheduleNewOrchestrationInstanceAsync("Sleep", Cancellation);
        await hub.StatusAsync(id, OrchestrationRuntimeStatus.Running);

        await hub.DownAsync();
        time.Advance(TimeSpan.FromHours(5));
        await hub.StartAsync();

        Assert.True((await hub.CompletedAsync(id)).ReadOutputAs<bool>());
    }

    [Fact]
    public async Task Crash_RightAfterAcknowledgement_LosesNothing()
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Sum", async context =>
        {
            int sum = 0;
            for (int i = 0; i < 5; i++)
            {
                sum += await context.WaitForExternalEvent<int>("n");
            }

            return sum;
        });
        await hub.StartAsync();
        string id = await hub.Client.ScheduleNewOrchestrationInstanceAsync("Sum", Cancellation);
        for (int n = 1; n <= 5; n++)
        {
            await hub.RestartAsync();
            await hub.Client.RaiseEventAsync(id, "n", n, Cancellation);
        }

        await hub.RestartAsync();

        Assert.Equal(15, (await hub.CompletedAsync(id)).ReadOutputAs<int>());
    }

    [Fact]
    public async Task Crash_BeforeASentEventIsNotedAsArrived_DeliversItOnce()
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Receiver", async context =>
        {
            var got = new List<string>();
            while (!got.Contains("end"))
            {
                got.Add(await context.WaitForExternalEvent<string>("e"));
                context.SetCustomStatus(got.Count);
            }

            return string.Join(' ', got);
        });
        hub.Orchestrator("Sender", async (TaskOrchestrationContext context, string receiver) =>
        {
            context.SendEvent(receiver, "e", "sent");
            await context.WaitForExternalEvent<int>("finish");
            return true;
        });
        DurableTaskClient client = await hub.StartAsync();
        string receiver = await client.ScheduleNewOrchestrationInstanceAsync("Receiver", Cancellation);
        string sender = await client.ScheduleNewOrchestrationInstanceAsync("Sender", receiver, Cancellation);
        await Eventually.TrueAsync(async () => await hub.CustomStatusAsync<int?>(receiver) == 1);

        client = await hub.RestartAsync();
        await client.RaiseEventAsync(sender, "finish", 0, Cancellation);
        await hub.CompletedAsync(sender);
        Assert.Equal(1, (await client.PurgeInstanceAsync(sender, Cancellation)).PurgedInstanceCount);
        await client.RaiseEventAsync(receiver, "e", "end", Cancellation);

        Assert.Equal("sent end", (await hub.CompletedAsync(receiver)).ReadOutputAs<string>());
    }

    [Fact]
    public async Task Crash_WhileASubOrchestrationWaits_StartsItOnce()
    {
        await using var hub = new TestHub();
        int starts = 0;
        hub.Orchestrator("Child", context =>
        {
            if (!context.IsReplaying)
            {
                Interlocked.Increment(ref starts);
            }

            return context.WaitForExternalEvent<int>("go");
        });
        hub.Orchestrator("Parent", context => context.CallSubOrchestratorAsync<int>("Child", new SubOrchestrationOptions(instanceId: "child")));
        DurableTaskClient client = await hub.StartAsync();
        string id = await client.ScheduleNewOrchestrationInstanceAsync("Parent", Cancellation);
        await client.WaitForInstanceStartAsync("child", Cancellation);

        client = await hub.RestartAsync();
        await client.RaiseEventAsync("child", "go", 6, Cancellation);

        Assert.Equal(6, (await hub.CompletedAsync(id)).ReadOutputAs<int>());
        Assert.Equal(1, starts);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Crash_AgainAndAgain_EndsAsIfUndisturbed(int seed)
    {
        var random = new Random(seed);
        await using var hub = new TestHub();
        int executions = 0;
        CrashScenario.Register(hub, _ => Interlocked.Increment(ref executions));
        await hub.StartAsync();
        for (int crash = 0; crash < 12; crash++)
        {
            await CrashScenario.BeginAsync(hub.Client);
            int target = Volatile.Read(ref executions) + random.Next(1, 8);
            await Eventually.TrueAsync(async () =>
                Volatile.Read(ref executions) >= target
                || (await hub.Client.GetInstanceAsync(CrashScenario.MainId, Cancellation))!.IsCompleted);
            await hub.RestartAsync();
        }

        await CrashScenario.AssertUndisturbedAsync(hub);
        Assert.True(executions >= CrashScenario.Activities);
    }

    [Fact]
    public async Task Crash_AtAnyByteOfTheLog_GoesOnFromThere()
    {
        await using var original = new TestHub();
        Register(original);
        await original.StartAsync();
        OrchestrationMetadata done = await original.RunAsync("Mixed");
        await original.DownAsync(orderly: true);
        byte[] log = await File.ReadAllBytesAsync(original.FileOf(done.InstanceId), Cancellation);
        int firstFrame = BitConverter.ToInt32(log, 4) + 12;
        int[] lengths = [.. Enumerable.Range(firstFrame, log.Length - firstFrame + 1).Where(length => length % 23 == 0 || length == log.Length)];

        foreach (int length in lengths)
        {
            await using var hub = new TestHub();
            Register(hub);
            Directory.CreateDirectory(Path.GetDirectoryName(hub.FileOf("x"))!);
            await File.WriteAllBytesAsync(hub.FileOf(done.InstanceId), log[..length], Cancellation);
            await hub.StartAsync();
            await hub.Client.RaiseEventAsync(done.InstanceId, "go", 10, Cancellation);
            OrchestrationMetadata again = await hub.CompletedAsync(done.InstanceId);
            Assert.Equal((length, 17), (length, again.ReadOutputAs<int>()));
        }

        Assert.True(lengths.Length > 20, $"only {lengths.Length} places");

        static void Register(TestHub hub)
        {
            hub.Activity("Work", (int n) => n);
            hub.Orchestrator("Mixed", async context =>
            {
                int sum = await context.CallActivityAsync<int>("Work", 3);
                await context.CreateTimer(TimeSpan.FromMilliseconds(1), CancellationToken.None);
                context.SendEvent(context.InstanceId, "go", 10);
                sum += await context.WaitForExternalEvent<int>("go");
                return sum + await context.CallActivityAsync<int>("Work", 4);
            });
        }
    }

    [Fact]
    public async Task Open_TornTail_IsCutAndSaidSo()
    {
        await using TestHub hub = await WaitingHubAsync("one");
        await hub.DownAsync();
        await using (FileStream file = File.Open(hub.FileOf("one"), FileMode.Append))
        {
            await file.WriteAsync(new byte[] { 0xFF, 0xD7, 0x48, 0x31, 0xFF, 0x00 }, Cancellation);
        }

        DurableTaskClient client = await hub.StartAsync();
        await client.RaiseEventAsync("one", "go", 2, Cancellation);

        Assert.Equal(2, (await hub.CompletedAsync("one")).ReadOutputAs<int>());
        Assert.Contains(hub.Logged, message => message.Contains("interrupted write", StringComparison.Ordinal)
            && message.Contains("6 bytes", StringComparison.Ordinal));
        await hub.RestartAsync();
        Assert.Equal(2, (await hub.CompletedAsync("one")).ReadOutputAs<int>());
    }

    [Fact]
    public async Task Open_DamageBeforeTheEnd_SetsTheInstanceAsideByName()
    {
        await using TestHub hub = await WaitingHubAsync("one", "two");
        await hub.DownAsync(orderly: true);
        byte[] log = await File.ReadAllBytesAsync(hub.FileOf("one"), Cancellation);
        log[40] ^= 1;
        await File.WriteAllBytesAsync(hub.FileOf("one"), log, Cancellation);

        DurableTaskClient client = await hub.StartAsync();

        HistoryCorruptedException damage = await Assert.ThrowsAsync<HistoryCorruptedException>(() => client.GetInstanceAsync("one", Cancellation));
        Assert.Equal(hub.FileOf("one"), damage.Path);
        Assert.Equal(0, damage.Offset);
        Assert.Contains(damage.Path, damage.Message, StringComparison.Ordinal);
        Assert.Contains(hub.Logged, message => message.Contains("'one' is set aside", StringComparison.Ordinal));
        await Assert.ThrowsAsync<HistoryCorruptedException>(() => client.RaiseEventAsync("one", "go", 1, Cancellation));
        await Assert.ThrowsAsync<HistoryCorruptedException>(() =>
            client.ScheduleNewOrchestrationInstanceAsync("Wait", new StartOrchestrationOptions("one"), Cancellation));

        await client.RaiseEventAsync("two", "go", 2, Cancellation);
        Assert.Equal(2, (await hub.CompletedAsync("two")).ReadOutputAs<int>());
        Assert.Equal(1, (await client.PurgeInstanceAsync("one", Cancellation)).PurgedInstanceCount);
        Assert.Null(await client.GetInstanceAsync("one", Cancellation));
    }

    [Fact]
    public async Task Open_UnfinishedFile_IsRemoved()
    {
        await using TestHub hub = await WaitingHubAsync();
        await hub.DownAsync();
        await File.WriteAllTextAsync(hub.FileOf("new") + ".tmp", "half", Cancellation);

        await hub.StartAsync();

        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(hub.FileOf("x"))!));
    }

    [Fact]
    public async Task Start_HubInUse_IsRefused()
    {
        await using TestHub hub = await WaitingHubAsync();
        await using var second = new TestHub(folder: hub.Folder);

        await Assert.ThrowsAsync<IOException>(second.StartAsync);
    }

    [Fact]
    public async Task Stop_LetsActivitiesEndAndKeepsTheirResults()
    {
        await using var hub = new TestHub();
        var runs = new ConcurrentQueue<string>();
        hub.Activity("Polite", async (string name, CancellationToken cancellation) =>
        {
            runs.Enqueue(name);
            var stopped = new TaskCompletionSource();
            await using CancellationTokenRegistration registration = cancellation.Register(stopped.SetResult);
            await stopped.Task;
            return "saved";
        });
        hub.Activity("Interrupted", async (string name, CancellationToken cancellation) =>
        {
            runs.Enqueue(name);
            if (runs.Count(run => run == name) == 1)
            {
                await Task.Delay(Timeout.Infinite, cancellation);
            }

            return "again";
        });
        hub.Orchestrator("Both", context => Task.WhenAll(
            context.CallActivityAsync<string>("Polite", "polite"), context.CallActivityAsync<string>("Interrupted", "interrupted")));
        DurableTaskClient client = await hub.StartAsync();
        string id = await client.ScheduleNewOrchestrationInstanceAsync("Both", Cancellation);
        await Eventually.TrueAsync(() => runs.Count == 2);

        await hub.RestartAsync(orderly: true);

        Assert.Equal(["saved", "again"], (await hub.CompletedAsync(id)).ReadOutputAs<string[]>()!);
        Assert.Equal(["interrupted", "interrupted", "polite"], runs.Order());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.GetInstanceAsync(id, Cancellation));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.RaiseEventAsync(id, "e", 1, Cancellation));
    }

    [Fact]
    public async Task Stop_WhileWaitingForCompletion_EndsTheWait()
    {
        await using TestHub hub = await WaitingHubAsync("one");
        Task<OrchestrationMetadata> wait = hub.Client.WaitForInstanceCompletionAsync("one", Cancellation);

        await hub.DownAsync(orderly: true);

        await Assert.ThrowsAsync<ObjectDisposedException>(() => wait);
    }

    private static async Task<TestHub> WaitingHubAsync(params string[] instances)
    {
        var hub = new TestHub();
        hub.Orchestrator("Wait", context => context.WaitForExternalEvent<int>("go"));
        DurableTaskClient client = await hub.StartAsync();
        foreach (string id in instances)
        {
            await client.ScheduleNewOrchestrationInstanceAsync("Wait", new StartOrchestrationOptions(id), Cancellation);
            await hub.StatusAsync(id, OrchestrationRuntimeStatus.Running);
        }

        return hub;
    }
}
