using DurableTask.Core.Exceptions;
using EmbeddedHost.Durable;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace EmbeddedHost.Tests.DurableTask;

public sealed class ClientTests
{
    private static CancellationToken Cancellation => TestHub.Cancellation;

    [Fact]
    public async Task GetInstance_UnknownId_IsNull()
    {
        await using TestHub hub = await WaitingHubAsync();

        Assert.Null(await hub.Client.GetInstanceAsync("nobody", Cancellation));
        Assert.Null(await hub.Host.GetManagementStatusAsync("nobody", Cancellation));
    }

    [Fact]
    public async Task GetInstance_WithoutPayloads_HasNoneAndThrowsOnReading()
    {
        await using TestHub hub = await WaitingHubAsync();
        string id = await hub.Client.ScheduleNewOrchestrationInstanceAsync("Throw", "input", Cancellation);
        await hub.CompletedAsync(id);

        OrchestrationMetadata bare = (await hub.Client.GetInstanceAsync(id, Cancellation))!;

        Assert.Equal(OrchestrationRuntimeStatus.Failed, bare.RuntimeStatus);
        Assert.Null(bare.SerializedInput);
        Assert.Null(bare.SerializedOutput);
        Assert.Null(bare.SerializedCustomStatus);
        Assert.Null(bare.FailureDetails);
        Assert.Throws<InvalidOperationException>(() => bare.ReadInputAs<string>());
        Assert.Throws<InvalidOperationException>(() => bare.ReadOutputAs<string>());
        Assert.Throws<InvalidOperationException>(() => bare.ReadCustomStatusAs<string>());
    }

