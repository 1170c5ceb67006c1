using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Functions.Tests;

/// <summary>What the API answers to what it cannot do.</summary>
public sealed class HttpContractTests(SharedHost shared) : IClassFixture<SharedHost>
{
    private HostProcess Host => shared.Host;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET", "api/datasets/none", 404, "dataset-not-found")]
    [InlineData("GET", "api/datasets/none/settings", 404, "dataset-not-found")]
    [InlineData("GET", "api/datasets/none/drops/a.csv", 404, "drop-not-found")]
    [InlineData("POST", "api/datasets/none/runs", 404, "dataset-not-found")]
    [InlineData("GET", "api/runs/none-1", 404, "run-not-found")]
    [InlineData("GET", "api/runs/..%2f..%2fx-1", 404, "run-not-found")]
    [InlineData("DELETE", "api/runs/none-1", 404, "run-not-found")]
    [InlineData("GET", "api/models/none", 404, "model-not-found")]
    [InlineData("GET", "api/models/none/versions/1", 404, "version-not-found")]
    [InlineData("GET", "api/models/none/versions/x", 404, "version-not-found")]
    [InlineData("GET", "api/models/none/drift", 404, "model-not-found")]
    [InlineData("GET", "api/models/none/drift?version=1", 404, "version-not-found")]
    [InlineData("GET", "api/models/none/drift?version=x", 404, "version-not-found")]
    [InlineData("GET", "api/models/none/drift?days=0", 422, "invalid-input")]
    [InlineData("GET", "api/models/none/drift?days=x", 422, "invalid-input")]
    [InlineData("GET", "api/models/a_b/drift", 422, "invalid-name")]
    [InlineData("GET", "api/runs/none-1/report", 404, "run-not-found")]
    [InlineData("GET", "api/models/none/versions/1/report", 404, "version-not-found")]
    [InlineData("GET", "api/models/a_b/versions/1/report", 422, "invalid-name")]
    [InlineData("GET", "api/runs/none-1/report?format=pdf", 422, "invalid-input")]
    [InlineData("POST", "api/models/a_b/feedback", 422, "invalid-name")]
    [InlineData("GET", "api/datasets/none/uncertain", 404, "dataset-not-found")]
    [InlineData("GET", "api/datasets/none/uncertain?limit=0", 422, "invalid-input")]
    [InlineData("GET", "api/datasets/none/uncertain?limit=501", 422, "invalid-input")]
    [InlineData("GET", "api/datasets/none/uncertain?limit=ten", 422, "invalid-input")]
    [InlineData("GET", "api/datasets/Upper/uncertain", 422, "invalid-name")]
    [InlineData("GET", "api/nothing/here", 404, "route-not-found")]
    [InlineData("GET", "api/datasets/Upper", 422, "invalid-name")]
    [InlineData("GET", "api/models/a_b", 422, "invalid-name")]
    [InlineData("GET", "api/runs?dataset=..", 422, "invalid-name")]
    public async Task Request_ForWhatIsNotThere_IsAProblem(string method, string path, int status, string kind)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using HttpResponseMessage response = await Host.Http.SendAsync(request, Ct);

