using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Functions.Tests;

/// <summary>Explanations, as a caller gets them, of a model for which one word decides.</summary>
public sealed class ExplainTests : IDisposable
{
    private static readonly string[] Fillers = ["parcel", "order", "invoice", "driver", "website", "shoe", "lamp", "morning", "street", "number"];

    private const string Settings = """
        {"pretrained": "none", "directions": "forward", "strategy": "full", "languageModel": {"fineTune": false}, "classifier": {"epochs": 6, "batch": 16}}
        """;

    private readonly TemporaryFolder folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Classify_Explained_NamesTheWordThatDecidesAtItsPlaceAndChangesNoAnswer()
    {
        await using HostProcess host = await HostProcess.StartAsync(folder.Path, "--Limits:ExplainInputs", "3", "--Limits:ExplainTokens", "800");
        await host.PutOkAsync("api/datasets/tickets/settings", Settings);
        await host.PutOkAsync("api/datasets/tickets/drops/a.csv", "text,label\n" + string.Concat(Rows(200).Select(row => $"{row.Text},{row.Label}\n")));
        Assert.Equal("completed", (await host.WaitForRunAsync("tickets-1")).GetProperty("status").GetString());

        string[] texts =
        [
            "the driver was REFUND on the street this morning",
            "parcel 😀 &amp; lamp: thanks\nnumber order shoe",
            "invoice order driver website shoe lamp refund",
        ];
        (string Word, string Label)[] deciding = [("REFUND", "complaint"), ("thanks", "praise"), ("refund", "complaint")];
        JsonElement plain = await host.ClassifyAsync("tickets", texts);
        JsonElement explained = await ExplainAsync(host, texts);
        for (int i = 0; i < texts.Length; i++)
        {
            Assert.Equal(plain[i].GetRawText(), explained[i].GetProperty("predictions").GetRawText());
            JsonElement explanation = explained[i].GetProperty("explanation");
            Assert.Equal(plain[i][0].GetProperty("label").GetString(), explanation.GetProperty("label").GetString());
            Assert.Equal(deciding[i].Label, explanation.GetProperty("label").GetString());
            Assert.Equal("occlusion", explanation.GetProperty("method").GetString());
            JsonElement[] tokens = [.. explanation.GetProperty("tokens").EnumerateArray()];
            Assert.All(tokens, token => Assert.Equal(token.GetProperty("text").GetString(), texts[i][token.GetProperty("start").GetInt32()..token.GetProperty("end").GetInt32()]));
            JsonElement most = tokens.MaxBy(token => token.GetProperty("contribution").GetDouble());
            Assert.Equal(deciding[i].Word, most.GetProperty("text").GetString());
            double second = tokens.Select(token => token.GetProperty("contribution").GetDouble()).OrderDescending().ElementAt(1);
            Assert.True(most.GetProperty("contribution").GetDouble() > 2 * Math.Max(second, 0), explanation.GetRawText());

            // Alone as in company, and the second time as the first.
            Assert.Equal(explained[i].GetRawText(), (await ExplainAsync(host, texts[i]))[0].GetRawText());
        }
        Assert.Equal(["parcel", "😀", "&amp;", "lamp", ":", "thanks", "\n", "number", "order", "shoe"], explained[1].GetProperty("explanation").GetProperty("tokens").EnumerateArray().Select(token => token.GetProperty("text").GetString()));

        // Whom it speaks for is the best label, where none has so high a score as was asked for too.
        using HttpResponseMessage unsure = await host.PostAsync("api/models/tickets/classify", """{"inputs": "refund", "parameters": {"explain": true, "threshold": 1, "top_k": 1}}""");
        JsonElement answer = (await unsure.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("predictions")[0];
        Assert.Equal(answer.GetProperty("predictions")[1].GetProperty("label").GetString(), answer.GetProperty("explanation").GetProperty("label").GetString());
        using HttpResponseMessage off = await host.PostAsync("api/models/tickets/classify", JsonSerializer.Serialize(new { inputs = texts, parameters = new { explain = false } }));
        Assert.Equal(plain.GetRawText(), (await off.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("predictions").GetRawText());

        using HttpResponseMessage many = await host.PostAsync("api/models/tickets/classify", """{"inputs": ["a", "b", "c", "d"], "parameters": {"explain": true}}""");
        Assert.Equal(3, (await Problem.ReadAsync(many, HttpStatusCode.RequestEntityTooLarge, "too-large")).GetProperty("limit").GetInt32());
        using HttpResponseMessage longer = await host.PostAsync("api/models/tickets/classify", JsonSerializer.Serialize(new { inputs = string.Join(' ', Rows(20).Select(row => row.Text)), parameters = new { explain = true } }));
        Assert.Equal(100, (await Problem.ReadAsync(longer, HttpStatusCode.RequestEntityTooLarge, "too-large")).GetProperty("limit").GetInt32());
        foreach (string wrong in (string[])["3", "\"true\"", "[]"])
        {
            using HttpResponseMessage refused = await host.PostAsync("api/models/tickets/classify", $$"""{"inputs": "a", "parameters": {"explain": {{wrong}} } }""");
            await Problem.ReadAsync(refused, HttpStatusCode.UnprocessableEntity, "invalid-input");
        }

        // What is computed to explain a text is nobody's text, and what is refused is not counted.
        JsonElement day = (await host.GetJsonAsync("api/models/tickets/drift")).GetProperty("days")[0];
        Assert.Equal(3 + 3 + 3 + 1 + 3, day.GetProperty("texts").GetInt32());
    }

    /// <summary>Rows in which one word decides, wherever it stands.</summary>
    private static IEnumerable<(string Text, string Label)> Rows(int count)
    {
        var random = new Random(1);
        for (int i = 0; i < count; i++)
        {
            bool good = i % 2 == 0;
            List<string> words = [.. Enumerable.Range(0, 6).Select(_ => Fillers[random.Next(Fillers.Length)])];
            words.Insert(random.Next(words.Count + 1), good ? "thanks" : "refund");
            yield return (string.Join(' ', words), good ? "praise" : "complaint");
        }
    }

    private static async Task<JsonElement> ExplainAsync(HostProcess host, params string[] texts)
    {
        using HttpResponseMessage response = await host.PostAsync("api/models/tickets/classify", JsonSerializer.Serialize(new { inputs = texts, parameters = new { explain = true } }));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("predictions");
    }
}
