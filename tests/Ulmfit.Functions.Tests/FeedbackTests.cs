using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Functions.Tests;

/// <summary>From a correction to the rows that the next round is trained on.</summary>
public sealed class FeedbackTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task PostFeedback_ThenARun_TrainsOnTheCorrectedRowsAndOnce()
    {
        await using HostProcess host = await HostProcess.StartAsync(folder.Path);
        await host.PutOkAsync("api/datasets/tickets/settings", TinySettings.Forward);
        await host.PutOkAsync("api/datasets/tickets/drops/a.csv", TinyData.Csv(100));
        await host.WaitForRunAsync("tickets-1");
        (string text, string label) = TinyData.Rows(100).First();
        string other = label == "praise" ? "complaint" : "praise";

        using (HttpResponseMessage stored = await SendAsync(host, new { rows = new[] { new { text, label = other }, new { text = "a text of its own", label = other } } }, "call 1"))
        {
            Assert.Equal(HttpStatusCode.Accepted, stored.StatusCode);
            Assert.Equal("""{"model":"tickets","rows":2,"waiting":2}""", await stored.Content.ReadAsStringAsync(Ct));
        }
        using (HttpResponseMessage again = await SendAsync(host, new { rows = new[] { new { text, label = other }, new { text = "a text of its own", label = other } } }, "call 1"))
        {
            Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        }
        using (HttpResponseMessage reused = await SendAsync(host, new { text, label }, "call 1"))
        {
            await Problem.ReadAsync(reused, HttpStatusCode.UnprocessableEntity, "idempotency-key-reused");
        }
        JsonElement before = await host.GetJsonAsync("api/datasets/tickets");
        Assert.Equal(2, before.GetProperty("feedbackWaiting").GetInt32());
        Assert.Single(before.GetProperty("drops").EnumerateArray());
        using (HttpResponseMessage started = await host.PostAsync("api/datasets/tickets/runs", ""))
        {
            Assert.Equal(HttpStatusCode.Accepted, started.StatusCode);
        }
        JsonElement run = await host.WaitForRunAsync("tickets-2");
        Assert.Contains(run.GetProperty("status").GetString(), (string[])["completed", "rejected"]);

        JsonElement after = await host.GetJsonAsync("api/datasets/tickets");
        Assert.Equal(0, after.GetProperty("feedbackWaiting").GetInt32());
        Assert.Equal(1, after.GetProperty("corrected").GetInt32());
        Assert.Equal(0, after.GetProperty("contradictions").GetInt32());
        Assert.Equal(101, after.GetProperty("rows").GetInt32());
        Assert.Equal(2, run.GetProperty("datasetVersion").GetInt32());
        Assert.Equal(2, after.GetProperty("drops").GetArrayLength());
    }

    [Fact]
    public async Task PostFeedback_KilledAtAnyInstant_LosesNothingThatWasAcknowledged()
    {
        var acknowledged = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        await using (HostProcess first = await StartAsync())
        {
            await first.PutOkAsync("api/datasets/tickets/settings", TinySettings.Forward);
        }
        for (int kill = 0; kill < 3; kill++)
        {
            await using HostProcess host = await StartAsync();
            int round = kill;
            Task[] callers =
            [
                .. Enumerable.Range(0, 4).Select(caller => Task.Run(
                    async () =>
                    {
                        for (int i = 0; ; i++)
                        {
                            (string text, string label) = ($"round {round} caller {caller} text {i}", i % 2 == 0 ? "praise" : "complaint");
                            try
                            {
                                using HttpResponseMessage answer = await SendAsync(host, new { text, label }, i % 3 == 0 ? text : null);
                                Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
                                acknowledged[text] = label;
                            }
                            catch (HttpRequestException)
                            {
                                return;
                            }
                        }
                    },
                    Ct)),
            ];
            int wanted = acknowledged.Count + 40;
            await Wait.UntilAsync(() => Task.FromResult(acknowledged.Count >= wanted || callers.Any(caller => caller.IsFaulted)), "feedback is taken");
            await host.KillAsync();
            await Task.WhenAll(callers);
        }

        await using HostProcess last = await StartAsync();
        (await last.PostAsync("api/datasets/tickets/runs", "")).Dispose();
        var stored = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string file in Directory.GetFiles(Path.Combine(folder.Path, "labeled", "tickets"), "feedback-*.jsonl"))
        {
            foreach (string line in await File.ReadAllLinesAsync(file, Ct))
            {
                JsonElement row = JsonSerializer.Deserialize<JsonElement>(line);
                stored[row.GetProperty("text").GetString()!] = row.GetProperty("label").GetString()!;
            }
        }
        Assert.True(acknowledged.Count >= 120);
        Assert.Empty(acknowledged.Except(stored));

        // The settings keep any run from beginning before the last call; what waits is gathered by the timer too.
        Task<HostProcess> StartAsync() => HostProcess.StartAsync(folder.Path, "--Feedback:MinimumRows", "10", "--Drops:SettleSeconds", "3600");
    }

    private static async Task<HttpResponseMessage> SendAsync(HostProcess host, object body, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "api/models/tickets/feedback")
        {
            Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json"),
        };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }
        return await host.Http.SendAsync(request, Ct);
    }
}
