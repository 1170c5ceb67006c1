using EmbeddedHost.Durable;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace EmbeddedHost.Tests.DurableTask;

/// <summary>Histories of one orchestrator, replayed over others: what would break an instance in flight is told, and nothing else.</summary>
public sealed class HistoryReplayTests
{
    public static TheoryData<string, string?> Changes => new()
    {
        { "as it was", null },
        { "other wait", null },
        { "more in an input", null },
        { "one more at the end", null },
        { "other id of the child", null },
        { "other result", null },
        { "other order", "turn 1 " },
        { "other name", "it began activity SECOND as #1, and now begins activity OTHER there" },
        { "other kind", "it began activity SECOND as #1, and now begins timer there" },
        { "one more beside the first", "it began activity SECOND as #1, and now begins timer there" },
        { "one less at the end", "it began activity FIRST as #4, and now does not" },
        { "other sub-orchestration", "it began sub-orchestration CHILD as #3, and now begins sub-orchestration GRANDCHILD there" },
        { "less in an input", "of what it hands to activity SECOND, $.Member is missing" },
        { "a result that it cannot read", "it fails with System.Text.Json.JsonException" },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task FindBreak_OrchestratorThatHasChanged_IsTold(string change, string? told)
    {
        RecordedHistory history = await RecordAsync();
        await using var present = new TestHub();
        Register(present, change);

        string? found = present.Replay().FindBreak(RecordedHistory.Parse(history.ToText()));

        if (told is null)
        {
            Assert.Null(found);
        }
        else
        {
            Assert.Contains(told, found, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task FindBreak_InstanceInFlight_IsReplayedToWhereItStands()
    {
        await using var hub = new TestHub();
        Register(hub, "as it was");
        DurableTaskClient client = await hub.StartAsync();
        string id = await client.ScheduleNewOrchestrationInstanceAsync("Changing", 1, new StartOrchestrationOptions("waits"), TestHub.Cancellation);
        await hub.CompletedAsync("child");
        await Eventually.TrueAsync(() => RecordedHistory.FromLog(hub.FileOf(id)).ToText().Contains("subCompleted", StringComparison.Ordinal));
        await hub.DownAsync();
        RecordedHistory history = RecordedHistory.FromLog(hub.FileOf(id));
        await using var present = new TestHub();
        Register(present, "other order");

        Assert.Equal("Running", history.Status);
        Assert.Null(hub.Replay().FindBreak(history));
        Assert.Contains("turn 1", present.Replay().FindBreak(history), StringComparison.Ordinal);
    }

    [Fact]
    public async Task FindBreak_EveryExecutionOfOneThatContinuesAsNew_IsReplayedAlsoBehindASnapshot()
    {
        await using var hub = new TestHub();
        string payload = new('x', 40_000);
        Counting(hub, last: 7);
        DurableTaskClient client = await hub.StartAsync();
        string id = await client.ScheduleNewOrchestrationInstanceAsync("Counting", new Count(0, payload), new StartOrchestrationOptions("count"), TestHub.Cancellation);
        await hub.CompletedAsync(id);
        RecordedHistory history = RecordedHistory.FromLog(hub.FileOf(id));
        await using var present = new TestHub();
        present.Orchestrator("Counting", (TaskOrchestrationContext context, Count count) => context.CallActivityAsync<int>("Count", count.Number));

        Assert.Contains("\"snapshot\"", history.ToText(), StringComparison.Ordinal);
        Assert.Equal("Completed", history.Status);
        Assert.Null(hub.Replay().FindBreak(history));
        Assert.Equal(history.ToText(), RecordedHistory.Parse(history.ToText()).ToText());
        Assert.Contains("it began timer as #0, and now begins activity COUNT there", present.Replay().FindBreak(history), StringComparison.Ordinal);
    }

    [Fact]
    public async Task FindBreak_RetriesAndFailures_AreReplayed()
    {
        await using var hub = new TestHub();
        int tries = 0;
        hub.Activity("Flaky", (int n) => ++tries < 3 ? throw new IOException("not yet") : n);
        hub.Activity("Broken", (int n) => n > 0 ? throw new InvalidOperationException("never") : n);
        Retrying(hub, attempts: 4);
        await hub.StartAsync();
        OrchestrationMetadata done = await hub.RunAsync("Retrying", 1);
        RecordedHistory history = RecordedHistory.FromLog(hub.FileOf(done.InstanceId));
        await using var present = new TestHub();
        Retrying(present, attempts: 2);

        Assert.Equal(OrchestrationRuntimeStatus.Failed, done.RuntimeStatus);
        Assert.Equal(3, history.FailedActivities);
        Assert.DoesNotContain(" at ", history.ToText(), StringComparison.Ordinal);
        Assert.Null(hub.Replay().FindBreak(history));
        Assert.NotNull(present.Replay().FindBreak(history));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""[{"$":"turn"}]""")]
    public void Parse_NoHistory_SaysSo(string text) => Assert.Throws<FormatException>(() => RecordedHistory.Parse(text));

    private static async Task<RecordedHistory> RecordAsync()
    {
        await using var hub = new TestHub();
        Register(hub, "as it was");
        DurableTaskClient client = await hub.StartAsync();
        string id = await client.ScheduleNewOrchestrationInstanceAsync("Changing", 1, new StartOrchestrationOptions("changes"), TestHub.Cancellation);
        await client.RaiseEventAsync(id, "go", 1, TestHub.Cancellation);
        await hub.CompletedAsync(id);
        return RecordedHistory.FromLog(hub.FileOf(id));
    }

    private static void Register(TestHub hub, string change)
    {
        hub.Activity("First", (Payload payload) => payload);
        hub.Activity("Second", (Payload payload) => payload);
        hub.Activity("Other", (Payload payload) => payload);
        hub.Orchestrator("Grandchild", (TaskOrchestrationContext context, int n) => Task.FromResult(n));
        hub.Orchestrator("Child", (TaskOrchestrationContext context, int n) => Task.FromResult(n));
        hub.Orchestrator("Changing", async (TaskOrchestrationContext context, int n) =>
        {
            if (change == "a result that it cannot read")
            {
                await context.CallActivityAsync<int>("First", new Payload("a", n));
            }
            Task<Payload> begun = context.CallActivityAsync<Payload>(change == "other order" ? "Second" : "First", new Payload("a", n));
            if (change == "one more beside the first")
            {
                await context.CreateTimer(TimeSpan.FromMilliseconds(1), CancellationToken.None);
            }
            Payload first = await begun;
            object input = change switch
            {
                "less in an input" => new { first.Number },
                "more in an input" => new { first.Member, first.Number, Further = 1 },
                _ => first,
            };
            if (change == "other kind")
            {
                await context.CreateTimer(TimeSpan.FromMilliseconds(1), CancellationToken.None);
            }
            Payload second = await context.CallActivityAsync<Payload>(change == "other order" ? "First" : change == "other name" ? "Other" : "Second", input);
            await context.CreateTimer(TimeSpan.FromMilliseconds(change == "other wait" ? 5 : 1), CancellationToken.None);
            string child = change == "other id of the child" ? $"child-of-{context.InstanceId}" : "child";
            await context.CallSubOrchestratorAsync<int>(change == "other sub-orchestration" ? "Grandchild" : "Child", n, new SubOrchestrationOptions(instanceId: child));
            if (change != "one less at the end")
            {
                await context.WaitForExternalEvent<int>("go");
                await context.CallActivityAsync<Payload>("First", second);
            }
            if (change == "one more at the end")
            {
                await context.CallActivityAsync<Payload>("Other", second);
            }
            return change == "other result" ? 1 : (object)second;
        });
    }

    private static void Counting(TestHub hub, int last) => hub.Orchestrator("Counting", async (TaskOrchestrationContext context, Count count) =>
    {
        await context.CreateTimer(TimeSpan.FromMilliseconds(1), CancellationToken.None);
        if (count.Number < last)
        {
            context.ContinueAsNew(count with { Number = count.Number + 1 });
        }
        return count.Number;
    });

    private static void Retrying(TestHub hub, int attempts) => hub.Orchestrator("Retrying", async (TaskOrchestrationContext context, int n) =>
    {
        var retry = TaskOptions.FromRetryPolicy(new RetryPolicy(attempts, TimeSpan.FromMilliseconds(1)) { HandleFailure = failure => failure.IsCausedBy<IOException>() });
        n = await context.CallActivityAsync<int>("Flaky", n, retry);
        return await context.CallActivityAsync<int>("Broken", n, retry);
    });

    private sealed record Payload(string Member, int Number);

    private sealed record Count(int Number, string Payload);
}
