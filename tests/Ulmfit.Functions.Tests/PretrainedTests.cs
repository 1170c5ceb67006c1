using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Functions.Tests;

/// <summary>From a corpus to a classifier that starts from the language model made of it, through the host as users see it.</summary>
public sealed class PretrainedTests(SharedHost shared) : IClassFixture<SharedHost>
{
    private const string Tiny = """ "size": "tiny", "batch": 4, "bptt": 9, "minimumCount": 1 """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private HostProcess Host => shared.Host;

    [Fact]
    public async Task PutPretrained_ACorpusInStorage_BecomesAModelThatARunStartsFrom()
    {
        PutCorpus(shared.Data, "texts");
        string order = $$"""{"corpus": "unlabeled/texts/corpus.txt", "directions": "forward", "epochs": 1, {{Tiny}} }""";
        using HttpResponseMessage ordered = await Host.PutAsync("api/pretrained/en-made", order);
        Assert.Equal(HttpStatusCode.Accepted, ordered.StatusCode);
        Assert.Equal("/api/pretrained/en-made", ordered.Headers.Location?.ToString());

        JsonElement done = await WaitAsync(Host, "en-made");

        Assert.True(done.GetProperty("status").GetString() == "completed", done.GetRawText());
        Assert.InRange(done.GetProperty("forward").GetProperty("perplexity").GetDouble(), 1, 60);
        Assert.Equal((1, 59, "tiny"), (done.GetProperty("progress").GetDouble(), done.GetProperty("corpus").GetProperty("documents").GetInt32(), done.GetProperty("settings").GetProperty("size").GetString()));
        JsonElement all = await Host.GetJsonAsync("api/pretrained");
        Assert.Contains("en-made", all.GetProperty("models").EnumerateArray().Select(name => name.GetString()));
        Assert.Contains(all.GetProperty("pretrainings").EnumerateArray(), one => one.GetProperty("name").GetString() == "en-made");
        using HttpResponseMessage again = await Host.PutAsync("api/pretrained/en-made", order);
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        using HttpResponseMessage other = await Host.PutAsync("api/pretrained/en-made", order.Replace("\"epochs\": 1", "\"epochs\": 2", StringComparison.Ordinal));
        await Problem.ReadAsync(other, HttpStatusCode.Conflict, "pretraining-exists");
        using HttpResponseMessage late = await Host.DeleteAsync("api/pretrained/en-made");
        await Problem.ReadAsync(late, HttpStatusCode.Conflict, "pretraining-ended");

        JsonNode settings = JsonNode.Parse(TinySettings.Forward)!;
        settings["pretrained"] = "en-made";
        await Host.PutOkAsync("api/datasets/adapted/settings", settings.ToJsonString());
        await Host.PutOkAsync("api/datasets/adapted/drops/a.csv", TinyData.Csv(100));
        JsonElement run = await Host.WaitForRunAsync("adapted-1");
        Assert.Equal("completed", run.GetProperty("status").GetString());
        Assert.Equal("en-made", (await Host.GetJsonAsync("api/models/adapted/versions/1")).GetProperty("pretrained").GetString());
    }

    [Fact]
    public async Task PutPretrained_AFileThatIsNoText_FailsWithFileAndLineAndGoesOnWhenItIsMended()
    {
        PutCorpus(shared.Data, "broken");
        string path = Path.Combine(shared.Data, "unlabeled", "broken", "corpus.txt"), good = await File.ReadAllTextAsync(path, Ct);
        await File.WriteAllBytesAsync(path, [.. "a line\n"u8, 0xC3, 0x28, (byte)'\n', .. System.Text.Encoding.UTF8.GetBytes(good)], Ct);
        string order = $$"""{"corpus": "unlabeled/broken/", "directions": "forward", "epochs": 0.1, {{Tiny}} }""";
        await Host.PutOkAsync("api/pretrained/en-broken", order);

        JsonElement failed = await WaitAsync(Host, "en-broken");

        Assert.Equal("failed", failed.GetProperty("status").GetString());
        Assert.Contains("unlabeled/broken/corpus.txt(2", failed.GetProperty("error").GetString(), StringComparison.Ordinal);
        await File.WriteAllTextAsync(path, good, Ct);
        using HttpResponseMessage again = await Host.PutAsync("api/pretrained/en-broken", order);
        Assert.Equal(HttpStatusCode.Accepted, again.StatusCode);
        Assert.Equal("completed", (await WaitAsync(Host, "en-broken")).GetProperty("status").GetString());
    }

    [Fact]
    public async Task DeletePretraining_InTheMiddle_StopsItAndTheSameOrderGoesOn()
    {
        PutCorpus(shared.Data, "endless");
        string order = $$"""{"corpus": "unlabeled/endless/corpus.txt", "epochs": 1000, {{Tiny}} }""";
        await Host.PutOkAsync("api/pretrained/en-endless", order);
        int trained = 0;
        await Wait.UntilAsync(async () => (trained = await StepAsync("en-endless")) > 0, "a slice is trained", TimeSpan.FromMinutes(2));

        using HttpResponseMessage canceled = await Host.DeleteAsync("api/pretrained/en-endless");
        Assert.Equal(HttpStatusCode.Accepted, canceled.StatusCode);
        Assert.Equal("canceled", (await WaitAsync(Host, "en-endless")).GetProperty("status").GetString());

        using HttpResponseMessage again = await Host.PutAsync("api/pretrained/en-endless", order);
        Assert.Equal(HttpStatusCode.Accepted, again.StatusCode);
        int before = await StepAsync("en-endless");
        Assert.True(before >= trained);
        await Wait.UntilAsync(async () => await StepAsync("en-endless") > before, "it goes on", TimeSpan.FromMinutes(2));
        await Host.DeleteAsync("api/pretrained/en-endless");
    }

