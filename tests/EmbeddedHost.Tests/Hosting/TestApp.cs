using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost.Tests.Hosting;

/// <summary>A function app with its own data directory, listening on a port of its own.</summary>
internal sealed class TestApp : IAsyncDisposable
{
    private readonly TemporaryFolder? ownFolder;

    private TestApp(IHost host, TemporaryFolder folder, TemporaryFolder? ownFolder, LogLines log)
    {
        Host = host;
        Folder = folder;
        this.ownFolder = ownFolder;
        Log = log;
        Client = new HttpClient
        {
            BaseAddress = new Uri(host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()),
        };
    }

    public IHost Host { get; }

    /// <summary>The data directory.</summary>
    public TemporaryFolder Folder { get; }

    public LogLines Log { get; }

    public HttpClient Client { get; }

    public Recorder Recorder => Host.Services.GetRequiredService<Recorder>();

    /// <summary>Starts an app.</summary>
    /// <param name="functions">Its function classes.</param>
    /// <param name="configure">Adds to the builder.</param>
    /// <param name="folder">The data directory; a new one where null.</param>
    /// <param name="hostJson">The content of host.json.</param>
    /// <param name="args">More of the command line.</param>
    public static async Task<TestApp> StartAsync(
        Type[] functions,
        Action<FunctionsApplicationBuilder>? configure = null,
        TemporaryFolder? folder = null,
        string hostJson = """{ "version": "2.0" }""",
        string[]? args = null)
    {
        TemporaryFolder? own = folder is null ? new TemporaryFolder() : null;
        TemporaryFolder used = folder ?? own!;
        var log = new LogLines();
        try
        {
            IHost host = CreateBuilder(used, functions, log, hostJson, configure, args).Build();
            try
            {
                await host.StartAsync(TestContext.Current.CancellationToken);
                return new TestApp(host, used, own, log);
            }
            catch
            {
                host.Dispose();
                throw;
            }
        }
        catch
        {
            own?.Dispose();
            throw;
        }
    }

    /// <summary>Makes the builder of an app without building it.</summary>
    public static FunctionsApplicationBuilder CreateBuilder(
        TemporaryFolder folder,
        Type[] functions,
        LogLines? log = null,
        string hostJson = """{ "version": "2.0" }""",
        Action<FunctionsApplicationBuilder>? configure = null,
        string[]? args = null)
    {
        // The app's own folder, as the build would make it, apart from the containers.
        folder.Write(".app/host.json", hostJson);
        FunctionsApplicationBuilder builder = FunctionsApplication
            .CreateBuilder(["--urls", "http://127.0.0.1:0", "--data", folder.Path, "--script-root", folder[".app"], .. args ?? []])
            .ConfigureFunctionsWebApplication()
            .UseFunctions(functions);
        builder.Logging.ClearProviders();
        if (log is not null)
        {
            builder.Logging.AddProvider(log);
        }

        builder.Services.AddSingleton<Recorder>();
        configure?.Invoke(builder);
        return builder;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        using (var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20)))
        {
            await Host.StopAsync(limit.Token);
        }

        await ((IAsyncDisposable)Host).DisposeAsync();
        ownFolder?.Dispose();
    }
}
