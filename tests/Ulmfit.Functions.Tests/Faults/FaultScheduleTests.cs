using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Ulmfit.Cpu;

namespace Ulmfit.Functions.Tests.Faults;

/// <summary>
/// Storage that fails in every way a store can, on thousands of seeded schedules. <c>ULMFIT_FAULT_SCHEDULES</c> says how many (40
/// unless given), <c>ULMFIT_FAULT_SEED</c> with which seed they begin: a violation names its seed, and with a count of 1 it is replayed.
/// </summary>
public sealed class FaultScheduleTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pipeline_StoreThatFailsLosesAnswersAndListsThePast_PublishesTheSameWeightsOnceAndLosesNothing()
    {
        int first = Setting("ULMFIT_FAULT_SEED", 1);
        int count = Setting("ULMFIT_FAULT_SCHEDULES", Environment.GetEnvironmentVariable("ULMFIT_FAULT_SEED") is null ? 40 : 1);
        long began = Stopwatch.GetTimestamp();
        using var engine = new CpuTrainingEngine(1);
        var undisturbed = new Dictionary<(bool Both, bool Two), HashSet<string>>();
        foreach (bool both in (bool[])[false, true])
        {
            // The second drop comes in before the first is looked at, or after all is done.
            undisturbed[(both, false)] = [await RunAsync(FaultPlan.Undisturbed(both, null), engine)];
            undisturbed[(both, true)] = [await RunAsync(FaultPlan.Undisturbed(both, 0), engine), await RunAsync(FaultPlan.Undisturbed(both, 100_000), engine)];
            Assert.Equal(2, undisturbed[(both, true)].Count);
        }

        var violations = new ConcurrentQueue<string>();
        long calls = 0, faults = 0;
        await Parallel.ForEachAsync(
            Enumerable.Range(first, count),
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = Ct },
            async (seed, ct) =>
            {
                var plan = new FaultPlan(seed);
                using var schedule = new FaultSchedule(plan, engine);
                try
                {
                    string outcome = await schedule.RunAsync(ct);
                    if (!undisturbed[(plan.BothDirections, plan.SecondDropAfter is not null)].Contains(outcome))
                    {
                        violations.Enqueue($"The fault schedule of seed {seed} ends otherwise than undisturbed:\n{outcome}");
                    }
                }
                catch (ScheduleViolationException e)
                {
                    violations.Enqueue(e.Message);
                }
                Interlocked.Add(ref calls, schedule.Calls);
                Interlocked.Add(ref faults, schedule.Faults);
            });

        string summary = string.Create(
            CultureInfo.InvariantCulture,
            $"{count} fault schedules from seed {first}: {violations.Count} violations, {faults} faults in {calls} calls of the store, {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s.");
        TestContext.Current.SendDiagnosticMessage(summary);
        TestContext.Current.TestOutputHelper!.WriteLine(summary);
        Assert.True(violations.IsEmpty, $"{summary}\n{string.Join("\n\n", violations.Take(5))}");
        Assert.True(faults > count, summary);
    }

    private static async Task<string> RunAsync(FaultPlan plan, CpuTrainingEngine engine)
    {
        using var schedule = new FaultSchedule(plan, engine);
        return await schedule.RunAsync(Ct);
    }

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
