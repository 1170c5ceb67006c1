using System.Diagnostics;
using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Web.Tests;

/// <summary>Runs a script of this project by Node, which the build needs anyhow.</summary>
internal static class NodeScript
{
    /// <summary>Runs it to its end; the test fails with all that it wrote where it fails.</summary>
    public static async Task RunAsync(string script, params string[] arguments)
    {
        CancellationToken ct = TestContext.Current.CancellationToken;
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo("node", [Repository.File("tests", "Ulmfit.Web.Tests", script), .. arguments])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        process.Start();
        Task<string> output = process.StandardOutput.ReadToEndAsync(ct), errors = process.StandardError.ReadToEndAsync(ct);
        try
        {
            await process.WaitForExitAsync(ct);
        }
        catch
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        Assert.True(process.ExitCode == 0, $"{script} {string.Join(' ', arguments)}\n{await output}\n{await errors}");
    }
}
