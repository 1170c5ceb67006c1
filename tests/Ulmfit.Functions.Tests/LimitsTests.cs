using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Functions.Tests;

/// <summary>What is beyond a limit is refused with what to do.</summary>
public sealed class LimitsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Classify_AllPlacesTaken_Is429WithRetryAfterUntilOneIsFree()
    {
        await using HostProcess host = await HostProcess.StartAsync(folder.Path, "--Limits:ClassifyRequests", "1");
        var slow = new List<TcpClient>();
        try
        {
            HttpResponseMessage? refused = null;
            await Wait.UntilAsync(
                async () =>
                {
                    // It tells of a body and keeps it back: its place is taken, unless another request came in between and has it.
                    var next = new TcpClient();
                    slow.Add(next);
                    await next.ConnectAsync(host.Http.BaseAddress!.Host, host.Http.BaseAddress.Port, Ct);
                    await next.GetStream().WriteAsync(Encoding.ASCII.GetBytes("POST /api/models/none/classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 15\r\n\r\n{\"inputs\""), Ct);
                    refused?.Dispose();
                    refused = await host.PostAsync("api/models/none/classify", """{"inputs": "a"}""");
                    return refused.StatusCode == HttpStatusCode.TooManyRequests;
                },
                "the place is taken");
            JsonElement problem = await Problem.ReadAsync(refused!, HttpStatusCode.TooManyRequests, "too-many-requests");
            Assert.Equal(1, problem.GetProperty("limit").GetInt32());
            Assert.Equal(TimeSpan.FromSeconds(1), refused!.Headers.RetryAfter?.Delta);
            refused.Dispose();
        }
        finally
        {
            slow.ForEach(client => client.Dispose());
        }

        await Wait.UntilAsync(
            async () =>
            {
                using HttpResponseMessage answer = await host.PostAsync("api/models/none/classify", """{"inputs": "a"}""");
                return answer.StatusCode == HttpStatusCode.NotFound;
            },
            "the place is free again");
    }

    [Fact]
    public async Task Work_AsMuchAsMayBe_IsRefusedToOthersAndGoesOnForWhatHasItsPlace()
    {
        await using HostProcess host = await HostProcess.StartAsync(folder.Path, "--Limits:Runs", "1", "--Drops:SettleSeconds", "3600");
        await host.PutOkAsync("api/datasets/first/drops/a.csv", TinyData.Csv(20));
        await Wait.UntilAsync(
            async () => (await host.GetJsonAsync("runtime/webhooks/durabletask/instances?instanceIdPrefix=retrain-first&runtimeStatus=Running")).GetArrayLength() == 1, "the data set is worked on");

        using HttpResponseMessage pretraining = await host.PutAsync("api/pretrained/made", """{"corpus": "unlabeled/wiki/a.txt"}""");
        Assert.Equal(TimeSpan.FromSeconds(60), pretraining.Headers.RetryAfter?.Delta);
        JsonElement problem = await Problem.ReadAsync(pretraining, HttpStatusCode.TooManyRequests, "too-many-requests");
        Assert.Equal(1, problem.GetProperty("limit").GetInt32());
        Assert.Contains("Limits:Runs", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        using HttpResponseMessage none = await host.GetAsync("api/pretrained/made");
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);

        await host.PutOkAsync("api/datasets/first/drops/b.csv", TinyData.Csv(20, 1));
        using HttpResponseMessage run = await host.PostAsync("api/datasets/first/runs", "");
        Assert.Equal(HttpStatusCode.Accepted, run.StatusCode);
    }

    [Fact]
    public async Task Bodies_BeyondTheirLimits_Are413AndNotKept()
    {
        await using HostProcess host = await HostProcess.StartAsync(
            folder.Path, "--Limits:BodyBytes", "100", "--Limits:ClassifyBytes", "100", "--Limits:ClassifyCharacters", "5", "--Limits:DropBytes", "100");
        string large = $"{{\"seed\": 7{new string(' ', 100)}}}";
        (HttpMethod Method, string Path, string Body, int Limit)[] requests =
        [
            (HttpMethod.Put, "api/datasets/small/settings", large, 100),
            (HttpMethod.Put, "api/pretrained/small", large, 100),
            (HttpMethod.Post, "api/models/small/classify", large, 100),
            (HttpMethod.Post, "api/models/small/classify", """{"inputs": "sixsix"}""", 5),
            (HttpMethod.Put, "api/datasets/small/drops/a.csv", new string('x', 101), 100),
        ];
        foreach ((HttpMethod method, string path, string body, int limit) in requests)
        {
            using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body) };
            using HttpResponseMessage answer = await host.Http.SendAsync(request, Ct);

            JsonElement problem = await Problem.ReadAsync(answer, HttpStatusCode.RequestEntityTooLarge, "too-large");
            Assert.Equal(limit, problem.GetProperty("limit").GetInt32());
            Assert.Contains(limit.ToString(CultureInfo.InvariantCulture), problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        using HttpResponseMessage none = await host.GetAsync("api/datasets/small");
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
    }
}