        await Problem.ReadAsync(response, (HttpStatusCode)status, kind);
    }

    [Theory]
    [InlineData("api/datasets/Upper/drops/a.csv")]
    [InlineData("api/datasets/tickets/drops/a.txt")]
    [InlineData("api/datasets/tickets/drops/.csv")]
    [InlineData("api/datasets/tickets/drops/..%2F..%2Fa.csv")]
    public async Task PutDrop_NameThatIsNone_IsRefused(string path)
    {
        using HttpResponseMessage response = await Host.PutAsync(path, "text,label\n");

        await Problem.ReadAsync(response, HttpStatusCode.UnprocessableEntity, "invalid-name");
    }

    [Fact]
    public async Task PutDrop_OtherContentUnderTheSameName_IsAConflict()
    {
        await Host.PutOkAsync("api/datasets/same/drops/a.csv", "text,label\n");

        using HttpResponseMessage response = await Host.PutAsync("api/datasets/same/drops/a.csv", "text;label\n");

        await Problem.ReadAsync(response, HttpStatusCode.Conflict, "drop-exists");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task PutDrop_TooLarge_IsRefusedAndNotStored(bool chunked)
    {
        using var content = new StreamContent(new MemoryStream(new byte[60_000_001]));
        using var request = new HttpRequestMessage(HttpMethod.Put, "api/datasets/huge/drops/a.csv") { Content = content };
        request.Headers.TransferEncodingChunked = chunked;
        request.Headers.ExpectContinue = true;

        using HttpResponseMessage response = await Host.Http.SendAsync(request, Ct);

        JsonElement problem = await Problem.ReadAsync(response, HttpStatusCode.RequestEntityTooLarge, "too-large");
        Assert.Equal(60_000_000, problem.GetProperty("limit").GetInt64());
        using HttpResponseMessage dataset = await Host.GetAsync("api/datasets/huge");
        Assert.Equal(HttpStatusCode.NotFound, dataset.StatusCode);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"seed\": -1}")]
    [InlineData("{\"sead\": 1}")]
    [InlineData("{\"heldOutFraction\": 2}")]
    [InlineData("{\"directions\": \"sideways\"}")]
    [InlineData("null")]
    public async Task PutSettings_ThatAreNone_AreRefusedWithEveryFault(string body)
    {
        using HttpResponseMessage response = await Host.PutAsync("api/datasets/bad-settings/settings", body);

        JsonElement problem = await Problem.ReadAsync(response, HttpStatusCode.UnprocessableEntity, "invalid-settings");
        Assert.NotEqual(0, problem.GetProperty("errors").GetArrayLength());
    }

    [Fact]
    public async Task PutSettings_Valid_AreGivenBackWithTheDefaults()
    {
        await Host.PutOkAsync("api/datasets/settings/settings", """{"seed": 7}""");

        JsonElement settings = await Host.GetJsonAsync("api/datasets/settings/settings");

        Assert.Equal(7, settings.GetProperty("seed").GetInt32());
        Assert.Equal("both", settings.GetProperty("directions").GetString());
        Assert.Equal("en-small", settings.GetProperty("pretrained").GetString());
        using HttpResponseMessage run = await Host.PostAsync("api/datasets/settings/runs", "");
        await Problem.ReadAsync(run, HttpStatusCode.Conflict, "no-drops");
    }

    [Theory]
    [InlineData("", 422, "invalid-input")]
    [InlineData("{", 422, "invalid-input")]
    [InlineData("[]", 422, "invalid-input")]
    [InlineData("{}", 422, "invalid-input")]
    [InlineData("{\"inputs\": 3}", 422, "invalid-input")]
    [InlineData("{\"inputs\": null}", 422, "invalid-input")]
    [InlineData("{\"inputs\": [\"a\", 3]}", 422, "invalid-input")]
    [InlineData("{\"inputs\": [[\"a\"]]}", 422, "invalid-input")]
    [InlineData("{\"inputs\": \"\\ud800\"}", 422, "invalid-input")]
    [InlineData("{\"inputs\": \"a\", \"parameters\": 3}", 422, "invalid-input")]
    [InlineData("{\"inputs\": \"a\", \"parameters\": {\"top_k\": 0}}", 422, "invalid-input")]
    [InlineData("{\"inputs\": \"a\", \"parameters\": {\"top_k\": 1.5}}", 422, "invalid-input")]
    [InlineData("{\"inputs\": \"a\", \"parameters\": {\"top_k\": \"3\"}}", 422, "invalid-input")]
    [InlineData("{\"inputs\": \"a\", \"parameters\": {\"threshold\": -0.1}}", 422, "invalid-input")]
    [InlineData("{\"inputs\": \"a\", \"parameters\": {\"threshold\": 1.1}}", 422, "invalid-input")]
    [InlineData("{\"inputs\": \"a\", \"parameters\": {\"threshold\": 1e99}}", 422, "invalid-input")]
    [InlineData("{\"inputs\": \"a\", \"parameters\": {\"threshold\": \"0.5\"}}", 422, "invalid-input")]
    [InlineData("{\"inputs\": \"a\", \"parameters\": {\"threshold\": null}}", 404, "model-not-found")]
    [InlineData("{\"inputs\": \"a\"}", 404, "model-not-found")]
    public async Task Classify_RequestThatIsNone_IsAProblem(string body, int status, string kind)
    {
        using HttpResponseMessage response = await Host.PostAsync("api/models/none/classify", body);

        await Problem.ReadAsync(response, (HttpStatusCode)status, kind);
    }

    [Theory]
    [InlineData("", 422, "invalid-input")]
    [InlineData("[]", 422, "invalid-input")]
    [InlineData("{}", 422, "invalid-input")]
    [InlineData("{\"text\": \"a\"}", 422, "invalid-input")]
    [InlineData("{\"text\": \"a\", \"label\": 3}", 422, "invalid-input")]
    [InlineData("{\"text\": \" \", \"label\": \"b\"}", 422, "invalid-input")]
    [InlineData("{\"text\": \"\\ud800\", \"label\": \"b\"}", 422, "invalid-input")]
    [InlineData("{\"rows\": []}", 422, "invalid-input")]
    [InlineData("{\"rows\": [3]}", 422, "invalid-input")]
    [InlineData("{\"rows\": {}}", 422, "invalid-input")]
    [InlineData("{\"rows\": [{\"text\": \"a\", \"label\": \"b\"}], \"text\": \"a\"}", 422, "invalid-input")]
    [InlineData("{\"rows\": [{\"text\": \"a\", \"label\": \"b\"}, {\"text\": \"a \", \"label\": \"c\"}]}", 422, "invalid-input")]
    [InlineData("{\"text\": \"a\", \"label\": \"two\\nlines\"}", 422, "invalid-input")]
    public async Task PostFeedback_ThatIsNone_IsAProblem(string body, int status, string kind)
    {
        await Host.PutOkAsync("api/datasets/spoken/settings", "{}");

        using HttpResponseMessage response = await Host.PostAsync("api/models/spoken/feedback", body);

        await Problem.ReadAsync(response, (HttpStatusCode)status, kind);
    }

    [Fact]
    public async Task PostFeedback_OnADataSetThatIsNotThere_IsNotFoundAndMakesNone()
    {
        using HttpResponseMessage response = await Host.PostAsync("api/models/none/feedback", """{"text": "a", "label": "b"}""");

        await Problem.ReadAsync(response, HttpStatusCode.NotFound, "dataset-not-found");
        using HttpResponseMessage dataset = await Host.GetAsync("api/datasets/none");
        Assert.Equal(HttpStatusCode.NotFound, dataset.StatusCode);
    }

    [Fact]
    public async Task PostFeedback_BeyondTheLimits_IsTooLarge()
    {
        await Host.PutOkAsync("api/datasets/spoken/settings", "{}");
        using HttpResponseMessage many = await Host.PostAsync(
            "api/models/spoken/feedback", JsonSerializer.Serialize(new { rows = Enumerable.Range(0, 1001).Select(i => new { text = $"text {i}", label = "b" }) }));
        Assert.Equal(1000, (await Problem.ReadAsync(many, HttpStatusCode.RequestEntityTooLarge, "too-large")).GetProperty("limit").GetInt32());

        using HttpResponseMessage body = await Host.PostAsync("api/models/spoken/feedback", new string(' ', (1 << 20) + 1));
        await Problem.ReadAsync(body, HttpStatusCode.RequestEntityTooLarge, "too-large");
    }

    [Fact]
    public async Task Classify_BeyondTheLimits_IsTooLarge()
    {
        using HttpResponseMessage many = await Host.PostAsync("api/models/none/classify", JsonSerializer.Serialize(new { inputs = Enumerable.Repeat("a", 201) }));
        Assert.Equal(200, (await Problem.ReadAsync(many, HttpStatusCode.RequestEntityTooLarge, "too-large")).GetProperty("limit").GetInt32());

        using HttpResponseMessage @long = await Host.PostAsync("api/models/none/classify", JsonSerializer.Serialize(new { inputs = new string('a', 100_001) }));
        await Problem.ReadAsync(@long, HttpStatusCode.RequestEntityTooLarge, "too-large");

        using HttpResponseMessage body = await Host.PostAsync("api/models/none/classify", new string(' ', (16 << 20) + 1));
        await Problem.ReadAsync(body, HttpStatusCode.RequestEntityTooLarge, "too-large");
    }

    [Theory]
    [InlineData("{\"version\": 0}")]
    [InlineData("{\"version\": \"1\"}")]
    [InlineData("{}")]
    [InlineData("no")]
    public async Task PutChampion_OfAnUnknownModel_IsNotFoundWhateverTheBody(string body)
    {
        using HttpResponseMessage response = await Host.PutAsync("api/models/none/champion", body);

        await Problem.ReadAsync(response, HttpStatusCode.NotFound, "model-not-found");
    }

    [Theory]
    [InlineData("api/health/live", "live")]
    [InlineData("api/health/ready", "ready")]
    public async Task Health_OfAHostThatRuns_IsWell(string path, string status) =>
        Assert.Equal(status, (await Host.GetJsonAsync(path)).GetProperty("status").GetString());

    [Fact]
    public async Task Lists_OfAFreshHost_AreThere()
    {
        foreach (string name in new[] { "datasets", "runs", "models" })
        {
            using HttpResponseMessage response = await Host.GetAsync($"api/{name}");
            Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
            Assert.Equal(JsonValueKind.Array, (await response.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty(name).ValueKind);
        }
    }

    [Fact]
    public async Task BadDrops_OfEveryKind_AreReportedTheGoodRowsUsedAndTheHostServesOn()
    {
        byte[] random = new byte[8192];
        new Random(3).NextBytes(random);
        byte[] longLine = new byte[50 << 20];
        longLine.AsSpan().Fill((byte)'x');
        "text,label\n"u8.CopyTo(longLine);
        string rows = string.Concat(TinyData.Rows(30, 1).Select(row => $"{row.Text},{row.Label}\n"));
        (string Name, byte[] Content, int Accepted)[] drops =
        [
            ("empty.csv", [], 0),
            ("no-label-column.csv", Utf8("text,subject,colour\n" + string.Concat(TinyData.Rows(30, 2).Select((row, i) => $"{row.Text},s{i},red\n"))), 0),
            ("wrong-encoding.csv", [.. "text,label\n"u8, .. Encoding.Latin1.GetBytes("schön größer,praise\n"), .. Utf8(string.Concat(TinyData.Rows(10, 3).Select(row => $"{row.Text},{row.Label}\n")))], 10),
            ("unbalanced.csv", Utf8("text,label\n\"this quote never ends,praise\n" + rows), 30),
            ("one-line.csv", longLine, 0),
            ("without-label.csv", Utf8("text,label\nno label here,\n" + string.Concat(TinyData.Rows(20, 4).Select(row => $"{row.Text},{row.Label}\n"))), 20),
            ("binary.csv", random, 0),
        ];
        await Host.PutOkAsync("api/datasets/dirty/settings", TinySettings.Forward);
        foreach ((string name, byte[] content, _) in drops)
        {
            using var body = new ByteArrayContent(content);
            using HttpResponseMessage stored = await Host.Http.PutAsync(new Uri($"api/datasets/dirty/drops/{name}", UriKind.Relative), body, Ct);
            Assert.Equal(HttpStatusCode.Created, stored.StatusCode);
        }
        JsonElement dataset = await Host.WaitForDatasetAsync("dirty");

        foreach ((string name, _, int accepted) in drops)
        {
            JsonElement drop = dataset.GetProperty("drops").EnumerateArray().Single(d => d.GetProperty("name").GetString() == name);
            Assert.True(accepted == drop.GetProperty("accepted").GetInt32(), drop.GetRawText());
            Assert.True(drop.GetProperty("errors").GetArrayLength() > 0, drop.GetRawText());
            JsonElement error = drop.GetProperty("errors")[0];
            Assert.Equal(name, error.GetProperty("file").GetString());
            Assert.True(error.GetProperty("line").GetInt64() >= 1);
            Assert.NotEmpty(error.GetProperty("reason").GetString()!);
            Assert.Contains(Host.Output, line => line.Contains($"labeled/dirty/{name}, line {error.GetProperty("line").GetInt64()}: {error.GetProperty("reason").GetString()}", StringComparison.Ordinal));
        }
        Assert.Equal("live", (await Host.GetJsonAsync("api/health/live")).GetProperty("status").GetString());
    }

    [Fact]
    public async Task RubbishAlone_OneClassOnly_PublishesNothingAndSaysWhy()
    {
        await Host.PutOkAsync("api/datasets/rubbish/drops/a.csv", "text,label\n" + string.Concat(TinyData.Rows(40).Select(row => $"{row.Text},same\n")));

        JsonElement dataset = await Host.WaitForDatasetAsync("rubbish");

        Assert.Equal("refused", dataset.GetProperty("status").GetString());
        Assert.Contains("at least 2 labels", dataset.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Empty((await Host.GetJsonAsync("api/runs?dataset=rubbish")).GetProperty("runs").EnumerateArray());
        using HttpResponseMessage model = await Host.GetAsync("api/models/rubbish");
        Assert.Equal(HttpStatusCode.NotFound, model.StatusCode);
        await Wait.UntilAsync(() => Task.FromResult(Host.Output.Any(line => line.Contains("rubbish: nothing to train on.", StringComparison.Ordinal))), "the log says why");
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