    [Fact]
    public async Task Schedule_UnknownOrchestrator_ThrowsNamingTheKnownOnes()
    {
        await using TestHub hub = await WaitingHubAsync();

        ArgumentException refused = await Assert.ThrowsAsync<ArgumentException>(() =>
            hub.Client.ScheduleNewOrchestrationInstanceAsync("Unknown", Cancellation));

        Assert.Contains("'Throw', 'Wait'", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("@entity")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("a#b")]
    [InlineData("a?b")]
    [InlineData("a\u0001b")]
    [InlineData("")]
    public async Task Schedule_BadInstanceId_IsRefused(string instanceId)
    {
        await using TestHub hub = await WaitingHubAsync();

        await Assert.ThrowsAsync<ArgumentException>(() => ScheduleAsync(hub, instanceId));
    }

    [Fact]
    public async Task Schedule_LongAndStrangeInstanceIds_AreKeptApart()
    {
        await using TestHub hub = await WaitingHubAsync();
        string[] ids = [new('x', 256), new('x', 255), "Case", "case", "..", "ünï%20 :*\"<>|", new('ü', 256), "~"];
        foreach (string id in ids)
        {
            await ScheduleAsync(hub, id);
        }

        await Assert.ThrowsAsync<ArgumentException>(() => ScheduleAsync(hub, new string('x', 257)));
        await hub.RestartAsync();

        List<OrchestrationMetadata> found = await hub.Client.GetAllInstancesAsync().ToListAsync(Cancellation);
        Assert.Equal(ids.Order(StringComparer.Ordinal), found.Select(instance => instance.InstanceId));
    }

    [Fact]
    public async Task Schedule_IdOfARunningInstance_IsRefusedByDefault()
    {
        await using TestHub hub = await WaitingHubAsync();
        await ScheduleAsync(hub, "one");
        await hub.StatusAsync("one", OrchestrationRuntimeStatus.Running);

        OrchestrationAlreadyExistsException refused =
            await Assert.ThrowsAsync<OrchestrationAlreadyExistsException>(() => ScheduleAsync(hub, "one"));

        Assert.Equal("An Orchestration instance with the ID one already exists.", refused.Message);
    }

    [Theory]
    [InlineData(OrchestrationRuntimeStatus.Running)]
    [InlineData(OrchestrationRuntimeStatus.Pending)]
    [InlineData(OrchestrationRuntimeStatus.Suspended)]
    [InlineData(OrchestrationRuntimeStatus.Completed)]
    [InlineData(OrchestrationRuntimeStatus.Failed)]
    [InlineData(OrchestrationRuntimeStatus.Terminated)]
    public async Task Schedule_IdInAStatusThatIsNamed_IsRefused(OrchestrationRuntimeStatus status)
    {
        await using TestHub hub = await WaitingHubAsync();
        await BringToAsync(hub, "one", status);

        await Assert.ThrowsAsync<OrchestrationAlreadyExistsException>(() => ScheduleAsync(hub, "one", status));
    }

    [Theory]
    [InlineData(OrchestrationRuntimeStatus.Running)]
    [InlineData(OrchestrationRuntimeStatus.Pending)]
    [InlineData(OrchestrationRuntimeStatus.Suspended)]
    public async Task Schedule_IdInAnActiveStatusThatIsNotNamed_ReplacesTheInstance(OrchestrationRuntimeStatus status)
    {
        await using TestHub hub = await WaitingHubAsync();
        await BringToAsync(hub, "one", status);
        OrchestrationRuntimeStatus other = status == OrchestrationRuntimeStatus.Running
            ? OrchestrationRuntimeStatus.Suspended
            : OrchestrationRuntimeStatus.Running;

        await ScheduleAsync(hub, "one", other);
        await hub.StatusAsync("one", OrchestrationRuntimeStatus.Running);
        await hub.Client.RaiseEventAsync("one", "go", 8, Cancellation);

        Assert.Equal(8, (await hub.CompletedAsync("one")).ReadOutputAs<int>());
    }

    [Theory]
    [InlineData(OrchestrationRuntimeStatus.Completed)]
    [InlineData(OrchestrationRuntimeStatus.Failed)]
    [InlineData(OrchestrationRuntimeStatus.Terminated)]
    public async Task Schedule_IdOfAnEndedInstance_ReplacesItWithAFreshOne(OrchestrationRuntimeStatus status)
    {
        await using TestHub hub = await WaitingHubAsync();
        await BringToAsync(hub, "one", status);

        await ScheduleAsync(hub, "one");
        await hub.RestartAsync();
        await hub.StatusAsync("one", OrchestrationRuntimeStatus.Running);
        OrchestrationMetadata fresh = (await hub.Client.GetInstanceAsync("one", true, Cancellation))!;

        Assert.Null(fresh.SerializedOutput);
        Assert.Null(fresh.FailureDetails);
        await hub.Client.RaiseEventAsync("one", "go", 8, Cancellation);
        Assert.Equal(8, (await hub.CompletedAsync("one")).ReadOutputAs<int>());
    }

    [Fact]
    public async Task Schedule_ManyAtOnceWithOneId_OneWins()
    {
        await using TestHub hub = await WaitingHubAsync();

        Exception?[] outcomes = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Record.ExceptionAsync(() => ScheduleAsync(hub, "one")).AsTask()));

