using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using HostDriver;

namespace Ulmfit.Functions.Tests.Support;

/// <summary>The host as a user starts it: a process of its own, driven over HTTP.</summary>
public sealed class HostProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartWithin = TimeSpan.FromSeconds(90);

    private readonly AppProcess app;

    private HostProcess(AppProcess app, HttpClient http)
    {
        this.app = app;
        Http = http;
    }

    /// <summary>Talks to the host.</summary>
    public HttpClient Http { get; }

    /// <summary>What the host has written so far.</summary>
    public IReadOnlyCollection<string> Output => app.Output;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Starts the host on a free port and waits until it listens.</summary>
    public static async Task<HostProcess> StartAsync(string data, params string[] arguments)
    {
        AppProcess app = Launch(data, arguments);
        try
        {
            return new HostProcess(app, new HttpClient { BaseAddress = await app.ListensAsync(StartWithin, Ct), Timeout = TimeSpan.FromSeconds(100) });
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs the host until it ends by itself.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(string data, params string[] arguments)
    {
        await using AppProcess app = Launch(data, arguments);
        await app.WaitForExitAsync(Ct);
        return (app.ExitCode, string.Join('\n', app.Output));
    }

    /// <summary>SIGKILL: the process has no chance to put anything in order.</summary>
    public async Task KillAsync()
    {
        app.Kill();
        await app.WaitForExitAsync(Ct);
    }

    /// <summary>SIGTERM: the process puts all in order and ends.</summary>
    public Task StopAsync() => app.StopAsync(Ct);

    public Task<HttpResponseMessage> PutAsync(string path, string content) => Http.PutAsync(Relative(path), Text(content), Ct);

    public Task<HttpResponseMessage> PostAsync(string path, string content) => Http.PostAsync(Relative(path), Text(content), Ct);

    public Task<HttpResponseMessage> DeleteAsync(string path) => Http.DeleteAsync(Relative(path), Ct);

    public Task<HttpResponseMessage> GetAsync(string path) => Http.GetAsync(Relative(path), Ct);

    /// <summary>GETs JSON that must be there.</summary>
    public async Task<JsonElement> GetJsonAsync(string path)
    {
        using HttpResponseMessage response = await GetAsync(path);
        Assert.True(response.IsSuccessStatusCode, $"GET {path}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync(Ct)}");
        return await response.Content.ReadFromJsonAsync<JsonElement>(Ct);
    }

    /// <summary>PUTs what must be taken.</summary>
    public async Task PutOkAsync(string path, string content)
    {
        using HttpResponseMessage response = await PutAsync(path, content);
        Assert.True(response.IsSuccessStatusCode, $"PUT {path}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync(Ct)}");
    }

    /// <summary>Classifies texts by the champion.</summary>
    public async Task<JsonElement> ClassifyAsync(string model, params string[] texts)
    {
        using HttpResponseMessage response = await PostAsync($"api/models/{model}/classify", JsonSerializer.Serialize(new { inputs = texts }));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("predictions");
    }

    /// <summary>Waits until a run has ended.</summary>
    public async Task<JsonElement> WaitForRunAsync(string run)
    {
        JsonElement found = default;
        await Wait.UntilAsync(
            async () =>
            {
                using HttpResponseMessage response = await GetAsync($"api/runs/{run}");
                if (response.StatusCode == HttpStatusCode.NotFound)
                {
                    return false;
                }
                found = await response.Content.ReadFromJsonAsync<JsonElement>(Ct);
                return found.GetProperty("status").GetString() is not ("queued" or "running");
            },
            () => $"run {run} ends; the host wrote:\n{string.Join('\n', app.Output)}",
            TimeSpan.FromMinutes(3));
        return found;
    }

    /// <summary>Waits until every drop of a data set has been looked at and nothing of it runs.</summary>
    public async Task<JsonElement> WaitForDatasetAsync(string dataset)
    {
        JsonElement found = default;
        await Wait.UntilAsync(
            async () =>
            {
                found = await GetJsonAsync($"api/datasets/{dataset}");
                return found.GetProperty("status").GetString() != "pending" && found.GetProperty("activeRun").ValueKind == JsonValueKind.Null;
            },
            () => $"data set {dataset} is looked at; the host wrote:\n{string.Join('\n', app.Output)}",
            TimeSpan.FromMinutes(3));
        return found;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await app.DisposeAsync();
    }

    private static AppProcess Launch(string data, string[] arguments) =>
        AppProcess.Start(data, arguments, new Dictionary<string, string> { ["Drops__SettleSeconds"] = "0.3", ["Training__Threads"] = "2" });

    private static Uri Relative(string path) => new(path, UriKind.Relative);

    private static StringContent Text(string content) => new(content, Encoding.UTF8, "application/octet-stream");
}
