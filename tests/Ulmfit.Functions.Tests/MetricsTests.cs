using System.Text.Json;
using EmbeddedHost.Tests.Hosting;
using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Functions.Tests;

/// <summary>What the host's <c>/metrics</c> tells of what it has done, against what the API tells.</summary>
public sealed class MetricsTests(SharedHost shared) : IClassFixture<SharedHost>
{
    private HostProcess Host => shared.Host;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Metrics_OfARun_AreThoseOfItsHistory()
    {
        await Host.PutOkAsync("api/datasets/measured/settings", TinySettings.Both);
        await Host.PutOkAsync("api/datasets/measured/drops/a.csv", TinyData.Csv(100));
        JsonElement run = await Host.WaitForRunAsync("measured-1");
        Assert.Equal("completed", run.GetProperty("status").GetString());
        JsonElement[] history = [.. run.GetProperty("history").EnumerateArray()];

        const string Of = "ulmfit_model_name=\"measured\"";
        Exposition metrics = await Host.GetMetricsAsync();

        Assert.Equal(1, metrics["ulmfit_training_runs_total{ulmfit_model_name=\"measured\",ulmfit_outcome=\"completed\"}"]);
        Assert.Equal(1, metrics.Sum("ulmfit_training_run_duration_seconds_count", Of));
        Assert.Equal(history.Length, metrics.Sum("ulmfit_training_epochs_total", Of));
        foreach (string direction in (string[])["forward", "backward"])
        {
            string classifier = $"{{ulmfit_direction=\"{direction}\",{Of},ulmfit_phase=\"classifier\"";
            JsonElement[] epochs = [.. history.Where(e => e.GetProperty("direction").GetString() == direction && e.GetProperty("stage").GetString() != "lm")];
            Assert.Equal(epochs.Length, metrics[$"ulmfit_training_epochs_total{classifier}}}"]);
            Assert.Equal(epochs[^1].GetProperty("heldOutLoss").GetDouble(), metrics[$"ulmfit_training_loss{classifier},ulmfit_set=\"held_out\"}}"], 6);
            Assert.Equal(epochs[^1].GetProperty("trainLoss").GetDouble(), metrics[$"ulmfit_training_loss{classifier},ulmfit_set=\"train\"}}"], 6);
            Assert.Equal(epochs.Sum(e => e.GetProperty("seconds").GetDouble()), metrics[$"ulmfit_training_epoch_duration_seconds_sum{classifier}}}"], tolerance: 0.001);
            Assert.True(metrics[$"ulmfit_training_steps_total{classifier}}}"] >= epochs.Length);
            Assert.True(metrics[$"ulmfit_training_tokens_total{classifier}}}"] > metrics[$"ulmfit_training_steps_total{classifier}}}"]);
            Assert.True(metrics[$"ulmfit_training_throughput_per_second{classifier}}}"] > 0);
        }
    }

    [Fact]
    public async Task Metrics_OfRequestsAtOnce_ComeToTheKnownCounts()
    {
        await Host.PutOkAsync("api/datasets/asked/settings", TinySettings.Forward);
        await Host.PutOkAsync("api/datasets/asked/drops/a.csv", TinyData.Csv(100));
        await Host.WaitForRunAsync("asked-1");
        string[] texts = [.. TinyData.Rows(7, seed: 9).Select(row => row.Text)];
        Exposition before = await Host.GetMetricsAsync();

        // Eight callers, each with ten requests of one to seven texts, and five of its ten others that are none.
        await Task.WhenAll(Enumerable.Range(0, 8).Select(caller => Task.Run(
            async () =>
            {
                for (int i = 0; i < 10; i++)
                {
                    await Host.ClassifyAsync("asked", texts[..((caller + i) % 7 + 1)]);
                    using HttpResponseMessage none = await Host.PostAsync($"api/models/{(i % 2 == 0 ? "asked" : "never-heard-of")}/classify", i % 2 == 0 ? "{}" : """{"inputs": "a"}""");
                    Assert.False(none.IsSuccessStatusCode);
                }
            },
            Ct)));

        const string Of = "ulmfit_model_name=\"asked\",ulmfit_model_version=\"1\"";
        int sent = Enumerable.Range(0, 8).Sum(caller => Enumerable.Range(0, 10).Sum(i => (caller + i) % 7 + 1));
        Exposition after = await Host.GetMetricsAsync();
        Assert.Equal(80, after[$"ulmfit_classify_requests_total{{{Of},ulmfit_outcome=\"answered\"}}"]);
        Assert.Equal(80, after[$"ulmfit_classify_duration_seconds_count{{{Of},ulmfit_outcome=\"answered\"}}"]);
        Assert.Equal(sent, after[$"ulmfit_classify_texts_total{{{Of}}}"]);
        Assert.True(after[$"ulmfit_classify_tokens_total{{{Of}}}"] > 5 * sent);
        Assert.True(after[$"ulmfit_classify_batch_size_sum{{{Of}}}"] >= sent);
        Assert.Equal(after[$"ulmfit_classify_compute_duration_seconds_count{{{Of}}}"], after[$"ulmfit_classify_batch_size_count{{{Of}}}"]);
        Assert.Equal(80, after["ulmfit_classify_queue_duration_seconds_count{ulmfit_model_name=\"asked\"}"]);
        Assert.Equal(0, after["ulmfit_classify_queue_length{ulmfit_model_name=\"asked\"}"]);
        Assert.Equal(0, after["ulmfit_classify_active_requests"]);
        Assert.Equal(40, after["ulmfit_classify_requests_total{ulmfit_outcome=\"invalid\"}"] - before.Count("ulmfit_classify_requests_total{ulmfit_outcome=\"invalid\"}"));
        Assert.Equal(40, after["ulmfit_classify_requests_total{ulmfit_outcome=\"not_found\"}"] - before.Count("ulmfit_classify_requests_total{ulmfit_outcome=\"not_found\"}"));
        Assert.Equal(1, after["ulmfit_model_champion{ulmfit_model_name=\"asked\"}"]);
        Assert.Equal(1, after[$"ulmfit_model_loaded{{{Of}}}"]);
        Assert.Equal(1, after[$"ulmfit_model_load_duration_seconds_count{{{Of},ulmfit_outcome=\"loaded\"}}"]);
        Assert.DoesNotContain(after.Series, series => series.Contains("never-heard-of", StringComparison.Ordinal));
    }
}
