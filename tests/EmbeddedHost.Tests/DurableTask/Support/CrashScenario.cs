using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace EmbeddedHost.Tests.DurableTask;

/// <summary>
/// Orchestrations that use every kind of message there is, and whose result tells whether one was lost or came twice: rounds of
/// sub-orchestrations, continued as new, each calling activities and telling a collector its number.
/// </summary>
internal static class CrashScenario
{
    public const string MainId = "main";
    public const string CollectorId = "collector";
    public const int Rounds = 6;
    public const int Legs = 5;
    private const int EventsBeforeContinuing = 7;

    public static int ExpectedSum => Enumerable.Range(0, Rounds * Legs).Sum(n => 2 * n);

    /// <summary>How many activity executions an undisturbed run makes.</summary>
    public static int Activities => Rounds * Legs * 2;

    public static void Register(TestHub hub, Action<int> executed)
    {
        hub.Activity("Work", (int n) =>
        {
            executed(n);
            return n;
        });
        hub.Orchestrator("Leg", async (TaskOrchestrationContext context, int n) =>
        {
            int first = await context.CallActivityAsync<int>("Work", n);
            await context.CreateTimer(TimeSpan.FromMilliseconds(1), CancellationToken.None);
            context.SendEvent(CollectorId, "number", n);
            int second = await context.CallActivityAsync<int>("Work", n);
            return first + second;
        });
        hub.Orchestrator("Main", async (TaskOrchestrationContext context, Progress progress) =>
        {
            int[] sums = await Task.WhenAll(Enumerable.Range(0, Legs).Select(leg =>
                context.CallSubOrchestratorAsync<int>("Leg", (progress.Round * Legs) + leg)));
            Progress next = new(progress.Round + 1, progress.Sum + sums.Sum());
            if (next.Round < Rounds)
            {
                context.ContinueAsNew(next);
            }
            else
            {
                context.SendEvent(CollectorId, "number", -1);
            }

            return next.Sum;
        });
        hub.Orchestrator("Collector", async (TaskOrchestrationContext context, List<int> numbers) =>
        {
            for (int i = 0; i < EventsBeforeContinuing; i++)
            {
                int number = await context.WaitForExternalEvent<int>("number");
                if (number < 0)
                {
                    return numbers;
                }

                numbers.Add(number);
            }

            context.ContinueAsNew(numbers);
            return numbers;
        });
    }

    /// <summary>Schedules what is not there yet, as an application does at every start.</summary>
    public static async Task BeginAsync(DurableTaskClient client)
    {
        if (await client.GetInstanceAsync(CollectorId, TestHub.Cancellation) is null)
        {
            await client.ScheduleNewOrchestrationInstanceAsync(
                "Collector", new List<int>(), new StartOrchestrationOptions(CollectorId), TestHub.Cancellation);
        }

        if (await client.GetInstanceAsync(MainId, TestHub.Cancellation) is null)
        {
            await client.ScheduleNewOrchestrationInstanceAsync(
                "Main", new Progress(0, 0), new StartOrchestrationOptions(MainId), TestHub.Cancellation);
        }
    }

    public static async Task AssertUndisturbedAsync(TestHub hub)
    {
        OrchestrationMetadata main = await hub.CompletedAsync(MainId);
        OrchestrationMetadata collector = await hub.CompletedAsync(CollectorId);
        Assert.Equal(OrchestrationRuntimeStatus.Completed, main.RuntimeStatus);
        Assert.Equal(ExpectedSum, main.ReadOutputAs<int>());
        Assert.Equal(Enumerable.Range(0, Rounds * Legs), collector.ReadOutputAs<List<int>>()!.Order());
    }

    public sealed record Progress(int Round, int Sum);
}
