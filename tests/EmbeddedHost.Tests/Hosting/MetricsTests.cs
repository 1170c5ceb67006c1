using System.Diagnostics.Metrics;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace EmbeddedHost.Tests.Hosting;

/// <summary>What <c>GET /metrics</c> shows, read strictly.</summary>
public sealed class MetricsTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Metrics_OfTheHostItself_AreInTheFormatAndCountItsRequests()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Greeting)]);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal("hello", await app.Client.GetStringAsync("api/metered", Ct));
        }

        using HttpResponseMessage answer = await app.Client.GetAsync("metrics", Ct);
        Exposition read = Exposition.Parse(await answer.Content.ReadAsStringAsync(Ct));

        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        Assert.Equal("histogram", read.Types["http_server_request_duration_seconds"]);

        // A request is measured once its answer is sent.
        await Eventually.TrueAsync(
            async () => (await ReadAsync(app)).Sum("http_server_request_duration_seconds_count", "http_route=\"api/metered\"", "http_response_status_code=\"200\"") == 3,
            "three requests measured");
        Assert.True(read["dotnet_process_memory_working_set_bytes"] > 1 << 20);
        Assert.True(read.Sum("dotnet_process_cpu_time_seconds_total") > 0);
        Assert.Equal("gauge", read.Types["dotnet_assembly_count"]);
    }

    [Fact]
    public async Task Metrics_MetersNotNamed_AreNotShown()
    {
        using var named = new Meter("named");
        using var other = new Meter("other");
        await using TestApp app = await StartAsync("named");

        named.CreateCounter<int>("named.things").Add(1);
        other.CreateCounter<int>("other.things").Add(1);
        Exposition read = await ReadAsync(app);

        Assert.Equal(1, read["named_things_total"]);
        Assert.DoesNotContain(read.Series, series => series.StartsWith("other", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Metrics_EachKindOfInstrument_IsNamedAndTypedAsPrometheusHasIt()
    {
        using var meter = new Meter("kinds");
        await using TestApp app = await StartAsync("kinds");

        meter.CreateCounter<long>("k.requests", "{request}", "Requests.").Add(7, KeyValuePair.Create<string, object?>("http.route", "/a"));
        meter.CreateCounter<double>("k.time.total", "s").Add(1.5);
        meter.CreateUpDownCounter<int>("k.waiting", "{item}").Add(-2);
        meter.CreateGauge<float>("k.share", "1").Record(0.25f);
        meter.CreateGauge<double>("k.speed", "{token}/s").Record(double.PositiveInfinity);
        meter.CreateObservableCounter("k.sent", () => 12L, "By");
        meter.CreateObservableUpDownCounter("k.open", () => (short)3);
        meter.CreateObservableGauge("k.heat", () => new[] { new Measurement<decimal>(36.5m, KeyValuePair.Create<string, object?>("inside", true)) }, "Cel");
        Histogram<long> sizes = meter.CreateHistogram<long>("k.size", "By", advice: new() { HistogramBucketBoundaries = [10, 100] });
        sizes.Record(10);
        sizes.Record(11);
        sizes.Record(1000);
        Exposition read = await ReadAsync(app);

        Assert.Equal(7, read["k_requests_total{http_route=\"/a\"}"]);
        Assert.Equal("Requests.", read.Help["k_requests_total"]);
        Assert.Equal(1.5, read["k_time_seconds_total"]);
        Assert.Equal(-2, read["k_waiting"]);
        Assert.Equal(0.25, read["k_share_ratio"]);
        Assert.Equal(double.PositiveInfinity, read["k_speed_per_second"]);
        Assert.Equal(12, read["k_sent_bytes_total"]);
        Assert.Equal(3, read["k_open"]);
        Assert.Equal(36.5, read["k_heat_celsius{inside=\"true\"}"]);
        Assert.Equal(1, read["k_size_bytes_bucket{le=\"10\"}"]);
        Assert.Equal(2, read["k_size_bytes_bucket{le=\"100\"}"]);
        Assert.Equal(3, read["k_size_bytes_bucket{le=\"+Inf\"}"]);
        Assert.Equal(1021, read["k_size_bytes_sum"]);
        Assert.Equal(
            ["counter", "counter", "gauge", "gauge", "gauge", "counter", "gauge", "gauge", "histogram"],
            ((string[])["k_requests_total", "k_time_seconds_total", "k_waiting", "k_share_ratio", "k_speed_per_second", "k_sent_bytes_total", "k_open", "k_heat_celsius", "k_size_bytes"]).Select(name => read.Types[name]));
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("a \"quoted\" word")]
    [InlineData("back\\slash\\")]
    [InlineData("two\nlines")]
    [InlineData("\\n is not a line feed")]
    [InlineData("{a=\"b\"} 1")]
    [InlineData("Grüße, 世界 🙂")]
    public async Task Metrics_AnyTextInLabelsAndDescriptions_ComesBackWhole(string text)
    {
        using var meter = new Meter("texts");
        await using TestApp app = await StartAsync("texts");

        meter.CreateCounter<int>("t.count", null, text).Add(1, KeyValuePair.Create<string, object?>("text", text));
        Exposition read = await ReadAsync(app);

        Assert.Equal(1, read[$"t_count_total{{text=\"{text}\"}}"]);
        Assert.Equal(text, read.Help["t_count_total"]);
    }

    [Fact]
    public async Task Metrics_MeasuredFromManyThreads_ComeToTheKnownCounts()
    {
        const int Threads = 8, Each = 20_000;
        using var meter = new Meter("threads");
        await using TestApp app = await StartAsync("threads");
        Counter<long> counter = meter.CreateCounter<long>("c.things");
        Histogram<double> histogram = meter.CreateHistogram("c.took", "s", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [1, 2, 3] });
        UpDownCounter<long> open = meter.CreateUpDownCounter<long>("c.open");

        // Every scrape from amidst is whole as well: the reader checks that buckets add up.
        using var measured = new CancellationTokenSource();
        Task<int> scraping = Task.Run(async () =>
        {
            int scrapes = 0;
            do
            {
                await ReadAsync(app);
                scrapes++;
            }
            while (!measured.IsCancellationRequested);
            return scrapes;
        });
        var measuring = new Thread[Threads];
        for (int t = 0; t < Threads; t++)
        {
            int thread = t;
            measuring[t] = new Thread(() =>
            {
                for (int i = 0; i < Each; i++)
                {
                    open.Add(1);
                    KeyValuePair<string, object?> a = new("a", i % 4), b = new("b", thread % 2 == 0);

                    // Attributes in either order are the same attributes.
                    if (i % 2 == 0)
                    {
                        counter.Add(2, a, b);
                    }
                    else
                    {
                        counter.Add(2, b, a);
                    }

                    histogram.Record(i % 4 + 0.5);
                    open.Add(-1);
                }
            });
            measuring[t].Start();
        }

        foreach (Thread thread in measuring)
        {
            thread.Join();
        }

        await measured.CancelAsync();
        Assert.True(await scraping > 0);
        Exposition read = await ReadAsync(app);
        Assert.Equal(2 * Threads * Each, read.Sum("c_things_total"));
        Assert.Equal(8, read.Series.Count(series => series.StartsWith("c_things_total", StringComparison.Ordinal)));
        Assert.Equal(2 * Each / 4 * (Threads / 2), read["c_things_total{a=\"3\",b=\"true\"}"]);
        Assert.Equal(Threads * Each, read["c_took_seconds_count"]);
        Assert.Equal(Threads * Each / 4, read["c_took_seconds_bucket{le=\"1\"}"]);
        Assert.Equal(Threads * Each * 3 / 4, read["c_took_seconds_bucket{le=\"3\"}"]);
        Assert.Equal(Threads * Each * 2.0, read["c_took_seconds_sum"]);
        Assert.Equal(0, read["c_open"]);
    }

    [Fact]
    public async Task Metrics_AttributesWithoutEnd_AreCountedTogetherBeyondTheLimit()
    {
        using var meter = new Meter("endless");
        await using TestApp app = await StartAsync("endless");
        Counter<long> counter = meter.CreateCounter<long>("e.things");

        for (int i = 0; i < MetricFamily.MaxSeries + 500; i++)
        {
            counter.Add(1, KeyValuePair.Create<string, object?>("i", i));
        }

        Exposition read = await ReadAsync(app);
        Assert.Equal(500, read["e_things_total{otel_metric_overflow=\"true\"}"]);
        Assert.Equal(MetricFamily.MaxSeries + 500, read.Sum("e_things_total"));
    }

    [Fact]
    public async Task Metrics_ObservedNoLonger_AreNoLongerShown()
    {
        using var meter = new Meter("gone");
        await using TestApp app = await StartAsync("gone");
        string[] there = ["a", "b"];
        meter.CreateObservableGauge("g.there", () => there.Select(name => new Measurement<int>(1, KeyValuePair.Create<string, object?>("name", name))));

        Assert.Equal(2, (await ReadAsync(app)).Sum("g_there"));
        there = ["b"];

        Exposition read = await ReadAsync(app);
        Assert.Equal("g_there{name=\"b\"}", Assert.Single(read.Series, series => series.StartsWith("g_there", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Metrics_AnInstrumentThatThrows_KeepsNoOtherFromBeingShown()
    {
        using var meter = new Meter("throws");
        await using TestApp app = await StartAsync("throws");
        meter.CreateObservableGauge("x.bad", (Func<int>)(() => throw new InvalidOperationException("broken")));
        meter.CreateObservableGauge("x.good", () => 5);

        Exposition read = await ReadAsync(app);

        Assert.Equal(5, read["x_good"]);
        Assert.Contains(app.Log.All, line => line.Contains("could not be asked", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Metrics_ASecondInstrumentOfOtherKindUnderOneName_IsLeftOutAndTold()
    {
        using var meter = new Meter("twice");
        await using TestApp app = await StartAsync("twice");
        meter.CreateGauge<int>("a.value").Record(1);
        meter.CreateHistogram<int>("a_value").Record(2);

        Exposition read = await ReadAsync(app);

        Assert.Equal(1, read["a_value"]);
        Assert.Contains(app.Log.All, line => line.Contains("is not exported", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Metrics_KeysRequired_NeedAHostKey()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Greeting)], args: ["--Host:RequireKeys"]);
        using JsonDocument keys = JsonDocument.Parse(await File.ReadAllTextAsync(app.Folder["keys/host.json"], Ct));
        string host = keys.RootElement.GetProperty("keys").GetProperty("default").GetString()!;
        string system = keys.RootElement.GetProperty("systemKeys").EnumerateObject().First().Value.GetString()!;

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(app, "metrics"));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(app, $"metrics?code={Uri.EscapeDataString(system)}"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(app, $"metrics?code={Uri.EscapeDataString(host)}"));
    }

    [Fact]
    public async Task Metrics_KeysRequiredAndMetricsAnonymous_NeedNone()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Greeting)], args: ["--Host:RequireKeys", "--Host:AnonymousMetrics"]);

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(app, "metrics"));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(app, "api/metered"));
    }

    [Fact]
    public async Task Metrics_WithoutKeys_AreNotForPagesOfOtherSites()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Greeting)]);
        using var request = new HttpRequestMessage(HttpMethod.Get, "metrics");
        request.Headers.Add("Origin", "https://evil.example.com");

        using HttpResponseMessage answer = await app.Client.SendAsync(request, Ct);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Fact]
    public async Task Metrics_AFunctionOfThatRoute_IsTheApps()
    {
        await using TestApp app = await TestApp.StartAsync(
            [typeof(OwnMetrics)], hostJson: """{ "version": "2.0", "extensions": { "http": { "routePrefix": "" } } }""");

        Assert.Equal("mine", await app.Client.GetStringAsync("metrics", Ct));
    }

    private static Task<TestApp> StartAsync(string meter) => TestApp.StartAsync([typeof(Greeting)], args: ["--Host:Meters", meter]);

    private static async Task<Exposition> ReadAsync(TestApp app) => Exposition.Parse(await app.Client.GetStringAsync("metrics", Ct));

    private static async Task<HttpStatusCode> StatusAsync(TestApp app, string path)
    {
        using HttpResponseMessage answer = await app.Client.GetAsync(path, Ct);
        return answer.StatusCode;
    }

    public sealed class Greeting
    {
        [Function("hello")]
        public IResult Hello([HttpTrigger(AuthorizationLevel.Function, "get", Route = "metered")] HttpRequest request) => Results.Text("hello");
    }

    public sealed class OwnMetrics
    {
        [Function("own")]
        public IResult Own([HttpTrigger(AuthorizationLevel.Function, "get", Route = "metrics")] HttpRequest request) => Results.Text("mine");
    }
}
