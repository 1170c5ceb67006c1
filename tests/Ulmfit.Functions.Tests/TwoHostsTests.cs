using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Functions.Tests;

/// <summary>Two processes on one data directory: one works, the other stands by and takes over.</summary>
public sealed class TwoHostsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Hosts_OwnerIsKilledInTheMiddleOfARun_StandbyServesTakesOverAndPublishesOneVersionAsAlone()
    {
        string alone;
        using (var other = new TemporaryFolder())
        {
            await using HostProcess host = await HostProcess.StartAsync(other.Path);
            alone = await TrainAsync(host);
        }

        await using HostProcess owner = await HostProcess.StartAsync(folder.Path);
        await using HostProcess standby = await HostProcess.StartAsync(folder.Path);

        // Both take drops: what is to be done is read from storage, and the owner does it. Only work itself is the owner's alone.
        await DropAsync(standby);
        using (HttpResponseMessage refused = await standby.PostAsync("api/datasets/tickets/runs", ""))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.Contains("stands by", (await refused.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("title").GetString(), StringComparison.Ordinal);
        }
        await Wait.UntilAsync(async () => await EpochsAsync(standby) >= 2, () => $"two epochs end; the owner wrote:\n{string.Join('\n', owner.Output)}");
        await owner.KillAsync();
        JsonElement run = await standby.WaitForRunAsync("tickets-1");

        Assert.True(run.GetProperty("status").GetString() == "completed", run.GetRawText());
        Assert.Equal(alone, run.GetProperty("weightsDigest").GetString());
        await AssertOneVersionAsync(standby);
        Assert.Contains(standby.Output, line => line.Contains("taken over", StringComparison.Ordinal));

        // A third one finds an owner, and answers with the champion all the same.
        await using HostProcess third = await HostProcess.StartAsync(folder.Path);
        Assert.Equal("praise", (await third.ClassifyAsync("tickets", "lovely and great, thanks"))[0][0].GetProperty("label").GetString());
        Assert.Contains(third.Output, line => line.Contains("stands by", StringComparison.Ordinal));
    }

    private static async Task<string> TrainAsync(HostProcess host)
    {
        await DropAsync(host);
        JsonElement run = await host.WaitForRunAsync("tickets-1");
        Assert.True(run.GetProperty("status").GetString() == "completed", run.GetRawText());
        return run.GetProperty("weightsDigest").GetString()!;
    }

    private static async Task DropAsync(HostProcess host)
    {
        await host.PutOkAsync("api/datasets/tickets/settings", TinySettings.Both);
        await host.PutOkAsync("api/datasets/tickets/drops/a.csv", TinyData.Csv(300));
    }

    private static async Task AssertOneVersionAsync(HostProcess host)
    {
        JsonElement model = await host.GetJsonAsync("api/models/tickets");
        Assert.Equal(1, model.GetProperty("champion").GetInt32());
        Assert.Equal(1, model.GetProperty("versions").GetArrayLength());
        Assert.Equal(1, model.GetProperty("promotions").GetArrayLength());
    }

    private static async Task<int> EpochsAsync(HostProcess host)
    {
        using HttpResponseMessage response = await host.GetAsync("api/runs/tickets-1");
        return response.IsSuccessStatusCode ? (await response.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("history").GetArrayLength() : 0;
    }
}
