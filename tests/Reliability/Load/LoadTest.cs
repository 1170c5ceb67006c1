using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Ulmfit.Reliability.Load;

/// <summary>
/// Two versions of a model; clients that ask for the champion as fast as it answers; a training that goes on; and promotions under
/// them all. Every answer must be, as it is printed, the one that the version it names gives alone.
/// </summary>
internal sealed class LoadTest(LoadOptions options, Action<string> tell)
{
    private const string Model = "tickets";
    private const string Background = "background";
    private static readonly TimeSpan TrainWithin = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(15);

    /// <summary>Runs it over a folder.</summary>
    /// <param name="data">An empty folder.</param>
    /// <param name="ct">Gives up.</param>
    /// <exception cref="CheckFailedException">What the load builds on does not work.</exception>
    public async Task<LoadReport> RunAsync(string data, CancellationToken ct)
    {
        var settings = new Dictionary<string, string> { ["Drops:SettleSeconds"] = "0.3" };
        if (options.Threads is { } threads)
        {
            settings["Training:Threads"] = threads.ToString(CultureInfo.InvariantCulture);
        }
        await using HostUnderTest host = await HostUnderTest.StartAsync(data, settings, ct);
        tell($"The host listens on {host.Address}; two versions of a model are trained.");
        await PublishAsync(host, run: 1, epochs: 3, ct);
        await PublishAsync(host, run: 2, epochs: 5, ct);
        KnownAnswers known = await KnownAnswers.AskAsync(host, Model, [1, 2], SampleTexts.Questions(options.Questions, seed: 99), ct);
        await host.PutAsync($"api/datasets/{Background}/settings", Settings(languageModelEpochs: 1000, epochs: 3, slice: 100), ct);
        await host.PutAsync($"api/datasets/{Background}/drops/a.csv", SampleTexts.Csv(options.BackgroundRows, seed: 7), ct);
        await host.WaitForAsync($"api/runs/{Background}-1", run => run.TryGetProperty("progress", out JsonElement progress) && progress.ValueKind == JsonValueKind.Number, "the training goes on", TrainWithin, ct);
        int stepsBefore = Steps(data);

        tell($"Each version's answers to {known.Texts.Count} texts are known and a training goes on; {options.Clients} clients begin.");
        LoadReport report = await LoadAsync(host, known, ct);

        JsonElement training = await host.FindAsync($"api/runs/{Background}-1", ct);
        bool trains = HostUnderTest.StatusOf(training) == "running";
        report = report with
        {
            TrainedSteps = trains ? Steps(data) - stepsBefore : 0,
            Messages = trains ? report.Messages : [.. report.Messages, $"The training ended: {training.GetRawText()}"],
        };
        await host.DeleteAsync($"api/runs/{Background}-1", ct);
        await host.WaitForRunAsync($"{Background}-1", "canceled", TrainWithin, ct);
        return report;
    }

    private static string Settings(int languageModelEpochs, int epochs, int? slice = null) => JsonSerializer.Serialize(new
    {
        pretrained = "none",
        directions = "both",
        strategy = "full",
        heldOutFraction = 0.2,
        sliceSteps = slice,
        languageModel = new { fineTune = true, epochs = languageModelEpochs, bptt = 20 },
        classifier = new { epochs, batch = 16 },
    });

    private static async Task PublishAsync(HostUnderTest host, int run, int epochs, CancellationToken ct)
    {
        await host.PutAsync($"api/datasets/{Model}/settings", Settings(languageModelEpochs: 2, epochs), ct);
        await host.PutAsync($"api/datasets/{Model}/drops/{run}.csv", SampleTexts.Csv(300, (ulong)run), ct);
        await host.WaitForRunAsync($"{Model}-{run}", "completed", TrainWithin, ct);
    }

    // Manifests of finished epochs and slices, as the store holds them.
    private static int Steps(string data)
    {
        string folder = Path.Combine(data, "state", "steps", Background);
        return Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.json", SearchOption.AllDirectories).Count() : 0;
    }

