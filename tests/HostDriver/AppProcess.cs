using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace HostDriver;

/// <summary>The function app as a user starts it: a process of its own over a data folder.</summary>
public sealed class AppProcess : IAsyncDisposable
{
    private const string Listening = "Now listening on: ";
    private const int Terminate = 15;

    private readonly Process process;
    private readonly ConcurrentQueue<string> output = new();
    private readonly TaskCompletionSource<Uri?> address = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private AppProcess(ProcessStartInfo start) => process = new Process { StartInfo = start, EnableRaisingEvents = true };

    /// <summary>Where it listens, as soon as it does; null where it ended before.</summary>
    public Task<Uri?> Address => address.Task;

    /// <summary>Ends with the process.</summary>
    public Task Exited => exited.Task;

    /// <summary>Whether it has ended.</summary>
    public bool HasEnded => process.HasExited;

    /// <summary>The code that it ended with.</summary>
    public int ExitCode => process.ExitCode;

    /// <summary>What it has written so far, line by line.</summary>
    public IReadOnlyCollection<string> Output => output;

    /// <summary>Bytes of memory that it holds; 0 where it has ended.</summary>
    public long ResidentBytes => Measure(() => process.WorkingSet64);

    /// <summary>The most bytes of memory that it has held; 0 where it has ended.</summary>
    public long PeakBytes => Measure(() => process.PeakWorkingSet64);

    /// <summary>Starts it on a free port, out of the caller's own output folder.</summary>
    /// <param name="data">The folder of all its state, and the one that it works in.</param>
    /// <param name="arguments">Further arguments.</param>
    /// <param name="environment">Variables besides those of the caller.</param>
    /// <param name="cores">The processors that it may run on, from 0; all of the caller's unless given. Linux alone, by <c>taskset</c>.</param>
    public static AppProcess Start(string data, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment, IReadOnlyList<int>? cores = null)
    {
        string[] command =
        [
            // Not bound after it has started: a runtime counts its processors once, at its beginning.
            .. cores is null ? [] : (string[])["taskset", "--cpu-list", string.Join(',', cores)],
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
            Path.Combine(AppContext.BaseDirectory, "Ulmfit.Functions.dll"), "--urls", "http://127.0.0.1:0", "--data", data, .. arguments,
        ];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = data,
        };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }
        var app = new AppProcess(start);
        app.Start();
        return app;
    }

    /// <summary>Waits until it listens.</summary>
    /// <param name="within">For how long at most.</param>
    /// <param name="ct">Gives up.</param>
    /// <exception cref="InvalidOperationException">It has ended; the message has what it wrote.</exception>
    /// <exception cref="TimeoutException">It does not listen within the time.</exception>
    public async Task<Uri> ListensAsync(TimeSpan within, CancellationToken ct) =>
        await address.Task.WaitAsync(within, ct).ConfigureAwait(false) ?? throw new InvalidOperationException($"The host has ended:\n{string.Join('\n', output)}");

    /// <summary>SIGKILL: the process has no chance to put anything in order.</summary>
    /// <returns>Whether it still lived.</returns>
    public bool Kill()
    {
        if (process.HasExited)
        {
            return false;
        }
        process.Kill(entireProcessTree: true);
        return true;
    }

    /// <summary>SIGTERM, as when a user or a platform stops it: it puts all in order and ends. Where there are no signals it is killed.</summary>
    /// <param name="ct">Gives up waiting for its end.</param>
    public async Task StopAsync(CancellationToken ct)
    {
        if (OperatingSystem.IsWindows())
        {
            Kill();
        }
        else if (!process.HasExited)
        {
            // It may end by itself at this moment: then there is nobody to signal.
            _ = Signal(process.Id, Terminate);
        }
        await exited.Task.WaitAsync(ct).ConfigureAwait(false);
    }

    /// <summary>Waits until it has ended and all that it wrote is read.</summary>
    public Task WaitForExitAsync(CancellationToken ct) => process.WaitForExitAsync(ct);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Kill();
        await process.WaitForExitAsync().ConfigureAwait(false);
        process.Dispose();
    }

    private void Start()
    {
        process.OutputDataReceived += (_, e) => Keep(e.Data);
        process.ErrorDataReceived += (_, e) => Keep(e.Data);
        process.Exited += (_, _) =>
        {
            address.TrySetResult(null);
            exited.TrySetResult();
        };
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    private long Measure(Func<long> look)
    {
        process.Refresh();
        return process.HasExited ? 0 : look();
    }

    private void Keep(string? line)
    {
        if (line is null)
        {
            return;
        }
        output.Enqueue(line);
        int at = line.IndexOf(Listening, StringComparison.Ordinal);
        if (at >= 0)
        {
            address.TrySetResult(new Uri(line[(at + Listening.Length)..].Trim()));
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Signal(int process, int signal);
}
