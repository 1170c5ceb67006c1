using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Functions.Tests;

/// <summary>From a drop to answers, through the host as users see it.</summary>
public sealed class MainJobTests(SharedHost shared) : IClassFixture<SharedHost>
{
    private HostProcess Host => shared.Host;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Drop_OfGoodRows_IsTrainedByItselfPublishedAndAnswers()
    {
        await Host.PutOkAsync("api/datasets/tickets/settings", TinySettings.Both);
        using HttpResponseMessage stored = await Host.PutAsync("api/datasets/tickets/drops/first.csv", TinyData.Csv(160));
        Assert.Equal(HttpStatusCode.Created, stored.StatusCode);
        Assert.Equal("/api/datasets/tickets/drops/first.csv", stored.Headers.Location?.ToString());

        JsonElement run = await Host.WaitForRunAsync("tickets-1");

        Assert.Equal("completed", run.GetProperty("status").GetString());
        Assert.Equal("drops", run.GetProperty("trigger").GetString());
        Assert.Equal(1, run.GetProperty("modelVersion").GetInt32());
        Assert.Equal(10, run.GetProperty("history").GetArrayLength());
        Assert.Equal(64, run.GetProperty("weightsDigest").GetString()!.Length);
        Assert.True(run.GetProperty("metrics").GetProperty("macroF1").GetDouble() > 0.8);

        JsonElement model = await Host.GetJsonAsync("api/models/tickets");
        Assert.Equal(1, model.GetProperty("champion").GetInt32());
        JsonElement card = await Host.GetJsonAsync("api/models/tickets/versions/1");
        Assert.Equal("tickets-1", card.GetProperty("run").GetString());
        Assert.Equal(run.GetProperty("weightsDigest").GetString(), card.GetProperty("weightsDigest").GetString());
        Assert.Equal("labeled/first.csv", card.GetProperty("drops")[0].GetProperty("name").GetString());

        JsonElement[] variants = [.. card.GetProperty("variants").EnumerateArray()];
        Assert.Equal(["float32", "int8"], variants.Select(variant => variant.GetProperty("precision").GetString()));
        Assert.All(variants, variant =>
        {
            Assert.True(card.GetProperty("files").TryGetProperty(variant.GetProperty("file").GetString()!, out _));
            Assert.True(variant.GetProperty("speed").GetProperty("microsecondsPerToken").GetDouble() > 0);
        });

        using HttpResponseMessage answered = await Host.PostAsync(
            "api/models/tickets/classify", """{"inputs": "the lamp was lovely and great so happy", "parameters": {"top_k": 1}}""");
        Assert.Equal("1", Assert.Single(answered.Headers.GetValues("X-Model-Version")));
        Assert.Equal($"\"{card.GetProperty("files").GetProperty(card.GetProperty("serves").GetString()!).GetString()}\"", answered.Headers.ETag?.Tag);
        JsonElement answer = await answered.Content.ReadFromJsonAsync<JsonElement>(Ct);
        Assert.Equal("tickets", answer.GetProperty("model").GetString());
        Assert.Equal(1, answer.GetProperty("version").GetInt32());
        JsonElement label = Assert.Single(Assert.Single(answer.GetProperty("predictions").EnumerateArray()).EnumerateArray());
        Assert.Equal("praise", label.GetProperty("label").GetString());

        // Below the threshold nothing is said, and what it would have been stands behind.
        using HttpResponseMessage asked = await Host.PostAsync(
            "api/models/tickets/classify", """{"inputs": "the lamp was lovely and great so happy", "parameters": {"top_k": 1, "threshold": 1}}""");
        JsonElement unsure = (await asked.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("predictions")[0];
        Assert.Equal(
            $$"""[{"label":null,"score":{{label.GetProperty("score").GetRawText()}}},{{label.GetRawText()}}]""", unsure.GetRawText());

        Assert.Contains(Host.Output, line => line.Contains("tickets-1 Forward: stage lm, epoch 1/2", StringComparison.Ordinal));
        Assert.Contains(Host.Output, line => line.Contains("tickets-1 Backward: stage all, epoch 3/3", StringComparison.Ordinal));
        Assert.Contains(Host.Output, line => line.Contains("Model tickets version 1 published by tickets-1: held-out accuracy", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Report_OfARunAndItsVersion_IsAPageOrJsonAsAsked()
    {
        await Host.PutOkAsync("api/datasets/reported/settings", TinySettings.Forward);
        const string Hostile = "<script>alert(1)</script>";
        await Host.PutOkAsync("api/datasets/reported/drops/a.csv", TinyData.Csv(100).Replace(",praise", "," + Hostile, StringComparison.Ordinal));
        JsonElement run = await Host.WaitForRunAsync("reported-1");
        Assert.True(run.GetProperty("status").GetString() == "completed", run.GetRawText());
        JsonElement version = (await Host.GetJsonAsync("api/models/reported")).GetProperty("versions")[0];

        foreach (string path in (string[])[run.GetProperty("report").GetString()![1..], version.GetProperty("report").GetString()![1..]])
        {
            using HttpResponseMessage page = await SendAsync(path, "text/html,application/xhtml+xml,*/*;q=0.8");
            Assert.Equal(HttpStatusCode.OK, page.StatusCode);
            Assert.Equal("text/html", page.Content.Headers.ContentType?.MediaType);
            string policy = Assert.Single(page.Headers.GetValues("Content-Security-Policy"));
            Assert.StartsWith("default-src 'none'; style-src 'sha256-", policy, StringComparison.Ordinal);
            Assert.EndsWith("; frame-ancestors 'none'; sandbox", policy, StringComparison.Ordinal);
            Assert.Equal("nosniff", Assert.Single(page.Headers.GetValues("X-Content-Type-Options")));
            string html = await page.Content.ReadAsStringAsync(Ct);
            Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;", html, StringComparison.Ordinal);
            Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);

            foreach ((string accept, string query, string media) in ((string, string, string)[])
            [
                ("application/json", "", "application/json"), ("application/json, text/plain, */*", "", "application/json"), ("text/html;q=0.5, application/json", "", "application/json"),
                ("*/*", "", "text/html"), ("application/json;q=0.5, text/html", "", "text/html"), ("text/html", "?format=json", "application/json"), ("application/json", "?format=html", "text/html"),
            ])
            {
                using HttpResponseMessage answer = await SendAsync(path + query, accept);
                Assert.Equal((HttpStatusCode.OK, media), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
                if (media == "application/json")
                {
                    JsonElement report = await answer.Content.ReadFromJsonAsync<JsonElement>(Ct);
                    Assert.Equal(run.GetProperty("weightsDigest").GetString(), report.GetProperty("weightsDigest").GetString());
                    Assert.Equal(Hostile, report.GetProperty("data").GetProperty("classes")[0].GetProperty("label").GetString());
                }
            }
        }

        async Task<HttpResponseMessage> SendAsync(string path, string accept)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.TryAddWithoutValidation("Accept", accept);
            return await Host.Http.SendAsync(request, Ct);
        }
    }

    [Fact]
    public async Task Report_OfARunThatIsNotMeasuredYet_IsNotFound()
    {
        await Host.PutOkAsync("api/datasets/unmeasured/settings", TinySettings.Endless);
        await Host.PutOkAsync("api/datasets/unmeasured/drops/a.csv", TinyData.Csv(100));
        await Wait.UntilAsync(
            async () =>
            {
                using HttpResponseMessage response = await Host.GetAsync("api/runs/unmeasured-1");
                return response.IsSuccessStatusCode;
            },
            "the run begins");

        using HttpResponseMessage report = await Host.GetAsync("api/runs/unmeasured-1/report");

        await Problem.ReadAsync(report, HttpStatusCode.NotFound, "report-not-found");
        (await Host.DeleteAsync("api/runs/unmeasured-1")).Dispose();
    }

    [Fact]
    public async Task Drop_SentAgain_TrainsNothing()
    {
        await Host.PutOkAsync("api/datasets/again/settings", TinySettings.Forward);
        await Host.PutOkAsync("api/datasets/again/drops/a.csv", TinyData.Csv(100));
        await Host.WaitForRunAsync("again-1");

        using HttpResponseMessage same = await Host.PutAsync("api/datasets/again/drops/a.csv", TinyData.Csv(100));
        Assert.Equal(HttpStatusCode.OK, same.StatusCode);
        await Host.PutOkAsync("api/datasets/again/drops/other-name.csv", TinyData.Csv(100));
        await Wait.UntilAsync(
            async () => (await Host.GetJsonAsync("api/datasets/again/drops/other-name.csv")).GetProperty("status").GetString() == "accepted", "the copy is looked at");
        JsonElement dataset = await Host.WaitForDatasetAsync("again");

        Assert.Equal(100, dataset.GetProperty("duplicates").GetInt32());
        Assert.Equal(1, dataset.GetProperty("versions").GetArrayLength());
        Assert.Equal(1, (await Host.GetJsonAsync("api/runs?dataset=again")).GetProperty("runs").GetArrayLength());
    }

    [Fact]
    public async Task Classify_OneTextAloneAndAmong64Others_GivesTheSameBits()
    {
        await Host.PutOkAsync("api/datasets/bits/settings", TinySettings.Both);
        await Host.PutOkAsync("api/datasets/bits/drops/a.csv", TinyData.Csv(100));
        await Host.WaitForRunAsync("bits-1");
        const string Text = "the parcel was late, and so was the refund: what now?";
        string[] others = [.. TinyData.Rows(64, 5).Select((row, i) => string.Join(' ', Enumerable.Repeat(row.Text, 1 + (i % 7))))];

        string alone = (await Host.ClassifyAsync("bits", Text))[0].GetRawText();
        JsonElement batch = await Host.ClassifyAsync("bits", [.. others[..40], Text, .. others[40..]]);

        Assert.Equal(65, batch.GetArrayLength());
        Assert.Equal(alone, batch[40].GetRawText());
    }

    [Fact]
    public async Task Run_AskedFor_IsTakenOnceAndRejectedWhenNoBetter()
    {
        await Host.PutOkAsync("api/datasets/asked/settings", TinySettings.Forward);
        await Host.PutOkAsync("api/datasets/asked/drops/a.csv", TinyData.Csv(100));
        JsonElement first = await Host.WaitForRunAsync("asked-1");

        using HttpResponseMessage accepted = await Host.PostAsync("api/datasets/asked/runs", "");
        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
        Assert.Equal("/api/runs/asked-2", accepted.Headers.Location?.ToString());
        using HttpResponseMessage refused = await Host.PostAsync("api/datasets/asked/runs", "");
        JsonElement problem = await Problem.ReadAsync(refused, HttpStatusCode.Conflict, "run-active");
        Assert.Equal("asked-2", problem.GetProperty("run").GetString());

        JsonElement second = await Host.WaitForRunAsync("asked-2");
        Assert.Equal("rejected", second.GetProperty("status").GetString());
        Assert.Equal("/api/runs/asked-2/report", second.GetProperty("report").GetString());
        JsonElement report = await Host.GetJsonAsync("api/runs/asked-2/report?format=json");
        Assert.Equal("rejected", report.GetProperty("outcome").GetProperty("status").GetString());
        Assert.Equal(second.GetProperty("decision").GetString(), report.GetProperty("outcome").GetProperty("decision").GetString());
        Assert.Equal(first.GetProperty("weightsDigest").GetString(), second.GetProperty("weightsDigest").GetString());
        Assert.Equal(1, (await Host.GetJsonAsync("api/models/asked")).GetProperty("champion").GetInt32());
    }

    [Fact]
    public async Task Champion_RolledBackAndForth_AnswersAtOnceAndHonoursIfMatch()
    {
        await Host.PutOkAsync("api/datasets/roll/settings", TinySettings.Forward);
        await Host.PutOkAsync("api/datasets/roll/drops/a.csv", TinyData.Csv(100));
        await Host.WaitForRunAsync("roll-1");

        // A new class: the old champion cannot get its rows right, so that the new model wins.
        await Host.PutOkAsync(
            "api/datasets/roll/drops/b.csv",
            "text,label\n" + string.Concat(Enumerable.Range(0, 120).Select(i => $"please tell me how many colours number {i} has before buying,question\n")));
        JsonElement run = await Host.WaitForRunAsync("roll-2");
        Assert.True(run.GetProperty("status").GetString() == "completed", run.GetRawText());
        using HttpResponseMessage model = await Host.GetAsync("api/models/roll");
        string tag = model.Headers.ETag!.Tag;

        using HttpResponseMessage rolled = await SendChampionAsync(1, tag);
        Assert.Equal(HttpStatusCode.OK, rolled.StatusCode);
        Assert.Equal(1, (await rolled.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("champion").GetInt32());
        Assert.Equal("1", await VersionAsync());

        using HttpResponseMessage lost = await SendChampionAsync(2, tag);
        await Problem.ReadAsync(lost, HttpStatusCode.PreconditionFailed, "precondition-failed");
        Assert.Equal("1", await VersionAsync());

        using HttpResponseMessage forward = await SendChampionAsync(2, rolled.Headers.ETag!.Tag);
        Assert.Equal(HttpStatusCode.OK, forward.StatusCode);
        Assert.Equal("2", await VersionAsync());
        using HttpResponseMessage unknown = await SendChampionAsync(9, null);
        await Problem.ReadAsync(unknown, HttpStatusCode.NotFound, "version-not-found");

        async Task<HttpResponseMessage> SendChampionAsync(int version, string? ifMatch)
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, "api/models/roll/champion")
            {
                Content = new StringContent($"{{\"version\": {version}}}", Encoding.UTF8, "application/json"),
            };
            if (ifMatch is not null)
            {
                request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
            }
            return await Host.Http.SendAsync(request, Ct);
        }

        async Task<string> VersionAsync()
        {
            using HttpResponseMessage answer = await Host.PostAsync("api/models/roll/classify", """{"inputs": ["lovely"]}""");
            return answer.Headers.GetValues("X-Model-Version").Single();
        }
    }

    [Fact]
    public async Task Run_CalledOffInTheMiddle_EndsCanceledAndKeepsItsCheckpoints()
    {
        await Host.PutOkAsync("api/datasets/off/settings", TinySettings.Endless);
        await Host.PutOkAsync("api/datasets/off/drops/a.csv", TinyData.Csv(100));
        await Wait.UntilAsync(
            async () =>
            {
                using HttpResponseMessage response = await Host.GetAsync("api/runs/off-1");
                return response.IsSuccessStatusCode && (await response.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("history").GetArrayLength() >= 2;
            },
            "epochs end");

        using HttpResponseMessage called = await Host.DeleteAsync("api/runs/off-1");
        Assert.Equal(HttpStatusCode.Accepted, called.StatusCode);
        JsonElement run = await Host.WaitForRunAsync("off-1");

        Assert.Equal("canceled", run.GetProperty("status").GetString());
        await Host.WaitForDatasetAsync("off");
        Assert.NotEmpty(Directory.EnumerateFiles(Path.Combine(shared.Data, "state", "sha256", "off", "runs"), "*", SearchOption.AllDirectories));
        using HttpResponseMessage again = await Host.DeleteAsync("api/runs/off-1");
        Assert.Equal(HttpStatusCode.Accepted, again.StatusCode);
        using HttpResponseMessage noModel = await Host.GetAsync("api/models/off");
        await Problem.ReadAsync(noModel, HttpStatusCode.NotFound, "model-not-found");
    }

    [Fact]
    public async Task Run_ThatCannotStart_FailsWithWhatToDo()
    {
        await Host.PutOkAsync("api/datasets/nowiki/settings", """{"pretrained": "wiki", "directions": "both"}""");
        await Host.PutOkAsync("api/datasets/nowiki/drops/a.csv", TinyData.Csv(100));

        JsonElement run = await Host.WaitForRunAsync("nowiki-1");

        Assert.Equal("failed", run.GetProperty("status").GetString());
        Assert.Contains("pretrained/wiki/forward.safetensors is missing", run.GetProperty("error").GetString(), StringComparison.Ordinal);
        await Host.PutOkAsync("api/datasets/nowiki/settings", TinySettings.Forward);
        using HttpResponseMessage retried = await Host.PostAsync("api/datasets/nowiki/runs", "");
        Assert.Equal(HttpStatusCode.Accepted, retried.StatusCode);
        Assert.Equal("completed", (await Host.WaitForRunAsync("nowiki-2")).GetProperty("status").GetString());
    }

    [Fact]
    public async Task Run_OnDamagedSettings_FailsAndTheHostServesOn()
    {
        await Host.PutOkAsync("api/datasets/damaged/settings", TinySettings.Forward);
        string path = Path.Combine(shared.Data, "state", "datasets", "damaged", "settings.json");
        await File.WriteAllTextAsync(path, (await File.ReadAllTextAsync(path, Ct)).Replace("forward", "backward", StringComparison.Ordinal), Ct);
        string folder = Path.Combine(shared.Data, "labeled", "damaged");
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "a.csv"), TinyData.Csv(100), Ct);
        using HttpResponseMessage taken = await Host.PostAsync("api/datasets/damaged/runs", "");
        Assert.Equal(HttpStatusCode.Accepted, taken.StatusCode);

        JsonElement run = await Host.WaitForRunAsync("damaged-1");

        Assert.Equal("failed", run.GetProperty("status").GetString());
        Assert.Contains("settings.json is damaged", run.GetProperty("error").GetString(), StringComparison.Ordinal);
        using HttpResponseMessage settings = await Host.GetAsync("api/datasets/damaged/settings");
        await Problem.ReadAsync(settings, HttpStatusCode.ServiceUnavailable, "damaged");
    }
}
