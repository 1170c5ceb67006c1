using Ulmfit.Functions.Tests.Support;
using Ulmfit.Reliability.Load;

namespace Ulmfit.Functions.Tests;

/// <summary>A few seconds of the load test; the whole of it is a command (docs/reliability.md).</summary>
public sealed class LoadTests
{
    [Fact]
    public async Task Classify_UnderLoadWithATrainingAndAPromotion_AnswersEveryRequestAsItsVersionDoesAlone()
    {
        using var folder = new TemporaryFolder();
        // Long enough for a step of training to end where every processor is busy.
        var options = new LoadOptions { Clients = 16, Requests = 2000, Duration = TimeSpan.FromSeconds(15), Promotions = 1, Threads = 2, BackgroundRows = 600, Questions = 40 };
        ITestOutputHelper? output = TestContext.Current.TestOutputHelper;

        LoadReport report = await new LoadTest(options, line => output?.WriteLine(line)).RunAsync(folder.Path, TestContext.Current.CancellationToken);

        Assert.True(report.Violations(options).Count == 0, string.Join('\n', [.. report.Violations(options), .. report.Lines()]));
    }
}
