using System.Text.Json;
using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Functions.Tests;

/// <summary>Served texts worth labelling, as the API lists them.</summary>
public sealed class UncertainTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task GetUncertain_TextsServed_AreListedWhereSwitchedOnUntilTheyAreLabelled()
    {
        string[] unsure = [.. Enumerable.Range(500, 9).Select(i => $"plain shoe number {i}")];

        // What begins so has either label, by turns: nobody can tell.
        string plain = "text,label\n" + string.Concat(Enumerable.Range(0, 100).Select(i => $"plain shoe number {i},{(i % 2 == 0 ? "praise" : "complaint")}\n"));
        await using (HostProcess host = await HostProcess.StartAsync(folder.Path))
        {
            await host.PutOkAsync("api/datasets/tickets/settings", TinySettings.Forward);
            await host.PutOkAsync("api/datasets/tickets/drops/a.csv", TinyData.Csv(100));
            await host.PutOkAsync("api/datasets/tickets/drops/plain.csv", plain);
            await host.WaitForRunAsync("tickets-1");
            await host.ClassifyAsync("tickets", unsure);
            JsonElement off = await host.GetJsonAsync("api/datasets/tickets/uncertain");
            Assert.False(off.GetProperty("logged").GetBoolean());
            Assert.Empty(off.GetProperty("texts").EnumerateArray());
        }
        Assert.False(Directory.Exists(Path.Combine(folder.Path, "state", "uncertain")));

        JsonElement answers;
        await using (HostProcess host = await HostProcess.StartAsync(folder.Path, "--Uncertain:LogTexts", "--Uncertain:WriteSeconds", "0.2"))
        {
            answers = await host.ClassifyAsync("tickets", [.. unsure, .. unsure]);
            Assert.NotEmpty(Unsure(answers));
            int kept = Unsure(answers).Length;
            await Wait.UntilAsync(async () => (await host.GetMetricsAsync()).Sum("ulmfit_uncertain_kept_total") == kept, "what is uncertain is written");
            await host.KillAsync();
        }

        // Another process lists them; whichever the little model is not sure of.
        await using HostProcess again = await HostProcess.StartAsync(folder.Path);
        string[] expected = [.. unsure.Where((_, i) => Unsure(answers).Contains(i))];
        JsonElement listed = await again.GetJsonAsync("api/datasets/tickets/uncertain?limit=10");
        Assert.Equal(expected.Order(StringComparer.Ordinal), Texts(listed).Order(StringComparer.Ordinal));
        Assert.Equal(JsonValueKind.Null, listed.GetProperty("next").ValueKind);
        double[] margins = [.. listed.GetProperty("texts").EnumerateArray().Select(text => text.GetProperty("margin").GetDouble())];
        Assert.Equal(margins.Order(), margins);
        (await again.PostAsync("api/models/tickets/feedback", JsonSerializer.Serialize(new { text = Texts(listed)[0], label = "praise" }))).EnsureSuccessStatusCode().Dispose();
        Assert.Equal(Texts(listed).Skip(1), Texts(await again.GetJsonAsync("api/datasets/tickets/uncertain")));
        using HttpResponseMessage none = await again.GetAsync("api/datasets/tickets/uncertain?after=x");
        await Problem.ReadAsync(none, System.Net.HttpStatusCode.UnprocessableEntity, "invalid-input");
    }

    private static string[] Texts(JsonElement page) => [.. page.GetProperty("texts").EnumerateArray().Select(text => text.GetProperty("text").GetString()!)];

    private static int[] Unsure(JsonElement predictions) =>
    [
        .. predictions.EnumerateArray().Take(9).Select((row, index) => (index, Margin: row[0].GetProperty("score").GetDouble() - row[1].GetProperty("score").GetDouble()))
            .Where(row => row.Margin <= 0.5).Select(row => row.index),
    ];
}