    private async Task<LoadReport> LoadAsync(HostUnderTest host, KnownAnswers known, CancellationToken ct)
    {
        var promotions = new PromotionLog(champion: 2);
        var memory = new MemorySampler(host);
        LoadClient[] clients = [.. Enumerable.Range(0, options.Clients).Select(i => new LoadClient(host, Model, known, promotions, i))];
        int asked = 0;
        long began = Stopwatch.GetTimestamp();
        TimeSpan told = TimeSpan.Zero;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(ct);
        try
        {
            Task sampling = memory.RunAsync(Tell, ended.Token);
            Task promoting = PromoteAsync(host, promotions, () => Progress(Volatile.Read(ref asked), Stopwatch.GetElapsedTime(began)), ct);
            await Task.WhenAll(clients.Select(client => Task.Run(() => client.RunAsync(GoesOn, ct), ct)));
            TimeSpan duration = Stopwatch.GetElapsedTime(began);
            await promoting;
            await ended.CancelAsync();
            await sampling;
            return Report(clients, promotions, memory, duration);
        }
        finally
        {
            foreach (LoadClient client in clients)
            {
                client.Dispose();
            }
        }

        bool GoesOn() => !host.HasEnded && (Volatile.Read(ref asked) < options.Requests || Stopwatch.GetElapsedTime(began) < options.Duration) && Interlocked.Increment(ref asked) > 0;

        void Tell(TimeSpan elapsed, long bytes)
        {
            if (elapsed - told >= TellEvery)
            {
                told = elapsed;
                tell(string.Create(CultureInfo.InvariantCulture, $"{elapsed.TotalSeconds:0} s: {Volatile.Read(ref asked)} requests, champion promoted {promotions.Acknowledged} times, {bytes >> 20} MiB resident"));
            }
        }
    }

    // What share of the whole is behind us, by requests and by time.
    private double Progress(int asked, TimeSpan elapsed) =>
        Math.Min((double)asked / options.Requests, options.Duration == TimeSpan.Zero ? double.PositiveInfinity : elapsed / options.Duration);

    private async Task PromoteAsync(HostUnderTest host, PromotionLog log, Func<double> progress, CancellationToken ct)
    {
        for (int promotion = 1; promotion <= options.Promotions; promotion++)
        {
            double due = (double)promotion / (options.Promotions + 1);
            await HostUnderTest.UntilAsync(() => Task.FromResult(progress() >= due || host.HasEnded), "a promotion is due", TimeSpan.FromHours(1), ct);
            int version = promotion % 2 == 0 ? 2 : 1;
            log.Begin(version);
            await host.PutAsync($"api/models/{Model}/champion", $$"""{"version": {{version}}}""", ct);
            log.End();
        }
    }

    private static LoadReport Report(LoadClient[] clients, PromotionLog promotions, MemorySampler memory, TimeSpan duration) => new()
    {
        Requests = clients.Sum(client => client.Milliseconds.Count),
        Wrong = clients.Sum(client => client.Wrong),
        Stale = clients.Sum(client => client.Stale),
        Failed = clients.Sum(client => client.Failed),
        Reconnections = clients.Sum(client => client.Connections) - clients.Length,
        Duration = duration,
        Milliseconds = [.. clients.SelectMany(client => client.Milliseconds).Order()],
        ByVersion = clients.SelectMany(client => client.ByVersion).GroupBy(pair => pair.Key).OrderBy(group => group.Key).ToDictionary(group => group.Key, group => group.Sum(pair => pair.Value)),
        Promotions = promotions.Acknowledged,
        TrainedSteps = 0,
        MemoryAfterTheFirstMinute = memory.AfterTheFirstMinute,
        MemoryAtTheEnd = memory.AtTheEnd,
        MemoryAtMost = memory.Most,
        Messages = [.. clients.SelectMany(client => client.Messages).Take(10)],
    };
}
