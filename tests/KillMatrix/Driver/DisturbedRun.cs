using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using HostDriver;
using KillMatrix.Agent;

namespace KillMatrix.Driver;

/// <summary>One run of the matrix: a workload from its first drop to the purge, over as many lives of the host as it is killed.</summary>
internal sealed class DisturbedRun(MatrixOptions options, Workload workload, IReadOnlyList<Kill> kills) : IDisposable
{
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly DataDirectory folder = new();
    private bool hasSettings;
    private int drops;
    private int life;

    /// <summary>Kills that have happened.</summary>
    public List<Kill> Done { get; } = [];

    /// <summary>What the last life of the host wrote.</summary>
    public IReadOnlyCollection<string> Output { get; private set; } = [];

    /// <summary>Where the data are.</summary>
    public DataDirectory Folder => folder;

    /// <summary>The writes of the first life, in order.</summary>
    public IReadOnlyList<string> FirstWrites => File.ReadAllLines(folder.Journal(1));

    /// <summary>Goes through it.</summary>
    /// <exception cref="StuckException">It does not end, or the host ends by itself.</exception>
    public async Task<Outcome> RunAsync(CancellationToken ct)
    {
        for (int next = 0; ; next++)
        {
            Kill? kill = next < kills.Count ? kills[next] : null;
            life++;
            await using AppProcess host = HostUnderTest.Start(folder, folder.Journal(life), Remaining(kill?.Point));
            Output = host.Output;
            if (await LiveAsync(host, kill, ct) is { } outcome)
            {
                // Not killed once more, which might be within a write.
                await host.StopAsync(ct);
                return outcome with { Files = folder.Files(), Unreferenced = folder.Unreferenced(), Temporary = folder.LeftInTemporary() };
            }
            Done.Add(kill!);
        }
    }

    public void Dispose() => folder.Dispose();

    // What earlier lives have written of the same kind does not come again.
    private WritePoint? Remaining(WritePoint? point)
    {
        if (point is null)
        {
            return null;
        }
        int before = Enumerable.Range(1, life - 1).Sum(l => File.ReadLines(folder.Journal(l)).Count(line => line == point.Operation));
        return point with { Occurrence = Math.Max(1, point.Occurrence - before) };
    }

