using Fuzz.Targets;

namespace Fuzz.Tests;

/// <summary>A sample of what <c>dotnet run --project tests/Fuzz</c> does for longer: some hundred thousand inputs, always the same ones.</summary>
public sealed class SampleTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("ulmfit-fuzz-tests-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Readers_AHundredThousandInputs_RefuseAsDocumentedOrKeepTheirPromises()
    {
        FuzzReport report = new FuzzRunner(AllTargets.Readers, Options(100_000)).Run();

        TestContext.Current.TestOutputHelper!.WriteLine(report.ToString());
        Assert.True(report.Failures.Count == 0, report.ToString());
        Assert.True(report.Inputs >= 100_000);
        Assert.All(report.Targets, target => Assert.True(target.Accepted > 0, $"No input of {target.Target} was taken: nothing behind its first check was tried."));
        Assert.All(report.Targets, target => Assert.True(target.Refused > 0 || target.Target == "text", $"No input of {target.Target} was refused."));
    }

    [Fact]
    public async Task FunctionApp_ThreeThousandRequests_AnswersAllAndPublishesNothing()
    {
        await using HttpTarget http = await HttpTarget.StartAsync();

        FuzzReport report = new FuzzRunner([http.Target], Options(3000)).Run();

        string after = await http.FinishAsync();
        TestContext.Current.TestOutputHelper!.WriteLine($"{report}\n{after}");
        Assert.True(report.Failures.Count == 0, report.ToString());
        Assert.True(http.IsWell, after);
        Assert.True(report.Targets[0].Accepted > 300, report.ToString());
    }

    private FuzzOptions Options(long count) => new() { Seed = 1, Count = count, Threads = 2, Failures = folder, Hang = TimeSpan.FromMinutes(2) };
}
