namespace Fuzz.Tests;

/// <summary>That the fuzzer finds what it is to find, and the same again.</summary>
public sealed class FuzzRunnerTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("ulmfit-fuzz-tests-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Run_TargetThatThrows_IsADefectWithAFileThatReplaysIt()
    {
        var target = new FuzzTarget("throws", 1, random => random.Bytes(20), input => input is [7, ..] ? throw new FormatException("seven") : input.Length > 5, _ => 1 << 20);

        FuzzReport report = Run(target, 5000);

        FuzzFailure failure = Assert.Single(report.Failures);
        Assert.Contains("FormatException", failure.Kind, StringComparison.Ordinal);
        TargetSummary summary = Assert.Single(report.Targets);
        Assert.Equal(5000, summary.Inputs);
        Assert.True(summary.Failed > 1 && summary.Accepted > 0 && summary.Refused > 0, report.ToString());
        byte[] kept = File.ReadAllBytes(failure.File);
        Assert.Equal(target.Make(new FuzzRandom(9, "throws", failure.Index)), kept);
        Assert.Throws<FormatException>(() => FuzzRunner.Try(target, kept));
        Assert.Contains("--replay", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_TargetThatTakesMoreMemoryThanItMay_IsADefect()
    {
        var target = new FuzzTarget("memory", 1, random => random.Bytes(20), input => new byte[input.Length > 10 ? 200_000 : 10].Length > 10, length => 100_000 + length);

        FuzzReport report = Run(target, 500);

        Assert.Contains("allocated", Assert.Single(report.Failures).Kind, StringComparison.Ordinal);
        Assert.True(report.Targets[0].MostBytes >= 200_000);
    }

    [Fact]
    public void Try_TargetThatMakesATableOnce_DoesNotCountItAsMemoryOfTheInput()
    {
        byte[]? table = null;
        var target = new FuzzTarget("table", 1, random => random.Bytes(20), input => (table ??= new byte[200_000]).Length > input.Length, _ => 100_000);

        Assert.True(FuzzRunner.Try(target, new byte[20]));
    }

    [Fact]
    public void Run_TargetThatHangs_IsADefectAndTheRunEnds()
    {
        using var never = new ManualResetEventSlim();
        var target = new FuzzTarget("hangs", 1, random => random.Bytes(20), input =>
        {
            if (input is [9, ..])
            {
                never.Wait();
            }

            return true;
        }, _ => 1 << 20);

        FuzzReport report = new FuzzRunner([target], new FuzzOptions { Seed = 9, Count = 100_000, Threads = 1, Failures = folder, Hang = TimeSpan.FromSeconds(1) }).Run();

        Assert.StartsWith("hang", Assert.Single(report.Failures).Kind, StringComparison.Ordinal);
        never.Set();
    }

    [Fact]
    public void Make_SameSeedTargetAndNumber_GivesTheSameInput()
    {
        foreach (FuzzTarget target in Targets.AllTargets.Readers)
        {
            for (int index = 0; index < 20; index++)
            {
                Assert.Equal(target.Make(new FuzzRandom(3, target.Name, index)), target.Make(new FuzzRandom(3, target.Name, index)));
            }

            Assert.NotEqual(
                Enumerable.Range(0, 20).Select(index => Convert.ToHexString(target.Make(new FuzzRandom(3, target.Name, index)))),
                Enumerable.Range(0, 20).Select(index => Convert.ToHexString(target.Make(new FuzzRandom(4, target.Name, index)))));
        }
    }

    [Fact]
    public void Run_Again_CountsTheSameWhateverTheThreads()
    {
        FuzzTarget[] targets = [.. Targets.AllTargets.Readers.Where(target => target.Name is "names" or "settings")];

        long[][] counts = [.. new[] { 1, 3 }.Select(threads =>
            new FuzzRunner(targets, new FuzzOptions { Seed = 5, Count = 2000, Threads = threads, Failures = folder }).Run().Targets.SelectMany(t => new[] { t.Inputs, t.Accepted, t.Failed }).ToArray())];

        Assert.Equal(counts[0], counts[1]);
    }

    private FuzzReport Run(FuzzTarget target, long count) => new FuzzRunner([target], new FuzzOptions { Seed = 9, Count = count, Threads = 2, Failures = folder }).Run();
}
