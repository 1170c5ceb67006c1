using System.Text.Json;
using Ulmfit.Reliability;

namespace ServingBenchmark;

/// <summary>A fine-tuning of the shipped English model that goes on for longer than any measurement.</summary>
internal sealed class BackgroundTraining : IAsyncDisposable
{
    private const string Dataset = "background";
    private const int Rows = 2000;
    private const int Epochs = 1000;
    private static readonly TimeSpan Within = TimeSpan.FromMinutes(5);

    private readonly HostUnderTest host;

    private BackgroundTraining(HostUnderTest host) => this.host = host;

    /// <summary>Begins it, and waits until it trains.</summary>
    public static async Task<BackgroundTraining> StartAsync(HostUnderTest host, CancellationToken ct)
    {
        await host.PutAsync(
            $"api/datasets/{Dataset}/settings",
            JsonSerializer.Serialize(new { directions = "forward", languageModel = new { epochs = Epochs } }),
            ct);
        await host.PutAsync($"api/datasets/{Dataset}/drops/a.csv", SampleTexts.Csv(Rows, seed: 7), ct);
        await host.WaitForAsync(
            $"api/runs/{Dataset}-1", run => run.TryGetProperty("progress", out JsonElement progress) && progress.ValueKind == JsonValueKind.Number, "the training goes on", Within, ct);
        return new BackgroundTraining(host);
    }

    /// <summary>Whether it still goes on: what was measured beside one that has ended is worth nothing.</summary>
    public async Task<bool> GoesOnAsync(CancellationToken ct) => HostUnderTest.StatusOf(await host.FindAsync($"api/runs/{Dataset}-1", ct)) == "running";

    /// <summary>Calls it off.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!host.HasEnded)
        {
            await host.DeleteAsync($"api/runs/{Dataset}-1", CancellationToken.None);
        }
    }
}
