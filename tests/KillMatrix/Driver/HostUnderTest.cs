using HostDriver;
using KillMatrix.Agent;

namespace KillMatrix.Driver;

/// <summary>The host in a process of its own, with the agent in it.</summary>
internal static class HostUnderTest
{
    /// <summary>Starts it.</summary>
    /// <param name="folder">Where the data are, and what it may use for temporary files.</param>
    /// <param name="journal">Where the agent notes writes.</param>
    /// <param name="point">Where it is to end; null where it is to go on.</param>
    public static AppProcess Start(DataDirectory folder, string journal, WritePoint? point)
    {
        var environment = new Dictionary<string, string>
        {
            ["DOTNET_STARTUP_HOOKS"] = typeof(HostUnderTest).Assembly.Location,
            [KillAgent.JournalVariable] = journal,
            ["Drops__SettleSeconds"] = "0.2",
            ["Training__Threads"] = "1",
            ["TMPDIR"] = folder.Temporary,
            // A host that lives for a second is not to spend it on compiling well.
            ["DOTNET_TC_QuickJitForLoops"] = "1",
            ["DOTNET_TieredPGO"] = "0",
            // A killed process would leave its debugger's pipes in the temporary folder, where only what the host leaves is to be.
            ["DOTNET_EnableDiagnostics"] = "0",
        };
        if (point is not null)
        {
            environment[KillAgent.PointVariable] = point.ToString();
        }
        return AppProcess.Start(folder.Data, [], environment);
    }
}
