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
        var options = new ServingOptions
        {
            Models = [model, model with { Backward = false, Precision = OnnxPrecision.Int8 }], ColdStarts = [model], Tokens = [8, 20], Clients = [1, 4],
            HostWarmUpSeconds = 0.2, Runs = 1, Seconds = 0.2, AtLeast = 5, Texts = 5, Starts = 1, OverheadRequests = 20,
        };
        ITestOutputHelper? output = TestContext.Current.TestOutputHelper;

        ServingReport report = await new Measurement(options, line => output?.WriteLine(line)).RunAsync(folder.Path, TestContext.Current.CancellationToken);

        Assert.Empty(report.Problems);
        Assert.Equal([(8, 1), (8, 4), (20, 1), (20, 4)], report.Load.Where(measure => measure.Model == model).Select(measure => (measure.Tokens, measure.Clients)));
        Assert.Equal(4, report.Load.Count(measure => measure.Model == options.Models[1]));
        Assert.All(report.Load, measure =>
        {
            Assert.InRange(measure.Requests, options.AtLeast, int.MaxValue);
            Assert.InRange(measure.RequestsPerSecond, double.Epsilon, double.MaxValue);
            Assert.InRange(measure.P50, double.Epsilon, measure.P95);
            Assert.InRange(measure.P95, measure.P50, measure.P99);
        });
        Assert.Equal([8, 20, 8, 20], report.Overheads.Select(measure => measure.Tokens));
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
}
