using System.Diagnostics;

namespace EmbeddedHost.Tests.DurableTask;

/// <summary>Kills a process that runs orchestrations, the way a power cut or an out-of-memory killer does, until its work is done.</summary>
public sealed class ProcessCrashTests
{
    private const string FolderVariable = "EMBEDDEDHOST_TESTS_CRASH_FOLDER";
    private const int Kills = 8;

    private static readonly Lock Noting = new();

    [Fact]
    public async Task Kill_AgainAndAgain_EndsAsIfUndisturbed()
    {
        string folder = Path.Combine(Path.GetTempPath(), "durable-" + Guid.NewGuid().ToString("N"));
        try
        {
            Directory.CreateDirectory(folder);
            var random = new Random(20300101);
            int killed = 0;
            for (int kill = 0; kill < Kills; kill++)
            {
                using Process victim = StartVictim(folder);
                int target = Executions(folder) + random.Next(1, CrashScenario.Activities / Kills);
                try
                {
                    await Eventually.TrueAsync(() => victim.HasExited || Executions(folder) >= target);
                    killed += victim.HasExited ? 0 : 1;
                }
                finally
                {
                    victim.Kill();
                    await victim.WaitForExitAsync(TestHub.Cancellation);
                }
            }

            Assert.True(killed > Kills / 2, $"only {killed} processes were still at work when they were killed");

            await using var hub = new TestHub(folder: folder);
            CrashScenario.Register(hub, n => NoteExecution(folder, n));
            await CrashScenario.BeginAsync(await hub.StartAsync());
            await CrashScenario.AssertUndisturbedAsync(hub);
            Assert.True(Executions(folder) >= CrashScenario.Activities);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Not a test: the process that <see cref="Kill_AgainAndAgain_EndsAsIfUndisturbed"/> starts and kills.</summary>
    [Fact(Explicit = true)]
    public async Task Victim()
    {
        string? folder = Environment.GetEnvironmentVariable(FolderVariable);
        Assert.SkipWhen(folder is null, "Runs only as the victim of the test that kills it.");
        await using var hub = new TestHub(folder: folder);
        CrashScenario.Register(hub, n => NoteExecution(folder, n));
        await CrashScenario.BeginAsync(await hub.StartAsync());
        await CrashScenario.AssertUndisturbedAsync(hub);
    }

    private static Process StartVictim(string folder)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList =
            {
                typeof(ProcessCrashTests).Assembly.Location,
                "-method", $"{typeof(ProcessCrashTests).FullName}.{nameof(Victim)}",
                "-explicit", "only",
            },
            Environment = { [FolderVariable] = folder },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process victim = Process.Start(start)!;
        victim.OutputDataReceived += (_, _) => { };
        victim.ErrorDataReceived += (_, _) => { };
        victim.BeginOutputReadLine();
        victim.BeginErrorReadLine();
        return victim;
    }

    private static string ExecutionsFile(string folder) => Path.Combine(folder, "executions");

    // One after the other: FileMode.Append looks for the end when it opens, and two that look at once would write over each other.
    private static void NoteExecution(string folder, int n)
    {
        lock (Noting)
        {
            using var file = new FileStream(ExecutionsFile(folder), FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
            file.WriteByte((byte)n);
        }
    }

    private static int Executions(string folder)
    {
        var file = new FileInfo(ExecutionsFile(folder));
        return file.Exists ? (int)file.Length : 0;
    }
}
