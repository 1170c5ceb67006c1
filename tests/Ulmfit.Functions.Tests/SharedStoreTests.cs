using System.Net;
using System.Text.Json;
using KillMatrix.Driver;
using Ulmfit.Functions.Tests.Support;
using Ulmfit.Pipeline;
using Ulmfit.Storage;

namespace Ulmfit.Functions.Tests;

/// <summary>Two hosts with data directories of their own over one store, as on two machines over one storage account.</summary>
public sealed class SharedStoreTests : IDisposable
{
    private static readonly string Settings = Workload.Settings.Replace("\"epochs\": 3", "\"epochs\": 10", StringComparison.Ordinal);

    private readonly TemporaryFolder shared = new();
    private readonly TemporaryFolder first = new();
    private readonly TemporaryFolder second = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        shared.Dispose();
        first.Dispose();
        second.Dispose();
    }

    [Fact]
    public async Task Hosts_WorkingOneIsCutOffInTheMiddleOfARunAndComesBack_OtherTakesOverAndOneVersionIsPublishedAsAlone()
    {
        string alone = await AloneAsync();
        Workload.Prepare(shared.Path);
        var line = new CutStore(new FolderBlobStore(shared.Path));
        await using InProcessHost owner = await StartAsync(first, line);
        await using InProcessHost standby = await StartAsync(second, new FolderBlobStore(shared.Path));

        // Whichever is asked, a drop is taken; the owner finds it.
        await DropAsync(standby);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await WorkAsync(standby));
        await Wait.UntilAsync(async () => await EpochsAsync(standby) >= 3, "three epochs end", TimeSpan.FromMinutes(2));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await WorkAsync(standby));
        line.IsCut = true;
        await Wait.UntilAsync(async () => await WorkAsync(standby) == HttpStatusCode.OK, "the other takes over", TimeSpan.FromMinutes(2));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await WorkAsync(owner));

        // Back, it has an orchestration of its own in the middle of the run, which it must not go on with.
        line.IsCut = false;
        JsonElement run = await standby.EndedAsync("api/runs/tickets-1");
        await standby.IdleAsync();

        Assert.True(Text(run, "status") == "completed", run.GetRawText());
        Assert.Equal(alone, Text(run, "weightsDigest"));
        await AssertOneVersionAsync(owner);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await WorkAsync(owner));

        // Nor when it has the work again: what its history says is to be done has been done.
        await standby.DisposeAsync();
        await Wait.UntilAsync(async () => await WorkAsync(owner) == HttpStatusCode.OK, "the first has the work again", TimeSpan.FromMinutes(2));
        await owner.IdleAsync();
        await AssertOneVersionAsync(owner);
        Assert.Equal(1, (await owner.FindAsync("api/runs?dataset=tickets"))!.Value.GetProperty("runs").GetArrayLength());
        Assert.Equal(alone, Text((await owner.FindAsync("api/runs/tickets-1"))!.Value, "weightsDigest"));
    }

    [Fact]
    public async Task Hosts_BothAtWorkWithoutALease_PublishOneVersionAsAlone()
    {
        // What stands behind the lease: where two work at once all the same, every write that decides is put-if-absent or put-if-match.
        string alone = await AloneAsync();
        Workload.Prepare(shared.Path);
        await using InProcessHost one = await InProcessHost.StartAsync(first.Path, new FolderBlobStore(shared.Path), isOwnFolder: true);
        await using InProcessHost other = await InProcessHost.StartAsync(second.Path, new FolderBlobStore(shared.Path), isOwnFolder: true);
        await DropAsync(one);
        foreach (InProcessHost host in (InProcessHost[])[one, other])
        {
            // Neither watches the shared folder, as which it takes its own.
            using HttpResponseMessage begun = await host.Http.PostAsync(new Uri("api/datasets/tickets/runs", UriKind.Relative), null, Ct);
            Assert.True(begun.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.Conflict, $"{begun.StatusCode}");
            using HttpResponseMessage woken = await host.Http.PostAsync(
                new Uri("runtime/webhooks/durabletask/orchestrators/Retrain/retrain-tickets", UriKind.Relative), JsonContent("\"tickets\""), Ct);
        }

        JsonElement run = await one.EndedAsync("api/runs/tickets-1");
        await one.IdleAsync();
        await other.IdleAsync();

        Assert.True(Text(run, "status") == "completed", run.GetRawText());
        Assert.Equal(alone, Text(run, "weightsDigest"));
        await AssertOneVersionAsync(other);
        Assert.Equal(1, (await one.FindAsync("api/runs?dataset=tickets"))!.Value.GetProperty("runs").GetArrayLength());
    }

    private static async Task<string> AloneAsync()
    {
        using var folder = new TemporaryFolder();
        Workload.Prepare(folder.Path);
        await using InProcessHost host = await InProcessHost.StartAsync(folder.Path, new FolderBlobStore(folder.Path), isOwnFolder: true);
        await DropAsync(host);
        JsonElement run = await host.EndedAsync("api/runs/tickets-1");
        Assert.True(Text(run, "status") == "completed", run.GetRawText());
        return Text(run, "weightsDigest");
    }

    private static Task<InProcessHost> StartAsync(TemporaryFolder data, IBlobStore store) =>
        InProcessHost.StartAsync(data.Path, store, isOwnFolder: false, null, "--Host:LeaseSeconds", "6");

    private static async Task DropAsync(InProcessHost host)
    {
        await host.PutOkAsync("api/datasets/tickets/settings", Settings);
        await host.PutOkAsync("api/datasets/tickets/drops/a.csv", new Workload(Late: false).Drops[0].Content);
    }

    private static async Task<HttpStatusCode> WorkAsync(InProcessHost host)
    {
        using HttpResponseMessage response = await host.Http.GetAsync(new Uri("runtime/webhooks/durabletask/instances", UriKind.Relative), Ct);
        return response.StatusCode;
    }

    private static async Task<int> EpochsAsync(InProcessHost host) =>
        await host.FindAsync("api/runs/tickets-1") is { } run ? run.GetProperty("history").GetArrayLength() : 0;

    private static async Task AssertOneVersionAsync(InProcessHost host)
    {
        JsonElement model = (await host.FindAsync("api/models/tickets"))!.Value;
        Assert.Equal(1, model.GetProperty("champion").GetInt32());
        Assert.Equal(1, model.GetProperty("versions").GetArrayLength());
        Assert.Equal(1, model.GetProperty("promotions").GetArrayLength());
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).ToString();

    private static StringContent JsonContent(string json) => new(json, System.Text.Encoding.UTF8, "application/json");
}
