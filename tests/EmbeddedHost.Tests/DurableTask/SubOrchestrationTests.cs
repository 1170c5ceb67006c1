using DurableTask.Core.Exceptions;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace EmbeddedHost.Tests.DurableTask;

public sealed class SubOrchestrationTests
{
    [Fact]
    public async Task CallSubOrchestrator_TellsItsParentAndReturnsItsResult()
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Child", (TaskOrchestrationContext context, int n) =>
            Task.FromResult($"{n} {context.Parent?.Name} {context.Parent?.InstanceId}"));
        hub.Orchestrator("Parent", async context =>
            new[] { await context.CallSubOrchestratorAsync<string>("Child", 7), context.Parent?.InstanceId ?? "none" });
        await hub.StartAsync();

        OrchestrationMetadata done = await hub.RunAsync("Parent");

        Assert.Equal([$"7 Parent {done.InstanceId}", "none"], done.ReadOutputAs<string[]>()!);
    }

    [Fact]
    public async Task CallSubOrchestrator_InParallel_AllReturn()
    {
        await using var hub = new TestHub();
        hub.Activity("Work", (int n) => n);
        hub.Orchestrator("Child", (TaskOrchestrationContext context, int n) => context.CallActivityAsync<int>("Work", n));
        hub.Orchestrator("Parent", async context =>
            (await Task.WhenAll(Enumerable.Range(0, 40).Select(n => context.CallSubOrchestratorAsync<int>("Child", n)))).Sum());
        DurableTaskClient client = await hub.StartAsync();

        OrchestrationMetadata done = await hub.RunAsync("Parent");

        Assert.Equal(780, done.ReadOutputAs<int>());
        Assert.Equal(41, await client.GetAllInstancesAsync().CountAsync(TestHub.Cancellation));
    }

    [Fact]
    public async Task CallSubOrchestrator_WithAnInstanceId_HasIt()
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Child", context => Task.FromResult(context.InstanceId));
        hub.Orchestrator("Parent", context => context.CallSubOrchestratorAsync<string>(
            "Child", new SubOrchestrationOptions(instanceId: "the-child")));
        DurableTaskClient client = await hub.StartAsync();

        Assert.Equal("the-child", (await hub.RunAsync("Parent")).ReadOutputAs<string>());
        Assert.Equal("Child", (await client.GetInstanceAsync("the-child", TestHub.Cancellation))!.Name);
    }

    [Fact]
    public async Task CallSubOrchestrator_ThatFails_ThrowsTaskFailedException()
    {
        await using var hub = new TestHub();
        hub.Activity("Break", new Func<int, int>(_ => throw new FormatException("bad")));
        hub.Orchestrator("Child", context => context.CallActivityAsync<int>("Break", 1));
        hub.Orchestrator("Parent", context => context.CallSubOrchestratorAsync<int>("Child"));
        await hub.StartAsync();

        TaskFailureDetails failure = (await hub.RunAsync("Parent")).FailureDetails!;

        Assert.Equal(
            "Task 'Child' (#0) failed with an unhandled exception: Task 'Break' (#0) failed with an unhandled exception: bad",
            failure.ErrorMessage);
        Assert.Equal(typeof(TaskFailedException).FullName, failure.InnerFailure!.ErrorType);
        Assert.Equal(typeof(FormatException).FullName, failure.InnerFailure.InnerFailure!.ErrorType);
    }

    [Fact]
    public async Task CallSubOrchestrator_ThatDoesNotExist_Fails()
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Parent", context => context.CallSubOrchestratorAsync<int>("Unknown"));
        await hub.StartAsync();

        Assert.Contains(
            "The function 'Unknown' doesn't exist", (await hub.RunAsync("Parent")).FailureDetails!.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CallSubOrchestrator_WhoseIdIsRunning_Fails()
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Child", context => context.WaitForExternalEvent<int>("go"));
        hub.Orchestrator("Parent", context => context.CallSubOrchestratorAsync<int>(
            "Child", new SubOrchestrationOptions(instanceId: "taken")));
        DurableTaskClient client = await hub.StartAsync();
        await client.ScheduleNewOrchestrationInstanceAsync("Child", new StartOrchestrationOptions("taken"), TestHub.Cancellation);

        OrchestrationMetadata done = await hub.RunAsync("Parent");

        Assert.True(done.FailureDetails!.InnerFailure!.IsCausedBy<OrchestrationAlreadyExistsException>());
    }

    [Fact]
    public async Task Terminate_AParent_LeavesItsChildRunningUnlessRecursive()
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Child", context => context.WaitForExternalEvent<int>("go"));
        hub.Orchestrator("Parent", (TaskOrchestrationContext context, string child) =>
            context.CallSubOrchestratorAsync<int>("Child", new SubOrchestrationOptions(instanceId: child)));
        DurableTaskClient client = await hub.StartAsync();
        string first = await client.ScheduleNewOrchestrationInstanceAsync("Parent", "one", TestHub.Cancellation);
        string second = await client.ScheduleNewOrchestrationInstanceAsync("Parent", "two", TestHub.Cancellation);
        await client.WaitForInstanceStartAsync("one", TestHub.Cancellation);
        await client.WaitForInstanceStartAsync("two", TestHub.Cancellation);

        await client.TerminateInstanceAsync(first, (object)"enough", TestHub.Cancellation);
        await client.TerminateInstanceAsync(second, new TerminateInstanceOptions("enough", Recursive: true), TestHub.Cancellation);
        await hub.CompletedAsync(first);
        await hub.CompletedAsync(second);
        await hub.CompletedAsync("two");

        Assert.Equal(OrchestrationRuntimeStatus.Running, (await client.GetInstanceAsync("one", TestHub.Cancellation))!.RuntimeStatus);
        await client.RaiseEventAsync("one", "go", 1, TestHub.Cancellation);
        Assert.Equal(OrchestrationRuntimeStatus.Completed, (await hub.CompletedAsync("one")).RuntimeStatus);
    }

    [Fact]
    public async Task Terminate_AChild_FailsTheParentsTask()
    {
        await using var hub = new TestHub();
        hub.Orchestrator("Child", context => context.WaitForExternalEvent<int>("go"));
        hub.Orchestrator("Parent", async context =>
        {
            TaskFailedException failed = await Assert.ThrowsAsync<TaskFailedException>(() =>
                context.CallSubOrchestratorAsync<int>("Child", new SubOrchestrationOptions(instanceId: "child")));
            return failed.TaskName;
        });
        DurableTaskClient client = await hub.StartAsync();
        string id = await client.ScheduleNewOrchestrationInstanceAsync("Parent", TestHub.Cancellation);
        await client.WaitForInstanceStartAsync("child", TestHub.Cancellation);

        await client.TerminateInstanceAsync("child", TestHub.Cancellation);

        Assert.Equal("Child", (await hub.CompletedAsync(id)).ReadOutputAs<string>());
    }
}
