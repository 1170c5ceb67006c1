using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Fuzz.Http;

/// <summary>The function app, a process of its own over a folder of its own.</summary>
internal sealed class AppProcess : IAsyncDisposable
{
    private readonly Process process;

    private AppProcess(Process process, ConcurrentQueue<string> output, IPEndPoint address)
    {
        this.process = process;
        Output = output;
        Address = address;
    }

    /// <summary>What it has written.</summary>
    public ConcurrentQueue<string> Output { get; }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Address { get; }

    /// <summary>Whether it is still there.</summary>
    public bool IsRunning => !process.HasExited;

    /// <summary>The most memory that it has held, in bytes; 0 where the system does not tell.</summary>
    public long PeakMemory
    {
        get
        {
            process.Refresh();
            return process.HasExited ? 0 : process.PeakWorkingSet64;
        }
    }

    /// <summary>Starts the app and waits until it listens.</summary>
    /// <param name="data">The folder of all its state.</param>
    /// <param name="arguments">Further settings.</param>
    public static async Task<AppProcess> StartAsync(string data, params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = data,
        };
        foreach (string argument in (string[])[Path.Combine(AppContext.BaseDirectory, "Ulmfit.Functions.dll"), "--urls", "http://127.0.0.1:0", "--data", data, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        const string Listening = "Now listening on: ";
        var output = new ConcurrentQueue<string>();
        var listens = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var process = new Process { StartInfo = start };
        void Keep(string? line)
        {
            if (line is null)
            {
                listens.TrySetException(new InvalidOperationException($"The app has ended:\n{string.Join('\n', output)}"));
                return;
            }

            output.Enqueue(line);
            if (line.IndexOf(Listening, StringComparison.Ordinal) is >= 0 and int at)
            {
                listens.TrySetResult(line[(at + Listening.Length)..].Trim());
            }
        }

        process.OutputDataReceived += (_, e) => Keep(e.Data);
        process.ErrorDataReceived += (_, e) => output.Enqueue(e.Data ?? "");
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var address = new Uri(await listens.Task.WaitAsync(TimeSpan.FromMinutes(3)));
        return new AppProcess(process, output, IPEndPoint.Parse(string.Create(CultureInfo.InvariantCulture, $"{address.Host}:{address.Port}")));
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }

        process.Dispose();
    }
}
