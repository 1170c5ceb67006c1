using System.Net.Http.Json;
using System.Text.Json;
using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Functions.Tests;

/// <summary>SIGKILL in the middle of a run, and the same start command again.</summary>
public sealed class KillTests : IDisposable
{
    // Enough of them that a host is killed before the last one also where this process does not see each of them end.
    private const int Epochs = 24;
    private static readonly string Settings = TinySettings.Both.Replace("\"epochs\": 3", "\"epochs\": 10", StringComparison.Ordinal);

    private readonly TemporaryFolder folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Host_KilledTwiceInTheMiddleOfTraining_GoesOnFromItsCheckpointAndPublishesTheSameWeights()
    {
        string undisturbed;
        using (var other = new TemporaryFolder())
        {
            await using HostProcess host = await HostProcess.StartAsync(other.Path);
            undisturbed = await DropAndWaitAsync(host);
        }

        int before = 0;
        for (int kill = 1; kill <= 2; kill++)
        {
            await using HostProcess host = await HostProcess.StartAsync(folder.Path);
            if (kill == 1)
            {
                await DropAsync(host);
            }
            int epochs = 2 * kill;
            await Wait.UntilAsync(async () => (before = await EpochsAsync(host)) >= epochs, () => $"{epochs} epochs end; the host wrote:\n{string.Join('\n', host.Output)}");
            await host.KillAsync();
        }
        await using HostProcess again = await HostProcess.StartAsync(folder.Path);
        JsonElement run = await again.WaitForRunAsync("tickets-1");

        Assert.Equal("completed", run.GetProperty("status").GetString());
        Assert.Equal(undisturbed, run.GetProperty("weightsDigest").GetString());
        Assert.Equal(Epochs, run.GetProperty("history").GetArrayLength());
        int trained = again.Output.Count(line => line.Contains(": stage ", StringComparison.Ordinal) && line.Contains("held out:", StringComparison.Ordinal));
        Assert.InRange(trained, 1, Epochs - before);
        Assert.Equal("praise", (await again.ClassifyAsync("tickets", "lovely and great, thanks"))[0][0].GetProperty("label").GetString());
    }

    private static async Task DropAsync(HostProcess host)
    {
        await host.PutOkAsync("api/datasets/tickets/settings", Settings);
        await host.PutOkAsync("api/datasets/tickets/drops/a.csv", TinyData.Csv(300));
    }

    private static async Task<string> DropAndWaitAsync(HostProcess host)
    {
        await DropAsync(host);
        JsonElement run = await host.WaitForRunAsync("tickets-1");
        Assert.True(run.GetProperty("status").GetString() == "completed", run.GetRawText());
        return run.GetProperty("weightsDigest").GetString()!;
    }

    private static async Task<int> EpochsAsync(HostProcess host)
    {
        using HttpResponseMessage response = await host.GetAsync("api/runs/tickets-1");
        return response.IsSuccessStatusCode ? (await response.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("history").GetArrayLength() : 0;
    }
}
