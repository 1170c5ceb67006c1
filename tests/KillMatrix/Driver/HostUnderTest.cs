using System.Collections.Concurrent;
using System.Diagnostics;
using KillMatrix.Agent;

namespace KillMatrix.Driver;

/// <summary>The host in a process of its own, with the agent in it.</summary>
internal sealed class HostUnderTest : IAsyncDisposable
{
    private const string Listening = "Now listening on: ";

    private readonly Process process;
    private readonly ConcurrentQueue<string> output = new();
    private readonly TaskCompletionSource<Uri?> address = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public HostUnderTest(string assembly, string data, string temporary, string journal, WritePoint? point)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = data,
            ArgumentList = { assembly, "--urls", "http://127.0.0.1:0", "--data", data },
            Environment =
            {
                ["DOTNET_STARTUP_HOOKS"] = typeof(HostUnderTest).Assembly.Location,
                [KillAgent.JournalVariable] = journal,
                ["Drops__SettleSeconds"] = "0.2",
                ["Training__Threads"] = "1",
                ["TMPDIR"] = temporary,
                // A host that lives for a second is not to spend it on compiling well.
                ["DOTNET_TC_QuickJitForLoops"] = "1",
                ["DOTNET_TieredPGO"] = "0",
                // A killed process would leave its debugger's pipes in the temporary folder, where only what the host leaves is to be.
                ["DOTNET_EnableDiagnostics"] = "0",
            },
        };
        if (point is not null)
        {
            start.Environment[KillAgent.PointVariable] = point.ToString();
        }
        process = new Process { StartInfo = start, EnableRaisingEvents = true };
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

    /// <summary>Where it answers, as soon as it listens; null where it ended before.</summary>
    public Task<Uri?> Address => address.Task;

    /// <summary>Ends with the process.</summary>
    public Task Exited => exited.Task;

    /// <summary>What it wrote.</summary>
    public IReadOnlyCollection<string> Output => output;

    /// <summary>SIGKILL.</summary>
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

    public async ValueTask DisposeAsync()
    {
        Kill();
        await process.WaitForExitAsync();
        process.Dispose();
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
}
