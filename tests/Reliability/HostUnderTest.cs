using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using HostDriver;

namespace Ulmfit.Reliability;

/// <summary>The host as a user starts it: a process of its own over a data folder, driven over HTTP.</summary>
internal sealed class HostUnderTest : IAsyncDisposable
{
    private static readonly TimeSpan StartWithin = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(100);

    private readonly AppProcess app;
    private readonly HttpClient http;

    private HostUnderTest(AppProcess app, Uri address)
    {
        this.app = app;
        Address = address;
        http = new HttpClient { BaseAddress = address };
    }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>What it has written so far.</summary>
    public IReadOnlyCollection<string> Output => app.Output;

    /// <summary>Whether it has ended.</summary>
    public bool HasEnded => app.HasEnded;

    /// <summary>Bytes of memory that it holds.</summary>
    public long ResidentBytes => app.ResidentBytes;

    /// <summary>Starts the host on a free port and waits until it listens.</summary>
    /// <param name="data">The folder of its state.</param>
    /// <param name="settings">Settings by name, as <c>Drops:SettleSeconds</c>.</param>
    /// <param name="ct">Gives up.</param>
    /// <param name="cores">The processors that it may run on; all of the caller's unless given.</param>
    public static async Task<HostUnderTest> StartAsync(string data, IReadOnlyDictionary<string, string> settings, CancellationToken ct, IReadOnlyList<int>? cores = null)
    {
        AppProcess app = AppProcess.Start(data, [], settings.ToDictionary(pair => pair.Key.Replace(":", "__", StringComparison.Ordinal), pair => pair.Value), cores);
        try
        {
            return new HostUnderTest(app, await app.ListensAsync(StartWithin, ct));
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    /// <summary>PUTs what must be taken.</summary>
    public async Task PutAsync(string path, string content, CancellationToken ct)
    {
        using var body = new StringContent(content, Encoding.UTF8, "application/octet-stream");
        using HttpResponseMessage response = await http.PutAsync(new Uri(path, UriKind.Relative), body, ct);
        await CheckAsync(response, $"PUT {path}", ct);
    }

    /// <summary>POSTs JSON that must be taken, and reads the answer.</summary>
    public async Task<JsonElement> PostAsync(string path, object content, CancellationToken ct)
    {
        using HttpResponseMessage response = await http.PostAsJsonAsync(path, content, ct);
        await CheckAsync(response, $"POST {path}", ct);
        return await response.Content.ReadFromJsonAsync<JsonElement>(ct);
    }

    /// <summary>DELETEs what must be there.</summary>
    public async Task DeleteAsync(string path, CancellationToken ct)
    {
        using HttpResponseMessage response = await http.DeleteAsync(new Uri(path, UriKind.Relative), ct);
        await CheckAsync(response, $"DELETE {path}", ct);
    }

    /// <summary>GETs JSON; undefined where there is nothing (yet).</summary>
    public async Task<JsonElement> FindAsync(string path, CancellationToken ct)
    {
        using HttpResponseMessage response = await http.GetAsync(new Uri(path, UriKind.Relative), ct);
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            return default;
        }
        await CheckAsync(response, $"GET {path}", ct);
        return await response.Content.ReadFromJsonAsync<JsonElement>(ct);
    }

    /// <summary>Waits until what a path answers satisfies a condition.</summary>
    public async Task<JsonElement> WaitForAsync(string path, Func<JsonElement, bool> condition, string what, TimeSpan atMost, CancellationToken ct)
    {
        JsonElement found = default;
        await UntilAsync(
            async () => HasEnded || ((found = await FindAsync(path, ct)).ValueKind == JsonValueKind.Object && condition(found)),
            what, atMost, ct);
        return HasEnded ? throw new CheckFailedException($"The host has ended:\n{Tail()}") : found;
    }

    /// <summary>Waits until a run has ended, and has ended so.</summary>
    public async Task<JsonElement> WaitForRunAsync(string run, string status, TimeSpan atMost, CancellationToken ct)
    {
        JsonElement found = await WaitForAsync($"api/runs/{run}", view => StatusOf(view) is not ("queued" or "running"), $"run {run} ends", atMost, ct);
        return StatusOf(found) == status
            ? found
            : throw new CheckFailedException($"The run {run} is {StatusOf(found)} and not {status}: {found.GetRawText()}\n{Tail()}");
    }

    /// <summary>SIGKILL: the process has no chance to put anything in order.</summary>
    public async Task KillAsync()
    {
        app.Kill();
        await app.WaitForExitAsync(CancellationToken.None);
    }

    /// <summary>Waits for a condition.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition, string what, TimeSpan atMost, CancellationToken ct)
    {
        long began = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(began) > atMost)
            {
                throw new CheckFailedException(string.Create(CultureInfo.InvariantCulture, $"Waited {atMost.TotalSeconds:0} s in vain: {what}."));
            }
            await Task.Delay(PollEvery, ct);
        }
    }

    /// <summary>The status of a run.</summary>
    public static string? StatusOf(JsonElement run) => run.TryGetProperty("status", out JsonElement status) ? status.GetString() : null;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await app.DisposeAsync();
    }

    private string Tail() => string.Join('\n', app.Output.TakeLast(40));

    private async Task CheckAsync(HttpResponseMessage response, string request, CancellationToken ct)
    {
        if (!response.IsSuccessStatusCode)
        {
            throw new CheckFailedException($"{request}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync(ct)}\n{Tail()}");
        }
    }
}