    /// <summary>One life of the host.</summary>
    /// <returns>What the run has come to; null where the host was killed before.</returns>
    private async Task<Outcome?> LiveAsync(AppProcess host, Kill? kill, CancellationToken ct)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ct);
        over.CancelAfter(options.StuckAfter);
        (long Writes, int Words) seen = default;
        await using var look = new Timer(
            _ =>
            {
                // The time runs anew with every sign of work, so that a busy machine does not look like a host that hangs.
                if (SignsOfWork(host) is var now && now != seen)
                {
                    seen = now;
                    over.CancelAfter(options.StuckAfter);
                }
            },
            null, LookEvery, LookEvery);
        bool killed = false;
        using Timer? timer = kill is { Point: null } ? new Timer(_ => killed = host.Kill(), null, kill.At, Timeout.InfiniteTimeSpan) : null;
        try
        {
            using var dead = CancellationTokenSource.CreateLinkedTokenSource(over.Token);
            Task<Outcome?> work = WorkAsync(host, dead.Token);
            await Task.WhenAny(work, host.Exited);
            if (work.IsCompletedSuccessfully && work.Result is not null)
            {
                return work.Result;
            }
            if (!host.Exited.IsCompleted)
            {
                await work;
            }
            await dead.CancelAsync();
            await ((Task)work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new StuckException(FormattableString.Invariant($"no end, and no sign of work for {options.StuckAfter.TotalSeconds:0} s"));
        }
        if (killed || WasKilledAtItsPoint())
        {
            return null;
        }
        throw new StuckException("the host ended by itself");
    }

    // Reconcile's own lines come every minute in a host that does nothing else.
    private (long Writes, int Words) SignsOfWork(AppProcess host) => (
        File.Exists(folder.Journal(life)) ? new FileInfo(folder.Journal(life)).Length : 0,
        host.Output.Count(line => !line.Contains("Reconcile", StringComparison.Ordinal)));

    private bool WasKilledAtItsPoint() =>
        File.ReadLines(folder.Journal(life)).LastOrDefault()?.StartsWith(KillAgent.KilledMark, StringComparison.Ordinal) == true;

    /// <summary>What a user does: puts settings and drops, again until each is acknowledged, and waits.</summary>
    private async Task<Outcome?> WorkAsync(AppProcess host, CancellationToken ct)
    {
        if (await host.Address.WaitAsync(ct) is not { } address)
        {
            return null;
        }
        using var http = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(30) };
        while (true)
        {
            try
            {
                if (!hasSettings)
                {
                    await PutAsync(http, $"api/datasets/{Workload.Dataset}/settings", Workload.Settings, ct);
                    hasSettings = true;
                }
                if (drops < workload.Drops.Count && (drops == 0 || await HasBegunAsync(http, ct)))
                {
                    (string name, string content) = workload.Drops[drops];
                    await PutAsync(http, $"api/datasets/{Workload.Dataset}/drops/{name}", content, ct);
                    drops++;
                }
                if (drops == workload.Drops.Count && await FindOutcomeAsync(http, ct) is { } outcome)
                {
                    return outcome;
                }
            }
            catch (HttpRequestException) when (host.Exited.IsCompleted || !ct.IsCancellationRequested)
            {
                // It is being killed, which the caller sees.
            }
            await Task.Delay(PollEvery, ct);
        }
    }

    private static async Task PutAsync(HttpClient http, string path, string content, CancellationToken ct)
    {
        using var body = new StringContent(content, Encoding.UTF8, "application/octet-stream");
        using HttpResponseMessage response = await http.PutAsync(new Uri(path, UriKind.Relative), body, ct);
        response.EnsureSuccessStatusCode();
    }

    private static async Task<bool> HasBegunAsync(HttpClient http, CancellationToken ct) =>
        await GetAsync(http, $"api/runs/{Workload.Dataset}-1", ct) is { } run && run.GetProperty("datasetVersion").ValueKind == JsonValueKind.Number;

    /// <summary>What it has come to; null while something still goes on.</summary>
    private async Task<Outcome?> FindOutcomeAsync(HttpClient http, CancellationToken ct)
    {
        if (await GetAsync(http, $"api/runs?dataset={Workload.Dataset}", ct) is not { } listed)
        {
            return null;
        }
        JsonElement[] runs = [.. listed.GetProperty("runs").EnumerateArray().OrderBy(run => run.GetProperty("id").GetString(), StringComparer.Ordinal)];
        if (runs.Length < workload.Runs || runs.Any(run => run.GetProperty("status").GetString() is "queued" or "running")
            || !await IsIdleAsync(http, ct)
            || await GetAsync(http, $"api/datasets/{Workload.Dataset}", ct) is not { } dataset || dataset.GetProperty("status").GetString() == "pending")
        {
            return null;
        }
        var model = new List<string>();
        if (await GetAsync(http, $"api/models/{Workload.Dataset}", ct) is { } published)
        {
            model.Add($"champion {published.GetProperty("champion")}");
            foreach (JsonElement version in published.GetProperty("versions").EnumerateArray())
            {
                int number = version.GetProperty("version").GetInt32();
                string Digest(string file) => folder.DigestOf(string.Create(CultureInfo.InvariantCulture, $"models/{Workload.Dataset}/{number}/{file}"));
                model.Add($"version {number} of {version.GetProperty("run")}: weights {version.GetProperty("weightsDigest")}, model.onnx {Digest("model.onnx")}, model.int8.onnx {Digest("model.int8.onnx")}, labels.json {Digest("labels.json")}, vocabulary.json {Digest("vocabulary.json")}");
            }
            model.AddRange(published.GetProperty("promotions").EnumerateArray().Select(promotion => $"promoted {promotion.GetProperty("version")} by {promotion.GetProperty("run")}"));
        }
        return new Outcome(
            [.. runs.Select(run => $"{run.GetProperty("id")} {run.GetProperty("status")} {run.GetProperty("weightsDigest")} {run.GetProperty("error")}")],
            model,
            [.. dataset.GetProperty("drops").EnumerateArray().Concat(dataset.GetProperty("unlabeled").EnumerateArray())
                .Select(drop => $"{drop.GetProperty("name")} {drop.GetProperty("status")} {drop.GetProperty("accepted")}")],
            [], [], []);
    }

    private static async Task<bool> IsIdleAsync(HttpClient http, CancellationToken ct)
    {
        using HttpResponseMessage response = await http.GetAsync(new Uri($"runtime/webhooks/durabletask/instances/retrain-{Workload.Dataset}", UriKind.Relative), ct);
        return response.StatusCode == HttpStatusCode.OK;
    }

    private static async Task<JsonElement?> GetAsync(HttpClient http, string path, CancellationToken ct)
    {
        using HttpResponseMessage response = await http.GetAsync(new Uri(path, UriKind.Relative), ct);
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadFromJsonAsync<JsonElement>(ct);
    }
}

/// <summary>A run does not end, or its host does.</summary>
internal sealed class StuckException(string message) : Exception(message);
