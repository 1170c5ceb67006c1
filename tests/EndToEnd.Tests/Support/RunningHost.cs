using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using HostDriver;

namespace EndToEnd.Tests.Support;

/// <summary>The host as a user starts it, over a data folder that goes with it.</summary>
public sealed class RunningHost : IAsyncLifetime
{
    private static readonly TimeSpan StartWithin = TimeSpan.FromMinutes(3);

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("ulmfit-end-to-end-");
    private readonly string[] arguments;
    private AppProcess? app;
    private HttpClient? http;

    public RunningHost()
        : this([])
    {
    }

    private RunningHost(string[] arguments) => this.arguments = arguments;

    /// <summary>Where it listens.</summary>
    public Uri Address => Http.BaseAddress!;

    /// <summary>The folder of its state.</summary>
    public string Data => folder.FullName;

    /// <summary>Talks to it.</summary>
    public HttpClient Http => http ?? throw new InvalidOperationException("The host has not started.");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        app = AppProcess.Start(Data, arguments, new Dictionary<string, string> { ["Drops__SettleSeconds"] = "0.3", ["Training__Threads"] = "2" });
        http = new HttpClient { BaseAddress = await app.ListensAsync(StartWithin, CancellationToken.None) };
    }

    /// <summary>A host of its own with further arguments; it still has to be started.</summary>
    public static RunningHost With(params string[] arguments) => new(arguments);

    /// <summary>Sends what must be taken.</summary>
    public async Task SendAsync(HttpMethod method, string path, string body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body, Encoding.UTF8, "application/octet-stream") };
        using HttpResponseMessage response = await Http.SendAsync(request, Ct);
        Assert.True(response.IsSuccessStatusCode, $"{method} {path}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync(Ct)}");
    }

    /// <summary>Waits until a document is as it should be.</summary>
    public async Task<JsonElement> WaitForAsync(string path, Func<JsonElement, bool> condition)
    {
        while (true)
        {
            using HttpResponseMessage response = await Http.GetAsync(new Uri(path, UriKind.Relative), Ct);
            if (response.IsSuccessStatusCode && await response.Content.ReadFromJsonAsync<JsonElement>(Ct) is JsonElement found && condition(found))
            {
                return found;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), Ct);
        }
    }

    public async ValueTask DisposeAsync()
    {
        http?.Dispose();
        if (app is not null)
        {
            await app.DisposeAsync();
        }

        folder.Delete(recursive: true);
    }
}
