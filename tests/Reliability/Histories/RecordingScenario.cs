namespace Ulmfit.Reliability.Histories;

/// <summary>A state that orchestrations can be in, brought about by a real host.</summary>
/// <param name="Name">What it is called in the names of files.</param>
/// <param name="BringAboutAsync">Brings it about over a host and its data folder; the host is killed when it returns.</param>
internal sealed record RecordingScenario(string Name, Func<HostUnderTest, string, CancellationToken, Task> BringAboutAsync)
{
    private const string Dataset = "tickets";
    private const string OneEpochOfEach = """
        {"pretrained": "none", "directions": "both", "strategy": "full", "heldOutFraction": 0.2, "sliceSteps": 20,
         "languageModel": {"fineTune": true, "epochs": 1, "bptt": 20}, "classifier": {"epochs": 2, "batch": 16}}
        """;
    private const string Pretraining = """{"corpus": "unlabeled/texts/corpus.txt", "size": "tiny", "batch": 4, "bptt": 9, "minimumCount": 1, "sliceSteps": 40, "epochs": EPOCHS}""";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary>For how long drops must stand still before a run begins, in seconds.</summary>
    public string SettleSeconds { get; init; } = "0.3";

    /// <summary>All that are recorded.</summary>
    public static IReadOnlyList<RecordingScenario> All { get; } =
    [
        new("settling", SettleAsync) { SettleSeconds = "3600" },
        new("training", TrainAsync),
        new("canceled", CancelAsync),
        new("completed", CompleteAsync),
        new("retried", RetryAsync),
        new("failed", FailAsync),
        new("pretraining", PretrainAsync),
        new("pretraining-canceled", CancelPretrainingAsync),
        new("pretraining-completed", CompletePretrainingAsync),
        new("pretraining-failed", FailPretrainingAsync),
    ];

    private static async Task SettleAsync(HostUnderTest host, string data, CancellationToken ct)
    {
        await DropAsync(host, OneEpochOfEach, ct);
        await HostUnderTest.UntilAsync(() => Task.FromResult(HubFolder.Find(data, $"retrain-{Dataset}") is { WaitsForATimer: true }), "drops settle", Patience, ct);
    }

    private static async Task TrainAsync(HostUnderTest host, string data, CancellationToken ct)
    {
        await DropAsync(host, OneEpochOfEach.Replace("\"epochs\": 1", "\"epochs\": 1000", StringComparison.Ordinal), ct);
        await HostUnderTest.UntilAsync(
            () => Task.FromResult(new[] { "forward", "backward" }.All(direction => HubFolder.Find(data, $"train-{Dataset}-1-{direction}") is { Turns: > 3, OpenActivities.Count: 1 })),
            "both directions train", Patience, ct);
    }

    private static async Task CancelAsync(HostUnderTest host, string data, CancellationToken ct)
    {
        await TrainAsync(host, data, ct);
        await host.DeleteAsync($"api/runs/{Dataset}-1", ct);
        await EndAsync(data, $"retrain-{Dataset}", ct);
    }

    private static async Task CompleteAsync(HostUnderTest host, string data, CancellationToken ct)
    {
        await DropAsync(host, OneEpochOfEach, ct);
        await host.WaitForRunAsync($"{Dataset}-1", "completed", Patience, ct);
        await EndAsync(data, $"retrain-{Dataset}", ct);

        // The same data once more give the same model, which is no better than the champion.
        await host.PostAsync($"api/datasets/{Dataset}/runs", new { }, ct);
        await host.WaitForRunAsync($"{Dataset}-2", "rejected", Patience, ct);
        await EndAsync(data, $"retrain-{Dataset}", ct);
    }

