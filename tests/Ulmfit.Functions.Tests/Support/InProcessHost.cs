using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using EmbeddedHost;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Ulmfit.Storage;

namespace Ulmfit.Functions.Tests.Support;

/// <summary>The app put together as its <c>Program</c> does, in the test's process, over a store that the test gives and can get hold of.</summary>
internal sealed class InProcessHost : IAsyncDisposable
{
    private readonly IHost host;
    private bool isDisposed;

    private InProcessHost(IHost host)
    {
        this.host = host;
        Http = new HttpClient
        {
            BaseAddress = new Uri(host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()),
            Timeout = TimeSpan.FromSeconds(100),
        };
    }

    public HttpClient Http { get; }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Starts a host.</summary>
    /// <param name="data">Its data directory.</param>
    /// <param name="store">Where the app keeps everything.</param>
    /// <param name="isOwnFolder">Whether that is its data directory; else it is shared, and a lease settles which host works.</param>
    /// <param name="configure">Adds to the builder.</param>
    /// <param name="arguments">More of the command line.</param>
    public static async Task<InProcessHost> StartAsync(
        string data, IBlobStore store, bool isOwnFolder, Action<FunctionsApplicationBuilder>? configure = null, params string[] arguments)
    {
        FunctionsApplicationBuilder builder = FunctionsApplication
            .CreateBuilder(["--urls", "http://127.0.0.1:0", "--data", data, "--Drops:SettleSeconds", "0.2", "--Training:Threads", "1", .. arguments])
            .ConfigureFunctionsWebApplication()
            .UseFunctionsOf(typeof(AppServices).Assembly);
        builder.Logging.ClearProviders();
        AppSettings settings = AppSettings.Read(builder.Configuration);
        Flavour.Configure(builder, settings, store, isOwnFolder);
        builder.Services.AddApp(settings);
        configure?.Invoke(builder);
        IHost host = builder.Build();
        try
        {
            await host.StartAsync(Ct);
            return new InProcessHost(host);
        }
        catch
        {
            await ((IAsyncDisposable)host).DisposeAsync();
            throw;
        }
    }

    /// <summary>PUTs what must be taken.</summary>
    public async Task PutOkAsync(string path, string content)
    {
        using HttpResponseMessage response = await Http.PutAsync(new Uri(path, UriKind.Relative), new StringContent(content, Encoding.UTF8, "application/octet-stream"), Ct);
        Assert.True(response.IsSuccessStatusCode, $"PUT {path}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync(Ct)}");
    }

    /// <summary>POSTs nothing where something must be begun.</summary>
    public async Task PostOkAsync(string path)
    {
        using HttpResponseMessage response = await Http.PostAsync(new Uri(path, UriKind.Relative), null, Ct);
        Assert.True(response.IsSuccessStatusCode, $"POST {path}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync(Ct)}");
    }

    /// <summary>GETs JSON; null where there is nothing.</summary>
    public async Task<JsonElement?> FindAsync(string path)
    {
        using HttpResponseMessage response = await Http.GetAsync(new Uri(path, UriKind.Relative), Ct);
        return response.IsSuccessStatusCode ? await response.Content.ReadFromJsonAsync<JsonElement>(Ct) : null;
    }

    /// <summary>Waits until a run, or a pretraining, has ended.</summary>
    public async Task<JsonElement> EndedAsync(string path)
    {
        JsonElement found = default;
        await Wait.UntilAsync(
            async () =>
            {
                if (await FindAsync(path) is not { } now)
                {
                    return false;
                }
                found = now;
                return found.GetProperty("status").GetString() is not ("queued" or "running");
            },
            $"{path} ends",
            TimeSpan.FromMinutes(3));
        return found;
    }

    /// <summary>Waits until no orchestration goes on.</summary>
    public Task IdleAsync() => Wait.UntilAsync(
        async () => await FindAsync("runtime/webhooks/durabletask/instances?runtimeStatus=Running&runtimeStatus=Pending") is { } active && active.GetArrayLength() == 0,
        "all orchestrations end",
        TimeSpan.FromMinutes(3));

    /// <summary>Stops the host; a second time it does nothing.</summary>
    public async ValueTask DisposeAsync()
    {
        if (isDisposed)
        {
            return;
        }
        isDisposed = true;
        Http.Dispose();
        using (var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30)))
        {
            await host.StopAsync(limit.Token);
        }
        await ((IAsyncDisposable)host).DisposeAsync();
    }
}
