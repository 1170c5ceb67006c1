using System.Text.Json;
using ServingBenchmark;
using Ulmfit.Functions.Tests.Support;
using Ulmfit.Onnx;
using Ulmfit.Training;

namespace Ulmfit.Functions.Tests;

/// <summary>A moment of the load test; its figures come from the command (docs/performance.md).</summary>
public sealed class ServingBenchmarkTests
{
    [Fact]
    public async Task Run_TinyModel_MeasuresEachOfWhatWasAsked()
    {
        using var folder = new TemporaryFolder();
        var model = new BenchmarkModel(NetworkSize.Tiny, Backward: true, OnnxPrecision.Float32);
        BenchmarkModel forward = model with { Backward = false, Precision = OnnxPrecision.Int8 };
        var options = new ServingOptions
        {
            Models = [model, forward], Overheads = [forward], ColdStarts = [model], Tokens = [8, 20], Clients = [1, 4],
            HostWarmUpSeconds = 0.2, Runs = 1, Seconds = 0.2, AtLeast = 5, Texts = 5, Starts = 1, OverheadRequests = 20,
        };
        ITestOutputHelper? output = TestContext.Current.TestOutputHelper;

        ServingReport report = await new Measurement(options, line => output?.WriteLine(line)).RunAsync(folder.Path, TestContext.Current.CancellationToken);

        Assert.Empty(report.Problems);
        Assert.Equal([(8, 1), (8, 4), (20, 1), (20, 4)], report.Load.Where(measure => measure.Model == model).Select(measure => (measure.Tokens, measure.Clients)));
        Assert.Equal(4, report.Load.Count(measure => measure.Model == forward));
        Assert.All(report.Load, measure =>
        {
            Assert.Equal(1, measure.Runs);
            Assert.InRange(measure.Requests, options.AtLeast, int.MaxValue);
            Assert.InRange(measure.RequestsPerSecond, double.Epsilon, double.MaxValue);
            Assert.InRange(measure.P50, double.Epsilon, measure.P95);
            Assert.InRange(measure.P95, measure.P50, measure.P99);
        });
        Assert.Equal([8, 20], report.Overheads.Select(measure => measure.Tokens));
        Assert.All(report.Overheads, measure => Assert.InRange(measure.Computation, double.Epsilon, double.MaxValue));
        ColdStartMeasure start = Assert.Single(report.ColdStarts);
        Assert.InRange(start.AnswersAfter, start.ListensAfter, start.Slowest);

        string tables = MarkdownReport.Of(report);
        Assert.Contains("| 8 | 4 | ", tables, StringComparison.Ordinal);
        Assert.Contains(" | 248 | ", tables, StringComparison.Ordinal);
        using JsonDocument json = JsonDocument.Parse(ServingCommand.ToJson(report));
        Assert.Equal(8, json.RootElement.GetProperty("load").GetArrayLength());
        Assert.Equal("tiny", json.RootElement.GetProperty("load")[0].GetProperty("model").GetProperty("size").GetString());
    }

    [Theory]
    [InlineData(true, 8, 32, 496, true)]
    [InlineData(true, 8, 32, 495, false)]
    [InlineData(true, 64, 32, 97, true)]
    [InlineData(true, 64, 32, 96, false)]
    [InlineData(false, 512, 32, 24, true)]
    [InlineData(false, 512, 32, 23, false)]
    public void Bars_OfManyClients_HoldRequestsAgainstWhatOthersHavePublished(bool backward, int tokens, int clients, double requestsPerSecond, bool holds)
    {
        LoadMeasure measure = Measured(new BenchmarkModel(NetworkSize.EnSmall, backward, OnnxPrecision.Int8), tokens, clients, requestsPerSecond, p99: 100);
        Assert.Equal(holds, Assert.Single(Report([measure]).Bars).Holds);
    }

    [Theory]
    [InlineData(3, true)]
    [InlineData(3.01, false)]
    [InlineData(double.NaN, false)]
    public void Bars_OfOneClient_HoldTheSlowestAgainstTheMedian(double p99, bool holds)
    {
        LoadMeasure measure = Measured(new BenchmarkModel(NetworkSize.EnSmall, Backward: true, OnnxPrecision.Int8), 8, 1, 1, p99);
        Assert.Equal(holds, Assert.Single(Report([measure]).Bars).Holds);
    }

    [Fact]
    public void Bars_OfWhatIsAddedAndOfTheStart_HoldForTheModelsThatTheyAreOf()
    {
        var forward = new BenchmarkModel(NetworkSize.EnSmall, Backward: false, OnnxPrecision.Int8);
        BenchmarkModel large = new(NetworkSize.Base, Backward: true, OnnxPrecision.Int8), exact = large with { Precision = OnnxPrecision.Float32 };
        ServingReport report = Report([Measured(large, 8, 32, 1, 9)]) with
        {
            Overheads = [new OverheadMeasure(forward, 8, 1, 0.75), new OverheadMeasure(forward, 64, 1, 0.72), new OverheadMeasure(forward, 128, 9, 1), new OverheadMeasure(large, 8, 1, 0.5)],
            ColdStarts = [new ColdStartMeasure(large, 1, 1, 1500, 2000), new ColdStartMeasure(large, 1, 1, 1501, 1501), new ColdStartMeasure(forward, 1, 1, 9999, 9999), new ColdStartMeasure(exact, 1, 1, 9999, 9999)],
        };

        Assert.Equal([true, true, false, false, true, false, false], report.Bars.Select(bar => bar.Holds));
        Assert.Equal(4, MarkdownReport.Of(report).Split("**no**").Length - 1);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(64)]
    [InlineData(128)]
    [InlineData(256)]
    [InlineData(512)]
    public void Make_OfAnyLength_GivesDifferentTextsOfExactlySoManyTokens(int tokens)
    {
        var texts = new TextsOfLength(PretrainedLibrary.Shipped.Open(PretrainedLibrary.English).Vocabulary);

        IReadOnlyList<string> made = texts.Make(tokens, 20);

        Assert.All(made, text => Assert.Equal(tokens, texts.Count(text)));
        Assert.Equal(tokens == 1 ? 1 : 20, made.Distinct().Count());
    }

    [Fact]
    public void Median_OfNumbersInAnyOrder_IsTheMiddleOne()
    {
        Assert.Equal(3, Percentiles.Median([9, 3, 1]));
        Assert.Equal(2, Percentiles.Median([9, 3, 1, 0]));
        Assert.Equal(99, Percentiles.Of([.. Enumerable.Range(1, 100).Select(i => (double)i)], 0.99));
        Assert.Equal(7, Percentiles.Of([7], 0.99));
    }

    private static LoadMeasure Measured(BenchmarkModel model, int tokens, int clients, double requestsPerSecond, double p99) => new()
    {
        Model = model, Training = false, Tokens = tokens, Clients = clients, Runs = 1, RequestsPerSecond = requestsPerSecond, P50 = 1, P95 = 2, P99 = p99, Requests = 1, Refused = 0, Different = 0, Problem = null,
    };

    private static ServingReport Report(IReadOnlyList<LoadMeasure> load) => new()
    {
        Machine = new MachineDescription("any", 4, "any", "any", "any"), HostCores = null, ClientCores = null, Runs = 1, Seconds = 1, Load = load, Overheads = [], ColdStarts = [],
    };
}
