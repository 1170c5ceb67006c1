using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using EmbeddedHost.Tests.Hosting;
using ServingBenchmark;
using Ulmfit.Functions.Tests.Support;
using Ulmfit.Onnx;
using Ulmfit.Pipeline;
using Ulmfit.Pipeline.Tests.Support;
using Ulmfit.Storage;
using Wait = Ulmfit.Functions.Tests.Support.Wait;

namespace Ulmfit.Functions.Tests;

/// <summary>A host over a model that is published already.</summary>
public sealed class ServingTests : IDisposable
{
    private const string Classify = "api/models/tiny-forward-float32/classify";
    private const string ClassifySlowly = "api/models/en-small-forward-float32/classify";
    private static readonly BenchmarkModel Model = new(NetworkSize.Tiny, Backward: false, OnnxPrecision.Float32);
    private static readonly BenchmarkModel SlowModel = Model with { Size = NetworkSize.EnSmall };

    private readonly TemporaryFolder folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Ready_WhileAChampionIsLoaded_IsNotYet()
    {
        await new ModelPublisher(folder.Path).PublishAsync(Model, Ct);
        var store = new HeldStore(new FolderBlobStore(folder.Path));
        store.Hold(Containers.Models, "tiny-forward-float32/1/model.onnx");
        await using InProcessHost host = await InProcessHost.StartAsync(folder.Path, store, isOwnFolder: true);

        using HttpResponseMessage early = await host.Http.GetAsync(new Uri("api/health/ready", UriKind.Relative), Ct);
        await Problem.ReadAsync(early, HttpStatusCode.ServiceUnavailable, "not-ready");
        Assert.Equal(1, store.Waiting);
        using HttpResponseMessage live = await host.Http.GetAsync(new Uri("api/health/live", UriKind.Relative), Ct);
        Assert.Equal(HttpStatusCode.OK, live.StatusCode);

        store.LetGo();
        await Wait.UntilAsync(
            async () =>
            {
                using HttpResponseMessage ready = await host.Http.GetAsync(new Uri("api/health/ready", UriKind.Relative), Ct);
                return ready.StatusCode == HttpStatusCode.OK;
            },
            "the host is ready");
    }

    [Fact]
    public async Task Ready_ChampionThatCannotBeLoaded_IsReadyForTheOthers()
    {
        await new ModelPublisher(folder.Path).PublishAsync(Model, Ct);
        string file = Path.Combine(folder.Path, Containers.Models, "tiny-forward-float32", "1", "vocabulary.json");
        await File.AppendAllTextAsync(file, " ", Ct);
        await using HostProcess host = await HostProcess.StartAsync(folder.Path);

        await Wait.UntilAsync(
            async () =>
            {
                using HttpResponseMessage ready = await host.GetAsync("api/health/ready");
                return ready.StatusCode == HttpStatusCode.OK;
            },
            "the host is ready");
        using HttpResponseMessage damaged = await host.PostAsync(Classify, """{"inputs": "a"}""");
        await Problem.ReadAsync(damaged, HttpStatusCode.ServiceUnavailable, "damaged");
    }

    [Fact]
    public async Task Classify_CallerThatGoesAway_EndsTheComputation()
    {
        await new ModelPublisher(folder.Path).PublishAsync(SlowModel, Ct);
        await using HostProcess host = await HostProcess.StartAsync(folder.Path);
        using HttpResponseMessage first = await host.PostAsync(ClassifySlowly, """{"inputs": "a"}""");
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);

        using (TcpClient caller = await BeginLongAsync(host))
        {
            Assert.Equal(1, (await host.GetMetricsAsync())["ulmfit_classify_active_requests"]);
        }

        await Wait.UntilAsync(async () => (await host.GetMetricsAsync()).Sum("ulmfit_classify_requests_total", "ulmfit_outcome=\"canceled\"") == 1, "the computation has ended");
        Exposition metrics = await host.GetMetricsAsync();
        Assert.Equal(0, metrics["ulmfit_classify_active_requests"]);
        Assert.Equal(1, metrics.Sum("ulmfit_classify_requests_total", "ulmfit_outcome=\"answered\""));
    }

    [Fact]
    public async Task Classify_AsMuchWaitsAsMay_Is429WithRetryAfterUntilThereIsRoom()
    {
        await new ModelPublisher(folder.Path).PublishAsync(SlowModel, Ct);
        await using HostProcess host = await HostProcess.StartAsync(folder.Path, "--Limits:ClassifyQueuedTexts", "1");
        using (TcpClient caller = await BeginLongAsync(host))
        {
            using HttpResponseMessage refused = await host.PostAsync(ClassifySlowly, """{"inputs": "a"}""");
            await Problem.ReadAsync(refused, HttpStatusCode.TooManyRequests, "too-many-requests");
            Assert.InRange(refused.Headers.RetryAfter?.Delta ?? TimeSpan.Zero, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        }

        await Wait.UntilAsync(
            async () =>
            {
                using HttpResponseMessage answer = await host.PostAsync(ClassifySlowly, """{"inputs": "a"}""");
                return answer.StatusCode == HttpStatusCode.OK;
            },
            "there is room again");
    }

    // A request of more than a million tokens that is being computed, of a caller that does not wait for its answer. The tiny model would
    // be done with it in less time than it can take a busy machine to see that it is there.
    private static async Task<TcpClient> BeginLongAsync(HostProcess host)
    {
        string text = string.Join(' ', Enumerable.Repeat("a long text that takes its time", 2000));
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(new { inputs = Enumerable.Repeat(text, 100) });
        double before = await RunsAsync();
        var caller = new TcpClient();
        await caller.ConnectAsync(host.Http.BaseAddress!.Host, host.Http.BaseAddress.Port, Ct);
        NetworkStream stream = caller.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST /{ClassifySlowly} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {json.Length}\r\n\r\n"), Ct);
        await stream.WriteAsync(json, Ct);
        await Wait.UntilAsync(async () => await RunsAsync() > before, "the request is being computed");
        return caller;

        async Task<double> RunsAsync() => (await host.GetMetricsAsync()).Sum("ulmfit_classify_batch_size_count");
    }
}
