using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Azure.Storage.Blobs;

namespace Ulmfit.Storage.Tests;

/// <summary>Tests that share one Azurite.</summary>
[CollectionDefinition(Name)]
public sealed class AzuriteGroup : ICollectionFixture<AzuriteFixture>
{
    public const string Name = "Azurite";
}

/// <summary>Azurite, the stand-in for Azure Blob Storage, in memory on a free port for as long as the tests run.</summary>
public sealed class AzuriteFixture : IAsyncLifetime
{
    private const string Account = "tests";

    // Azurite's own entry point, with its process ending when this one's end of the pipe closes, however that comes about.
    private const string Start = "process.stdin.resume(); process.stdin.on('end', () => process.exit(0)); require(process.argv[1]);";

    private readonly string key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(64));
    private readonly StringBuilder output = new();
    private Process? process;

    /// <summary>Why there is no Azurite to test with: Node itself is missing.</summary>
    public string? SkipReason { get; private set; }

    public string ConnectionString { get; private set; } = "";

    public BlobServiceClient Client(BlobClientOptions? options = null)
    {
        Assert.SkipWhen(SkipReason is not null, SkipReason ?? "");
        return new BlobServiceClient(ConnectionString, options);
    }

    public async ValueTask InitializeAsync()
    {
        if (!HasNode())
        {
            SkipReason = "Node.js is not installed, which Azurite needs.";
            return;
        }
        var entry = Path.Combine(RepositoryRoot(), "node_modules", "azurite", "dist", "src", "blob", "main.js");
        if (!File.Exists(entry))
        {
            throw new InvalidOperationException($"{entry} is missing. Run 'npm ci' in the repository root.");
        }
        for (var attempt = 1; ; attempt++)
        {
            // Somebody else may take the port between the question and the start.
            var port = FreePort();
            if (await StartAsync(entry, port))
            {
                ConnectionString = $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={key};BlobEndpoint=http://127.0.0.1:{port}/{Account};";
                return;
            }
            if (attempt == 3)
            {
                throw new InvalidOperationException($"Azurite does not start: {output}");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }

    private async Task<bool> StartAsync(string entry, int port)
    {
        var start = new ProcessStartInfo(
            "node",
            [
                "-e", Start, "--", entry, "--silent", "--disableTelemetry", "--skipApiVersionCheck", "--inMemoryPersistence",
                "--blobHost", "127.0.0.1", "--blobPort", $"{port}",
            ])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        start.Environment["AZURITE_ACCOUNTS"] = $"{Account}:{key}";
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => Note(line.Data);
        process.ErrorDataReceived += (_, line) => Note(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var answered = false;
        await Eventually.TrueAsync(
            async () => process.HasExited || (answered = await AnswersAsync(port)), "Azurite to answer", CancellationToken.None);
        return answered && !process.HasExited;
    }

    private void Note(string? line)
    {
        lock (output)
        {
            output.AppendLine(line);
        }
    }

    private static async Task<bool> AnswersAsync(int port)
    {
        using var client = new HttpClient();
        try
        {
            using var answer = await client.GetAsync(new Uri($"http://127.0.0.1:{port}/"));
            return answer.Headers.Server.ToString().StartsWith("Azurite", StringComparison.Ordinal);
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static bool HasNode()
    {
        try
        {
            using var node = Process.Start(new ProcessStartInfo("node", ["--version"]) { RedirectStandardOutput = true })!;
            node.WaitForExit();
            return node.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>The folder of Serverless.sln above the built tests or, where those are built elsewhere, above this source file.</summary>
    private static string RepositoryRoot([CallerFilePath] string source = "")
    {
        foreach (var start in new[] { AppContext.BaseDirectory, source })
        {
            for (var folder = Path.GetDirectoryName(start); folder is not null; folder = Path.GetDirectoryName(folder))
            {
                if (File.Exists(Path.Combine(folder, "Serverless.sln")))
                {
                    return folder;
                }
            }
        }
        throw new InvalidOperationException($"No Serverless.sln above {AppContext.BaseDirectory} or {source}.");
    }
}