        Assert.Single(outcomes, outcome => outcome is null);
        Assert.Equal(19, outcomes.Count(outcome => outcome is OrchestrationAlreadyExistsException));
    }

    [Fact]
    public async Task Schedule_StartAt_StartsThen()
    {
        var time = new ManualTime();
        await using TestHub hub = await WaitingHubAsync(time);
        var options = new StartOrchestrationOptions("later", time.GetUtcNow().AddHours(1));

        await hub.Client.ScheduleNewOrchestrationInstanceAsync("Wait", options, Cancellation);
        await hub.Client.RaiseEventAsync("later", "go", 3, Cancellation);
        OrchestrationMetadata before = (await hub.Client.GetInstanceAsync("later", Cancellation))!;
        await time.AdvanceOverTimerAsync(TimeSpan.FromHours(1));
        OrchestrationMetadata done = await hub.CompletedAsync("later");

        Assert.Equal(OrchestrationRuntimeStatus.Pending, before.RuntimeStatus);
        Assert.Equal(3, done.ReadOutputAs<int>());
        Assert.Equal(TimeSpan.FromHours(1), done.LastUpdatedAt - done.CreatedAt);
    }

    [Fact]
    public async Task Terminate_BeforeTheStart_NeverRunsTheFunction()
    {
        var time = new ManualTime();
        await using TestHub hub = await WaitingHubAsync(time);
        await BringToAsync(hub, "later", OrchestrationRuntimeStatus.Pending);

        await hub.Client.TerminateInstanceAsync("later", "never mind", Cancellation);
        OrchestrationMetadata done = await hub.CompletedAsync("later");

        Assert.Equal(OrchestrationRuntimeStatus.Terminated, done.RuntimeStatus);
        Assert.Null(done.SerializedCustomStatus);
    }

    [Fact]
    public async Task Terminate_ARunningInstance_EndsItWithTheOutputAndLeavesActivitiesRunning()
    {
        await using var hub = new TestHub();
        var running = new TaskCompletionSource();
        var release = new TaskCompletionSource<int>();
        var ended = new TaskCompletionSource();
        hub.Activity("Slow", async (int _, CancellationToken cancellation) =>
        {
            running.SetResult();
            int result = await release.Task.WaitAsync(cancellation);
            ended.SetResult();
            return result;
        });
        hub.Orchestrator("Wait", context => context.CallActivityAsync<int>("Slow", 1));
        DurableTaskClient client = await hub.StartAsync();
        string id = await client.ScheduleNewOrchestrationInstanceAsync("Wait", Cancellation);
        await running.Task;

        await client.TerminateInstanceAsync(id, new { why = "enough" }, Cancellation);
        OrchestrationMetadata done = await hub.CompletedAsync(id);
        release.SetResult(1);
        await ended.Task;

        Assert.Equal(OrchestrationRuntimeStatus.Terminated, done.RuntimeStatus);
        Assert.Equal("""{"why":"enough"}""", done.SerializedOutput);
        Assert.Equal(OrchestrationRuntimeStatus.Terminated, (await hub.CompletedAsync(id)).RuntimeStatus);
    }

    [Fact]
    public async Task Suspend_HoldsWhatHappensUntilResumed()
    {
        await using var hub = new TestHub();
        var release = new TaskCompletionSource<int>();
        hub.Activity("Slow", (int _) => release.Task);
        hub.Orchestrator("Wait", async context =>
        {
            int work = await context.CallActivityAsync<int>("Slow", 1);
            context.SetCustomStatus("worked");
            return work + await context.WaitForExternalEvent<int>("go");
        });
        DurableTaskClient client = await hub.StartAsync();
        string id = await client.ScheduleNewOrchestrationInstanceAsync("Wait", Cancellation);
        await hub.StatusAsync(id, OrchestrationRuntimeStatus.Running);

        await client.SuspendInstanceAsync(id, "wait a bit", Cancellation);
        await hub.StatusAsync(id, OrchestrationRuntimeStatus.Suspended);
        await client.RaiseEventAsync(id, "go", 20, Cancellation);
        release.SetResult(1);
        await hub.RestartAsync(orderly: true);
        await hub.StatusAsync(id, OrchestrationRuntimeStatus.Suspended);
        string? heldStatus = await hub.CustomStatusAsync<string>(id);
        await hub.Client.ResumeInstanceAsync(id, "go on", Cancellation);
        OrchestrationMetadata done = await hub.CompletedAsync(id);

        Assert.Null(heldStatus);
        Assert.Equal(21, done.ReadOutputAs<int>());
    }

    [Fact]
    public async Task Suspend_BeforeTheStart_HoldsWhatTheFunctionBegins()
    {
        var time = new ManualTime();
        await using var hub = new TestHub(time);
        int runs = 0;
        hub.Activity("Work", (int _) => Interlocked.Increment(ref runs));
        hub.Orchestrator("Work", context => context.CallActivityAsync<int>("Work", 1));
        DurableTaskClient client = await hub.StartAsync();
        var later = new StartOrchestrationOptions("later", time.GetUtcNow().AddHours(1));
        await client.ScheduleNewOrchestrationInstanceAsync("Work", later, Cancellation);
        await client.SuspendInstanceAsync("later", cancellation: Cancellation);

        await time.AdvanceOverTimerAsync(TimeSpan.FromHours(1));
        await hub.StatusAsync("later", OrchestrationRuntimeStatus.Suspended);
        await hub.DownAsync(orderly: true);
        int runsWhileHeld = runs;
        client = await hub.StartAsync();
        await client.ResumeInstanceAsync("later", cancellation: Cancellation);

        Assert.Equal(1, (await hub.CompletedAsync("later")).ReadOutputAs<int>());
        Assert.Equal(0, runsWhileHeld);
    }

    [Fact]
    public async Task Suspend_ThenTerminate_EndsTheInstance()
    {
        await using TestHub hub = await WaitingHubAsync();
        await BringToAsync(hub, "one", OrchestrationRuntimeStatus.Suspended);

        await hub.Client.TerminateInstanceAsync("one", Cancellation);

        Assert.Equal(OrchestrationRuntimeStatus.Terminated, (await hub.CompletedAsync("one")).RuntimeStatus);
    }

    [Fact]
    public async Task WaitForInstance_NotScheduledYet_Waits()
    {
        await using TestHub hub = await WaitingHubAsync();

        Task<OrchestrationMetadata> start = hub.Client.WaitForInstanceStartAsync("one", Cancellation);
        Task<OrchestrationMetadata> end = hub.Client.WaitForInstanceCompletionAsync("one", Cancellation);
        Assert.False(start.IsCompleted);
        await ScheduleAsync(hub, "one");
        await start;
        Assert.False(end.IsCompleted);
        await hub.Client.RaiseEventAsync("one", "go", 1, Cancellation);

        Assert.Equal(OrchestrationRuntimeStatus.Completed, (await end).RuntimeStatus);
    }

    [Fact]
    public async Task WaitForInstanceCompletion_Cancelled_Throws()
    {
        await using TestHub hub = await WaitingHubAsync();
        using var cancel = new CancellationTokenSource();

        Task<OrchestrationMetadata> end = hub.Client.WaitForInstanceCompletionAsync("one", cancel.Token);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => end);
    }

    [Fact]
    public async Task GetAllInstances_Pages_HoldEveryInstanceOnce()
    {
        await using TestHub hub = await WaitingHubAsync();
        for (int i = 0; i < 7; i++)
        {
            await ScheduleAsync(hub, $"i{i}");
        }

        var pages = new List<Page<OrchestrationMetadata>>();
        await foreach (Page<OrchestrationMetadata> page in hub.Client.GetAllInstancesAsync(new OrchestrationQuery(PageSize: 3)).AsPages())
        {
            pages.Add(page);
        }

        Assert.Equal([3, 3, 1], pages.Select(page => page.Values.Count));
        Assert.Equal(Enumerable.Range(0, 7).Select(i => $"i{i}"), pages.SelectMany(page => page.Values).Select(one => one.InstanceId));
        Assert.Null(pages[^1].ContinuationToken);
        List<OrchestrationMetadata> rest = await hub.Client
            .GetAllInstancesAsync(new OrchestrationQuery(ContinuationToken: pages[0].ContinuationToken)).ToListAsync(Cancellation);
        Assert.Equal(4, rest.Count);
    }

    [Fact]
    public async Task GetAllInstances_Filters_Apply()
    {
        var time = new ManualTime();
        await using TestHub hub = await WaitingHubAsync(time);
        await BringToAsync(hub, "a-done", OrchestrationRuntimeStatus.Completed);
        time.Advance(TimeSpan.FromHours(1));
        DateTimeOffset noon = time.GetUtcNow();
        await BringToAsync(hub, "a-runs", OrchestrationRuntimeStatus.Running);
        await BringToAsync(hub, "b-runs", OrchestrationRuntimeStatus.Running);

        async Task<string> IdsAsync(OrchestrationQuery query) => string.Join(
            ' ', await hub.Client.GetAllInstancesAsync(query).Select(instance => instance.InstanceId).ToListAsync(Cancellation));

        Assert.Equal("a-done a-runs", await IdsAsync(new OrchestrationQuery(InstanceIdPrefix: "a-")));
        Assert.Equal("a-done", await IdsAsync(new OrchestrationQuery(Statuses: [OrchestrationRuntimeStatus.Completed])));
        Assert.Equal("a-runs b-runs", await IdsAsync(new OrchestrationQuery(CreatedFrom: noon)));
        Assert.Equal("a-done", await IdsAsync(new OrchestrationQuery(CreatedTo: noon.AddMinutes(-1))));
        OrchestrationMetadata full = await hub.Client
            .GetAllInstancesAsync(new OrchestrationQuery(InstanceIdPrefix: "a-d", FetchInputsAndOutputs: true)).SingleAsync(Cancellation);
        Assert.Equal(1, full.ReadOutputAs<int>());
    }

    [Fact]
    public async Task PurgeInstance_Ended_ForgetsIt()
    {
        await using TestHub hub = await WaitingHubAsync();
        await BringToAsync(hub, "one", OrchestrationRuntimeStatus.Completed);

        PurgeResult purged = await hub.Client.PurgeInstanceAsync("one", Cancellation);

        Assert.Equal(1, purged.PurgedInstanceCount);
        Assert.Null(await hub.Client.GetInstanceAsync("one", Cancellation));
        Assert.False(File.Exists(hub.FileOf("one")));
        Assert.Equal(0, (await hub.Client.PurgeInstanceAsync("one", Cancellation)).PurgedInstanceCount);
    }

    [Fact]
    public async Task PurgeInstance_Running_LeavesIt()
    {
        await using TestHub hub = await WaitingHubAsync();
        await BringToAsync(hub, "one", OrchestrationRuntimeStatus.Running);

        Assert.Equal(0, (await hub.Client.PurgeInstanceAsync("one", Cancellation)).PurgedInstanceCount);
        Assert.NotNull(await hub.Client.GetInstanceAsync("one", Cancellation));
    }

    [Fact]
    public async Task PurgeAllInstances_Filter_TakesEndedOnesThatMatch()
    {
        await using TestHub hub = await WaitingHubAsync();
        await BringToAsync(hub, "done", OrchestrationRuntimeStatus.Completed);
        await BringToAsync(hub, "failed", OrchestrationRuntimeStatus.Failed);
        await BringToAsync(hub, "runs", OrchestrationRuntimeStatus.Running);

        PurgeResult some = await hub.Client.PurgeAllInstancesAsync(
            new PurgeInstancesFilter(Statuses: [OrchestrationRuntimeStatus.Failed, OrchestrationRuntimeStatus.Running]), Cancellation);
        PurgeResult none = await hub.Client.PurgeInstancesAsync(DateTimeOffset.MaxValue, null, Cancellation);
        PurgeResult rest = await hub.Client.PurgeAllInstancesAsync(new PurgeInstancesFilter(), Cancellation);

        Assert.Equal([1, 0, 1], new[] { some, none, rest }.Select(result => result.PurgedInstanceCount));
        Assert.Equal("runs", (await hub.Client.GetAllInstancesAsync().SingleAsync(Cancellation)).InstanceId);
    }

    [Fact]
    public async Task PurgeInstance_Recursive_TakesSubOrchestrations()
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Child", context => Task.FromResult(1));
        hub.Orchestrator("Parent", context => context.CallSubOrchestratorAsync<int>("Child"));
        DurableTaskClient client = await hub.StartAsync();
        OrchestrationMetadata done = await hub.RunAsync("Parent");

        PurgeResult purged = await client.PurgeInstanceAsync(done.InstanceId, new PurgeInstanceOptions(Recursive: true), Cancellation);

        Assert.Equal(2, purged.PurgedInstanceCount);
        Assert.Empty(await client.GetAllInstancesAsync().ToListAsync(Cancellation));
    }

    [Fact]
    public async Task Restart_AnEndedInstance_RunsItsInputAgain()
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Echo", (TaskOrchestrationContext context, string text) => Task.FromResult($"{text} {context.InstanceId}"));
        DurableTaskClient client = await hub.StartAsync();
        OrchestrationMetadata done = await hub.RunAsync("Echo", "hi");

        string id = await client.RestartAsync(done.InstanceId, restartWithNewInstanceId: true, Cancellation);

        Assert.NotEqual(done.InstanceId, id);
        Assert.Equal($"hi {id}", (await hub.CompletedAsync(id)).ReadOutputAs<string>());
        Assert.Equal(done.InstanceId, await client.RestartAsync(done.InstanceId, cancellation: Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(() => client.RestartAsync("nobody", cancellation: Cancellation));
    }

    [Fact]
    public async Task Schedule_TagsAndVersion_AreKept()
    {
        await using var hub = new TestHub(defaultVersion: "1.5");
        hub.Orchestrator("Version", context => Task.FromResult(context.Version));
        DurableTaskClient client = await hub.StartAsync();
        var options = new StartOrchestrationOptions
        {
            Version = "2.0",
            Tags = new Dictionary<string, string> { ["dataset"] = "tickets" },
        };

        string tagged = await client.ScheduleNewOrchestrationInstanceAsync("Version", options, Cancellation);
        OrchestrationMetadata done = await hub.CompletedAsync(tagged);

        Assert.Equal("2.0", done.ReadOutputAs<string>());
        Assert.Equal("tickets", done.Tags["dataset"]);
        Assert.Equal("1.5", (await hub.RunAsync("Version")).ReadOutputAs<string>());
    }

    [Fact]
    public async Task GetManagementStatus_TellsWhatTheWebApiTells()
    {
        var time = new ManualTime();
        await using TestHub hub = await WaitingHubAsync(time);
        await BringToAsync(hub, "one", OrchestrationRuntimeStatus.Running);
        ManagementStatus running = (await hub.Host.GetManagementStatusAsync("one", Cancellation))!;
        await hub.Client.RaiseEventAsync("one", "go", 4, Cancellation);
        await hub.CompletedAsync("one");
        ManagementStatus done = (await hub.Host.GetManagementStatusAsync("one", Cancellation))!;

        Assert.Equal(202, running.StatusCode);
        Assert.Equal(200, done.StatusCode);
        Assert.Equal(
            """{"name":"Wait","instanceId":"one","runtimeStatus":"Completed","input":null,"customStatus":{"waits":true},"output":4,"createdTime":"2030-01-01T00:00:00Z","lastUpdatedTime":"2030-01-01T00:00:00Z"}""",
            done.Body.ToJsonString());
    }

    private static async Task<TestHub> WaitingHubAsync(TimeProvider? time = null)
    {
        var hub = new TestHub(time);
        hub.Orchestrator("Wait", context =>
        {
            context.SetCustomStatus(new { waits = true });
            return context.WaitForExternalEvent<int>("go");
        });
        hub.Orchestrator("Throw", new Func<TaskOrchestrationContext, Task<int>>(_ => throw new InvalidDataException("no good")));
        await hub.StartAsync();
        return hub;
    }

    private static Task<string> ScheduleAsync(TestHub hub, string instanceId, params OrchestrationRuntimeStatus[] dedupe)
    {
        var options = new StartOrchestrationOptions(instanceId);
        return hub.Client.ScheduleNewOrchestrationInstanceAsync(
            "Wait", null, dedupe.Length == 0 ? options : options.WithDedupeStatuses(dedupe), Cancellation);
    }

    private static async Task BringToAsync(TestHub hub, string instanceId, OrchestrationRuntimeStatus status)
    {
        var options = new StartOrchestrationOptions(
            instanceId, status == OrchestrationRuntimeStatus.Pending ? hub.Time.GetUtcNow().AddHours(1) : null);
        string name = status == OrchestrationRuntimeStatus.Failed ? "Throw" : "Wait";
        await hub.Client.ScheduleNewOrchestrationInstanceAsync(name, options, Cancellation);
        switch (status)
        {
            case OrchestrationRuntimeStatus.Completed:
                await hub.Client.RaiseEventAsync(instanceId, "go", 1, Cancellation);
                break;
            case OrchestrationRuntimeStatus.Terminated:
                await hub.Client.TerminateInstanceAsync(instanceId, Cancellation);
                break;
            case OrchestrationRuntimeStatus.Suspended:
                await hub.Client.SuspendInstanceAsync(instanceId, cancellation: Cancellation);
                break;
            default:
                break;
        }

        await hub.StatusAsync(instanceId, status);
    }
}
