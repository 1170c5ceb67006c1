using System.Net;
using System.Net.Sockets;

namespace Ulmfit.Cli.Tests.Hosted;

/// <summary>Commands that talk to a host, where there is none.</summary>
public sealed class UnreachableHostTests : IDisposable
{
    private readonly Workspace workspace = new();

    public void Dispose() => workspace.Dispose();

    [Theory]
    [InlineData("watch", "tickets-1")]
    [InlineData("drop", "{data}", "--dataset", "tickets")]
    public async Task Command_NobodyListens_SaysHowToStartAHost(params string[] arguments)
    {
        (int code, string output, string error) = await CommandLine.RunAsync(
            [.. arguments.Select(argument => argument.Replace("{data}", workspace.Data, StringComparison.Ordinal)), "--host", $"http://127.0.0.1:{FreePort()}"]);

        Assert.Equal((5, ""), (code, output));
        Assert.Contains("No host answers at http://127.0.0.1:", error, StringComparison.Ordinal);
        Assert.Contains("dotnet run --project src/Ulmfit.Functions", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_HostOfTheEnvironment_IsTheOneThatIsAsked()
    {
        string address = $"http://127.0.0.1:{FreePort()}/";

        (int code, _, string error) = await CommandLine.RunAsync("ULMFIT_HOST=" + address, ["watch", "tickets"]);

        Assert.Equal(5, code);
        Assert.Contains(address, error, StringComparison.Ordinal);
    }

    public static TheoryData<string[], string> WrongUsage => new()
    {
        { ["watch", "tickets", "--host", "localhost:7071"], "is no address of a host" },
        { ["watch", "tickets", "--patience", "-1"], "--patience" },
        { ["watch"], "RUN|DATASET" },
        { ["drop", "nowhere.csv", "--dataset", "tickets"], "There is no file 'nowhere.csv'" },
        { ["drop", "{data}"], "--dataset" },
        { ["drop", "{data}", "{data}", "--dataset", "tickets"], "Two of the files are called 'train.csv'" },
        { ["drop", "{data}", "--dataset", "tickets", "--wait", "-3"], "--wait" },
    };

    [Theory]
    [MemberData(nameof(WrongUsage))]
    public async Task Command_WrongUsage_ExitsWithTwoBeforeAnythingIsSent(string[] arguments, string message)
    {
        (int code, _, string error) = await CommandLine.RunAsync([.. arguments.Select(argument => argument.Replace("{data}", workspace.Data, StringComparison.Ordinal))]);

        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    // Taken and given back, so that nobody listens there now.
    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
