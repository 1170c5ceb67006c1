using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Ulmfit.Data;
using Ulmfit.Metrics;
using Ulmfit.Pipeline;
using Ulmfit.Storage;

namespace Ulmfit.Functions.Demo;

/// <summary>
/// What a newcomer sees with <c>--demo</c>: the bundled sample is dropped as any user would drop it, the run is waited for, and the
/// published model is asked over HTTP. Then the host goes on serving, or ends with <c>--exit-after-demo</c>.
/// </summary>
internal sealed partial class Demonstration(
    AppSettings settings, IBlobStore store, IServiceProvider services, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<Demonstration> logger)
    : BackgroundService
{
    private const string Dataset = "support";
    private static readonly TimeSpan PollEvery = TimeSpan.FromSeconds(1);

    private static readonly string[] Messages =
    [
        "hi, my parcel says delivered since tuesday but there is nothing here, can you find out where it went?",
        "you took the money for my order twice!! please send one of the payments back",
        "cannot log in any more, it says my password is wrong and the reset mail never comes",
    ];

    /// <inheritdoc/>
    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "The demonstration's own edge: its failure is told and becomes the exit code; the host goes on.")]
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        bool succeeded = false;
        try
        {
            var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using CancellationTokenRegistration registration = lifetime.ApplicationStarted.Register(started.SetResult);
            await started.Task.WaitAsync(stoppingToken);
            succeeded = await RunAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            return;
        }
        catch (Exception e)
        {
            LogBroken(e);
        }
        if (settings.ExitAfterDemo)
        {
            Environment.ExitCode = succeeded ? 0 : 1;
            lifetime.StopApplication();
        }
    }

    private async Task<bool> RunAsync(CancellationToken ct)
    {
        if (Flavour.AddressOf(services) is not { } address)
        {
            LogNoAddress();
            return false;
        }
        using var http = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromMinutes(5) };
        if (await FindAsync(http, $"api/models/{Dataset}", ct) is { } existing && existing.GetProperty("champion") is { ValueKind: JsonValueKind.Number } champion)
        {
            LogExists(Dataset, champion.GetInt32());
        }
        else
        {
            if (!await TrainAsync(http, ct))
            {
                return false;
            }
            await ScoreAsync(http, ct);
        }
        JsonElement answer = await ClassifyAsync(http, Messages, topK: 3, ct);
        foreach ((string message, JsonElement labels) in Messages.Zip(answer.GetProperty("predictions").EnumerateArray()))
        {
            LogClassified(message, string.Join(", ", labels.EnumerateArray().Select(label =>
                string.Create(CultureInfo.InvariantCulture, $"{label.GetProperty("label").GetString()} {label.GetProperty("score").GetDouble():0.000}"))));
        }
        LogServing(address, Dataset);
        return true;
    }

    private async Task<bool> TrainAsync(HttpClient http, CancellationToken ct)
    {
        if (await FindAsync(http, $"api/datasets/{Dataset}/settings", ct) is null)
        {
            // One direction and few epochs: what somebody watches ends soon. A data set that is there has what somebody gave it.
            using var brief = new StreamContent(OpenSample("support-settings.json"));
            using HttpResponseMessage put = await http.PutAsync(new Uri($"api/datasets/{Dataset}/settings", UriKind.Relative), brief, ct);
            await CheckAsync(put, ct);
        }
        await using (FileStream unlabeled = OpenSample("support-unlabeled.txt"))
        {
            // Before the labelled drop, which starts the run. There is no call for unlabelled text: it is put where users put it.
            await store.PutIfAbsentAsync(Containers.Unlabeled, $"{Dataset}/support-unlabeled.txt", unlabeled, ct);
        }
        using (var content = new StreamContent(OpenSample("support.csv")))
        using (HttpResponseMessage stored = await http.PutAsync(new Uri($"api/datasets/{Dataset}/drops/support.csv", UriKind.Relative), content, ct))
        {
            await CheckAsync(stored, ct);
            LogDropped(Dataset);
            if (stored.StatusCode == HttpStatusCode.OK)
            {
                // It was there already, so an earlier run of it ended without a model, or one is still going on.
                using HttpResponseMessage run = await http.PostAsync(new Uri($"api/datasets/{Dataset}/runs", UriKind.Relative), null, ct);
                if (run.StatusCode != HttpStatusCode.Conflict)
                {
                    await CheckAsync(run, ct);
                }
            }
        }
        using var timer = new PeriodicTimer(PollEvery, time);
        while (await timer.WaitForNextTickAsync(ct))
        {
            JsonElement runs = (await FindAsync(http, $"api/runs?dataset={Dataset}", ct))!.Value.GetProperty("runs");
            if (runs.GetArrayLength() == 0)
            {
                if (await FindAsync(http, $"api/datasets/{Dataset}", ct) is { } dataset && dataset.GetProperty("status").GetString() == "refused")
                {
                    LogRefused(Dataset, dataset.GetProperty("reason").GetString());
                    return false;
                }
                continue;
            }
            JsonElement latest = runs[0];
            string? status = latest.GetProperty("status").GetString();
            if (status == "completed")
            {
                return true;
            }
            if (status is not ("queued" or "running"))
            {
                string? why = latest.GetProperty("error").GetString() ?? latest.GetProperty("decision").GetString();
                LogRunEnded(latest.GetProperty("id").GetString(), status, why);
                return false;
            }
        }
        return false;
    }

    private async Task ScoreAsync(HttpClient http, CancellationToken ct)
    {
        await using FileStream sample = OpenSample("support-heldout.csv");
        IReadOnlyList<LabeledRow> rows = LabeledDataReader.Read(sample, "support-heldout.csv").Rows;
        JsonElement answer = await ClassifyAsync(http, [.. rows.Select(row => row.Text)], topK: 1, ct);
        string[] predicted = [.. answer.GetProperty("predictions").EnumerateArray().Select(labels => labels[0].GetProperty("label").GetString()!)];
        string[] labels = [.. rows.Select(row => row.Label).Concat(predicted).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        ClassificationMetrics metrics = ClassificationMetrics.FromPredictions(
            labels, [.. rows.Select(row => Array.IndexOf(labels, row.Label))], [.. predicted.Select(label => Array.IndexOf(labels, label))]);
        LogScores(answer.GetProperty("version").GetInt32(), rows.Count, metrics.Accuracy, metrics.MacroF1);
    }

    private static async Task<JsonElement> ClassifyAsync(HttpClient http, IReadOnlyList<string> inputs, int topK, CancellationToken ct)
    {
        using HttpResponseMessage response = await http.PostAsJsonAsync(
            new Uri($"api/models/{Dataset}/classify", UriKind.Relative),
            new Dictionary<string, object> { ["inputs"] = inputs, ["parameters"] = new Dictionary<string, int> { ["top_k"] = topK } },
            ct);
        await CheckAsync(response, ct);
        return await response.Content.ReadFromJsonAsync<JsonElement>(ct);
    }

    private static async Task<JsonElement?> FindAsync(HttpClient http, string path, CancellationToken ct)
    {
        using HttpResponseMessage response = await http.GetAsync(new Uri(path, UriKind.Relative), ct);
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
        await CheckAsync(response, ct);
        return await response.Content.ReadFromJsonAsync<JsonElement>(ct);
    }

    private static async Task CheckAsync(HttpResponseMessage response, CancellationToken ct)
    {
        if (!response.IsSuccessStatusCode)
        {
            throw new InvalidOperationException(
                $"{response.RequestMessage?.Method} {response.RequestMessage?.RequestUri} was answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(ct)}");
        }
    }

    private static FileStream OpenSample(string name) => File.OpenRead(Path.Combine(AppContext.BaseDirectory, "Sample", name));

    [LoggerMessage(120, LogLevel.Information, "Demonstration: the sample was dropped as data set {Dataset}; its run starts by itself.")]
    private partial void LogDropped(string dataset);

    [LoggerMessage(121, LogLevel.Information, "Demonstration: there is a model {Model} already, version {Version}; it is not trained again.")]
    private partial void LogExists(string model, int version);

    [LoggerMessage(122, LogLevel.Information, "Demonstration: version {Version} on {Rows} held-out messages: accuracy {Accuracy:0.000}, macro-F1 {MacroF1:0.000}")]
    private partial void LogScores(int version, int rows, double accuracy, double macroF1);

    [LoggerMessage(123, LogLevel.Information, "Demonstration: \"{Message}\" -> {Labels}")]
    private partial void LogClassified(string message, string labels);

    [LoggerMessage(124, LogLevel.Information, "Demonstration: done. Ask it yourself: POST {Address}api/models/{Model}/classify with {{\"inputs\": \"your text\"}}")]
    private partial void LogServing(Uri address, string model);

    [LoggerMessage(125, LogLevel.Error, "Demonstration: the run {Run} ended as {Status}: {Why}")]
    private partial void LogRunEnded(string? run, string? status, string? why);

    [LoggerMessage(126, LogLevel.Error, "Demonstration: the data set {Dataset} gives nothing to train on: {Reason}")]
    private partial void LogRefused(string dataset, string? reason);

    [LoggerMessage(127, LogLevel.Error, "Demonstration: it could not go on.")]
    private partial void LogBroken(Exception exception);

    [LoggerMessage(128, LogLevel.Error, "Demonstration: this host does not know its own address, so nothing can be shown.")]
    private partial void LogNoAddress();
}
