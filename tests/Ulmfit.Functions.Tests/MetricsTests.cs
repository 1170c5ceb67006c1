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
        Exposition metrics = await ReadAsync();

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

    private async Task<Exposition> ReadAsync() => Exposition.Parse(await Host.Http.GetStringAsync(new Uri("metrics", UriKind.Relative), Ct));
}