    // A file in the place of the models' folder: whoever looks for models there fails, and is tried again.
    private static async Task RetryAsync(HostUnderTest host, string data, CancellationToken ct)
    {
        string models = Path.Combine(data, "models");
        if (Directory.Exists(models))
        {
            Directory.Delete(models, recursive: true);
        }
        await File.WriteAllTextAsync(models, "in the way", ct);
        await DropAsync(host, OneEpochOfEach, ct);
        await HostUnderTest.UntilAsync(() => Task.FromResult(HubFolder.Find(data, $"retrain-{Dataset}") is { FailedActivities: > 0 }), "an activity fails", Patience, ct);
        File.Delete(models);
        await host.WaitForRunAsync($"{Dataset}-1", "completed", Patience, ct);
        await EndAsync(data, $"retrain-{Dataset}", ct);
    }

    private static async Task FailAsync(HostUnderTest host, string data, CancellationToken ct)
    {
        await DropAsync(host, OneEpochOfEach.Replace("\"none\"", "\"absent\"", StringComparison.Ordinal), ct);
        await host.WaitForRunAsync($"{Dataset}-1", "failed", Patience, ct);
        await EndAsync(data, $"retrain-{Dataset}", ct);
    }

    private static async Task PretrainAsync(HostUnderTest host, string data, CancellationToken ct)
    {
        await OrderAsync(host, data, Corpus(), epochs: 1000, ct);
        await HostUnderTest.UntilAsync(() => Task.FromResult(HubFolder.Find(data, "pretrain-made") is { Turns: > 4, OpenActivities.Count: 1 }), "slices are trained", Patience, ct);
    }

    private static async Task CancelPretrainingAsync(HostUnderTest host, string data, CancellationToken ct)
    {
        await PretrainAsync(host, data, ct);
        await host.DeleteAsync("api/pretrained/made", ct);
        await EndAsync(data, "pretrain-made", ct);
    }

    private static async Task CompletePretrainingAsync(HostUnderTest host, string data, CancellationToken ct)
    {
        await OrderAsync(host, data, Corpus(), epochs: 1, ct);
        await EndAsync(data, "pretrain-made", ct);
    }

    private static async Task FailPretrainingAsync(HostUnderTest host, string data, CancellationToken ct)
    {
        await OrderAsync(host, data, [.. "a line\n"u8, 0xC3, 0x28, (byte)'\n', .. Corpus()], epochs: 1, ct);
        await EndAsync(data, "pretrain-made", ct);
    }

    private static async Task DropAsync(HostUnderTest host, string settings, CancellationToken ct)
    {
        await host.PutAsync($"api/datasets/{Dataset}/settings", settings, ct);
        await host.PutAsync($"api/datasets/{Dataset}/drops/a.csv", SampleTexts.Csv(300, seed: 1), ct);
    }

    private static async Task OrderAsync(HostUnderTest host, string data, byte[] corpus, int epochs, CancellationToken ct)
    {
        string folder = Path.Combine(data, "unlabeled", "texts");
        Directory.CreateDirectory(folder);
        await File.WriteAllBytesAsync(Path.Combine(folder, "corpus.txt"), corpus, ct);
        await host.PutAsync("api/pretrained/made", Pretraining.Replace("EPOCHS", epochs.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal), ct);
    }

    private static byte[] Corpus()
    {
        string[] nouns = ["dog", "cat", "bird", "child", "king", "wind"], verbs = ["barks", "purrs", "sings", "laughs", "rules", "blows"];
        return System.Text.Encoding.UTF8.GetBytes(string.Join("\n\n", Enumerable.Range(0, 60).Select(d =>
            string.Join('\n', Enumerable.Range(0, 3 + (d % 5)).Select(s => $"the {nouns[(d + s) % 6]} {verbs[(d + s) % 6]} .")))) + "\n");
    }

    private static Task EndAsync(string data, string instance, CancellationToken ct) =>
        HostUnderTest.UntilAsync(() => Task.FromResult(HubFolder.Find(data, instance) is { Status: "Completed" }), $"the orchestration {instance} ends", Patience, ct);
}