    [Fact]
    public async Task Host_KilledInTheMiddleOfAPretraining_GoesOnAndPublishesTheSameWeights()
    {
        using var folder = new TemporaryFolder();
        PutCorpus(folder.Path, "texts");
        string order = $$"""{"corpus": "unlabeled/texts/corpus.txt", "epochs": 6, "sliceSteps": 20, {{Tiny}} }""";
        string undisturbed = order.Replace("\"sliceSteps\": 20", "\"sliceSteps\": 1000", StringComparison.Ordinal);
        await using (HostProcess host = await HostProcess.StartAsync(folder.Path))
        {
            await host.PutOkAsync("api/pretrained/en-made", order);
            await Wait.UntilAsync(
                async () => (await host.GetJsonAsync("api/pretrained/en-made")).GetProperty("forward") is { ValueKind: JsonValueKind.Object } forward && forward.GetProperty("step").GetInt32() >= 20,
                "a slice is trained", TimeSpan.FromMinutes(2));
            await host.KillAsync();
        }

        await using HostProcess again = await HostProcess.StartAsync(folder.Path);
        JsonElement done = await WaitAsync(again, "en-made");
        Assert.True(done.GetProperty("status").GetString() == "completed", done.GetRawText());
        PutCorpus(shared.Data, "straight");
        await Host.PutOkAsync("api/pretrained/en-straight", undisturbed.Replace("texts", "straight", StringComparison.Ordinal));
        await WaitAsync(Host, "en-straight");

        foreach (string file in (string[])["forward.safetensors", "backward.safetensors", "vocabulary.json"])
        {
            Assert.Equal(
                await File.ReadAllBytesAsync(Path.Combine(shared.Data, "pretrained", "en-straight", file), Ct),
                await File.ReadAllBytesAsync(Path.Combine(folder.Path, "pretrained", "en-made", file), Ct));
        }
    }

    [Theory]
    [InlineData("PUT", "api/pretrained/Upper", "{}", 422, "invalid-name")]
    [InlineData("PUT", "api/pretrained/none", """{"corpus": "unlabeled/x/y.txt"}""", 422, "invalid-name")]
    [InlineData("PUT", "api/pretrained/en-x", """{"corpus": "rows.csv"}""", 422, "invalid-settings")]
    [InlineData("PUT", "api/pretrained/en-x", """{"corpus": "unlabeled/nowhere/corpus.txt"}""", 422, "invalid-settings")]
    [InlineData("PUT", "api/pretrained/en-x", """{"corpus": "unlabeled/nowhere/corpus.txt", "start": "en-y"}""", 422, "invalid-settings")]
    [InlineData("PUT", "api/pretrained/en-x", "not json", 422, "invalid-settings")]
    [InlineData("GET", "api/pretrained/en-x", "", 404, "pretraining-not-found")]
    [InlineData("GET", "api/pretrained/en_x", "", 422, "invalid-name")]
    [InlineData("DELETE", "api/pretrained/en-x", "", 404, "pretraining-not-found")]
    public async Task Request_ThatCannotBeDone_IsAProblem(string method, string path, string body, int status, string kind)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = method == "PUT" ? new StringContent(body) : null };
        using HttpResponseMessage response = await Host.Http.SendAsync(request, Ct);

        await Problem.ReadAsync(response, (HttpStatusCode)status, kind);
    }

    [Fact]
    public async Task PutPretrained_NameOfAModelThatWasPutThere_IsRefused()
    {
        string folder = Directory.CreateDirectory(Path.Combine(shared.Data, "pretrained", "en-own")).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "forward.safetensors"), "weights", Ct);

        using HttpResponseMessage response = await Host.PutAsync("api/pretrained/en-own", """{"corpus": "unlabeled/texts/corpus.txt"}""");

        await Problem.ReadAsync(response, HttpStatusCode.Conflict, "pretrained-exists");
    }

    private async Task<int> StepAsync(string name) =>
        (await Host.GetJsonAsync($"api/pretrained/{name}")).GetProperty("forward") is { ValueKind: JsonValueKind.Object } forward ? forward.GetProperty("step").GetInt32() : 0;

    private static async Task<JsonElement> WaitAsync(HostProcess host, string name)
    {
        JsonElement found = default;
        await Wait.UntilAsync(
            async () => (found = await host.GetJsonAsync($"api/pretrained/{name}")).GetProperty("status").GetString() is not ("queued" or "running"),
            () => $"pretraining {name} ends; the host wrote:\n{string.Join('\n', host.Output)}",
            TimeSpan.FromMinutes(3));
        return found;
    }

    private static void PutCorpus(string data, string folder)
    {
        string[] nouns = ["dog", "cat", "bird", "child", "king", "wind"], verbs = ["barks", "purrs", "sings", "laughs", "rules", "blows"];
        string text = string.Join("\n\n", Enumerable.Range(0, 60).Select(d => string.Join('\n', Enumerable.Range(0, 3 + (d % 5)).Select(s => $"the {nouns[(d + s) % 6]} {verbs[(d + s) % 6]} ."))));
        Directory.CreateDirectory(Path.Combine(data, "unlabeled", folder));
        File.WriteAllText(Path.Combine(data, "unlabeled", folder, "corpus.txt"), text + "\n");
    }
}
