using System.Net;
using System.Text.Json;
using Ulmfit.Functions.Tests.Support;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Storage;
using Ulmfit.Training;

namespace Ulmfit.Functions.Tests;

/// <summary>
/// Runs as server-sent events. The runs are written by the test, as another process would that trains: the host has only the storage in
/// common with it.
/// </summary>
public sealed class RunEventsTests : IDisposable
{
    private static readonly string[] Final = ["completed", "rejected", "failed", "canceled"];

    private readonly TemporaryFolder folder = new();
    private readonly RunRegistry runs;

    public RunEventsTests() => runs = new RunRegistry(new FolderBlobStore(folder.Path), TimeProvider.System);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Events_AnyChangesAndAnyClients_AreSeenInOrderWithTheEndLastAndNothingAfterIt(int seed)
    {
        await using HostProcess host = await HostProcess.StartAsync(folder.Path);
        RunId id = await TakeAsync("tickets");
        string path = $"api/runs/{id}/events";
        var random = new Random(seed);
        Task<List<ServerEvent>>[] clients = [.. Enumerable.Range(0, 6).Select(client => FollowAsync(host.Http, path, hangsUp: client % 2 == 0, new Random((seed * 100) + client)))];

        await ChangeAtRandomAsync(id, random);
        var ends = new[] { RunStatus.Completed, RunStatus.Rejected, RunStatus.Failed, RunStatus.Canceled };
        await runs.FinishAsync(id, ends[seed % ends.Length], ct: Ct);

        JsonElement last = await host.GetJsonAsync($"api/runs/{id}");
        foreach (List<ServerEvent> seen in await Task.WhenAll(clients))
        {
            Assert.All(seen, message => Assert.Equal("run", message.Type));
            Assert.All(seen, message => Assert.Equal(message.Id, message.Data.GetProperty("revision").GetInt64()));
            Assert.All(seen.Zip(seen.Skip(1)), pair => Assert.True(pair.First.Id < pair.Second.Id, $"{pair.First.Id} came before {pair.Second.Id}"));
            Assert.All(seen.Zip(seen.Skip(1)), pair => AssertNoStepBack(pair.First.Data, pair.Second.Data));
            Assert.All(seen.SkipLast(1), message => Assert.DoesNotContain(message.Status, Final));
            Assert.Equal(last.GetRawText(), seen[^1].Data.GetRawText());
        }
        using EventStream again = await EventStream.OpenAsync(host.Http, path, last.GetProperty("revision").GetRawText(), ct: Ct);
        Assert.Equal(HttpStatusCode.NoContent, again.Status);
    }

    [Fact]
    public async Task Events_OfARunThatGoesOn_TellEveryChangeAsGetRunDoes()
    {
        await using HostProcess host = await HostProcess.StartAsync(folder.Path);
        RunId id = await TakeAsync("tickets");
        using EventStream stream = await EventStream.OpenAsync(host.Http, $"api/runs/{id}/events", ct: Ct);
        Assert.Equal(HttpStatusCode.OK, stream.Status);
        Assert.Equal("text/event-stream", stream.Response.Content.Headers.ContentType?.ToString());
        Assert.True(stream.Response.Headers.CacheControl?.NoCache);
        await using IAsyncEnumerator<ServerEvent> messages = stream.ReadAsync(Ct).GetAsyncEnumerator(Ct);
        Assert.Equal("queued", (await NextAsync(messages)).Status);

        await StartAsync(id);
        Assert.Equal("running", (await NextAsync(messages)).Status);
        await runs.RecordPlanAsync(id, new DirectionPlan(Direction.Forward, [new PlannedStage("head", StageKind.Classifier, 2, 0.01, [new("embedding", false, 0.001), new("head", true, 0.01)])]), Ct);
        JsonElement plan = (await NextAsync(messages)).Data.GetProperty("plan")[0];
        Assert.Equal("""{"direction":"forward","stages":[{"name":"head","kind":"classifier","epochs":2,"learningRate":0.01,"groups":[{"name":"embedding","trained":false,"learningRate":0.001},{"name":"head","trained":true,"learningRate":0.01}]}]}""", plan.GetRawText());
        await runs.ReportAsync(id, Note(Direction.Backward, 3), Ct);
        JsonElement noted = (await NextAsync(messages)).Data;
        Assert.Equal(3, noted.GetProperty("directions")[0].GetProperty("step").GetInt32());
        await runs.RecordEpochAsync(id, Epoch(Direction.Forward, 1), Ct);
        JsonElement ended = (await NextAsync(messages)).Data;
        Assert.Equal(1, ended.GetProperty("epochsDone").GetInt32());
        Assert.Equal(0.5, ended.GetProperty("history")[0].GetProperty("trainLoss").GetDouble());
        Assert.Equal((await host.GetJsonAsync($"api/runs/{id}")).GetRawText(), ended.GetRawText());

        await runs.FinishAsync(id, RunStatus.Failed, run => run with { Error = "It was not to be." }, Ct);
        Assert.Equal("failed", (await NextAsync(messages)).Status);
        Assert.False(await messages.MoveNextAsync());
    }

    [Fact]
    public async Task Events_ClientThatKnowsTheState_IsToldNothingUntilItChanges()
    {
        await using HostProcess host = await HostProcess.StartAsync(folder.Path, "--Events:HeartbeatSeconds", "0.2");
        RunId id = await TakeAsync("tickets");
        string path = $"api/runs/{id}/events", revision = (await host.GetJsonAsync($"api/runs/{id}")).GetProperty("revision").GetRawText();
        using EventStream known = await EventStream.OpenAsync(host.Http, path, revision, ct: Ct);
        await using IAsyncEnumerator<ServerEvent> messages = known.ReadAsync(Ct).GetAsyncEnumerator(Ct);
        Task<bool> next = messages.MoveNextAsync().AsTask();
        await Wait.UntilAsync(() => Task.FromResult(known.Comments >= 3), "silence is filled with comments");
        Assert.False(next.IsCompleted);
        await StartAsync(id);
        Assert.True(await next);
        Assert.Equal("running", messages.Current.Status);

        foreach (string other in (string[])["0", "999999999999999999", "none", "-1", "1.5"])
        {
            using EventStream stream = await EventStream.OpenAsync(host.Http, path, other, ct: Ct);
            await using IAsyncEnumerator<ServerEvent> told = stream.ReadAsync(Ct).GetAsyncEnumerator(Ct);
            Assert.Equal("running", (await NextAsync(told)).Status);
        }
    }

    [Fact]
    public async Task Events_StreamThatIsAsLongAsOneMayBe_EndsAndGoesOnInTheNext()
    {
        await using HostProcess host = await HostProcess.StartAsync(folder.Path, "--Events:StreamSeconds", "1");
        RunId id = await TakeAsync("tickets");
        long seen;
        using (EventStream first = await EventStream.OpenAsync(host.Http, $"api/runs/{id}/events", ct: Ct))
        {
            List<ServerEvent> messages = await first.ReadAsync(Ct).ToListAsync(Ct);
            seen = Assert.Single(messages).Id;
        }
        await StartAsync(id);
        using EventStream next = await EventStream.OpenAsync(host.Http, $"api/runs/{id}/events", seen.ToString(System.Globalization.CultureInfo.InvariantCulture), ct: Ct);
        Assert.Equal("running", Assert.Single(await next.ReadAsync(Ct).ToListAsync(Ct)).Status);
    }

    [Fact]
    public async Task Events_AllPlacesTaken_Is429WithRetryAfterUntilAClientIsGone()
    {
        await using HostProcess host = await HostProcess.StartAsync(folder.Path, "--Limits:EventStreams", "2");
        RunId id = await TakeAsync("tickets");
        string path = $"api/runs/{id}/events";
        EventStream first = await EventStream.OpenAsync(host.Http, path, ct: Ct);
        using EventStream second = await EventStream.OpenAsync(host.Http, path, ct: Ct);
        using (EventStream refused = await EventStream.OpenAsync(host.Http, path, ct: Ct))
        {
            Assert.Equal(TimeSpan.FromSeconds(10), refused.Response.Headers.RetryAfter?.Delta);
            JsonElement problem = await Problem.ReadAsync(refused.Response, HttpStatusCode.TooManyRequests, "too-many-requests");
            Assert.Equal(2, problem.GetProperty("limit").GetInt32());
        }

        first.Dispose();
        await Wait.UntilAsync(
            async () =>
            {
                using EventStream third = await EventStream.OpenAsync(host.Http, path, ct: Ct);
                return third.Status == HttpStatusCode.OK;
            },
            "the place is free again");
        foreach (int round in Enumerable.Range(0, 20))
        {
            // Those that end by themselves give theirs back too: whoever asks for what is not there, and whoever knows the end.
            using EventStream none = await EventStream.OpenAsync(host.Http, "api/runs/none-1/events", ct: Ct);
            Assert.Contains(none.Status, new[] { HttpStatusCode.NotFound, HttpStatusCode.TooManyRequests });
        }
        await Wait.UntilAsync(
            async () =>
            {
                using EventStream none = await EventStream.OpenAsync(host.Http, "api/runs/none-1/events", ct: Ct);
                return none.Status == HttpStatusCode.NotFound;
            },
            "the places are free again");
    }

    [Fact]
    public async Task Events_HostThatStops_EndsStreamsAtOnce()
    {
        await using HostProcess host = await HostProcess.StartAsync(folder.Path);
        RunId id = await TakeAsync("tickets");
        using EventStream stream = await EventStream.OpenAsync(host.Http, $"api/runs/{id}/events", ct: Ct);
        await using IAsyncEnumerator<ServerEvent> messages = stream.ReadAsync(Ct).GetAsyncEnumerator(Ct);
        await NextAsync(messages);

        Task stop = host.StopAsync();

        // A stream that was torn off would throw.
        Assert.False(await messages.MoveNextAsync());
        await stop;
    }

    [Fact]
    public async Task Events_StorageThatFailsForAWhile_EndNothingAndGoOnAfterIt()
    {
        var store = new CutStore(new FolderBlobStore(folder.Path));
        await using InProcessHost host = await InProcessHost.StartAsync(folder.Path, store, isOwnFolder: true, configure: null, "--Events:HeartbeatSeconds", "0.2");
        RunId id = await TakeAsync("tickets");
        using EventStream stream = await EventStream.OpenAsync(host.Http, $"api/runs/{id}/events", ct: Ct);
        await using IAsyncEnumerator<ServerEvent> messages = stream.ReadAsync(Ct).GetAsyncEnumerator(Ct);
        await NextAsync(messages);

        store.IsCut = true;
        await StartAsync(id);
        Task<bool> next = messages.MoveNextAsync().AsTask();
        int before = stream.Comments;
        await Wait.UntilAsync(() => Task.FromResult(stream.Comments >= before + 5), "comments go on");
        Assert.False(next.IsCompleted);
        store.IsCut = false;

        Assert.True(await next);
        Assert.Equal("running", messages.Current.Status);
    }

    [Fact]
    public async Task Events_PagesOfListedOrigins_MayListen()
    {
        const string Page = "https://page.example";
        await using HostProcess host = await HostProcess.StartAsync(folder.Path, "--Host:CORS", Page);
        RunId id = await TakeAsync("tickets");
        using (EventStream stream = await EventStream.OpenAsync(host.Http, $"api/runs/{id}/events", origin: Page, ct: Ct))
        {
            Assert.Equal(HttpStatusCode.OK, stream.Status);
            Assert.Equal([Page], stream.Response.Headers.GetValues("Access-Control-Allow-Origin"));
            await using IAsyncEnumerator<ServerEvent> messages = stream.ReadAsync(Ct).GetAsyncEnumerator(Ct);
            await NextAsync(messages);
        }
        using (EventStream other = await EventStream.OpenAsync(host.Http, $"api/runs/{id}/events", origin: "https://other.example", ct: Ct))
        {
            Assert.Equal(HttpStatusCode.Forbidden, other.Status);
        }

        // What a page that reads the stream by fetch has to ask for first.
        using var preflight = new HttpRequestMessage(HttpMethod.Options, $"api/runs/{id}/events");
        preflight.Headers.Add("Origin", Page);
        preflight.Headers.Add("Access-Control-Request-Method", "GET");
        preflight.Headers.Add("Access-Control-Request-Headers", "last-event-id,x-functions-key");
        using HttpResponseMessage allowed = await host.Http.SendAsync(preflight, Ct);
        Assert.Equal(HttpStatusCode.NoContent, allowed.StatusCode);
        Assert.Contains("last-event-id", string.Join(',', allowed.Headers.GetValues("Access-Control-Allow-Headers")), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Events_OfARealRun_LeadFromItsBeginningToItsModel()
    {
        await using HostProcess host = await HostProcess.StartAsync(folder.Path);
        await host.PutOkAsync("api/datasets/tickets/settings", TinySettings.Both);
        await host.PutOkAsync("api/datasets/tickets/drops/a.csv", TinyData.Csv(100));
        EventStream? stream = null;
        await Wait.UntilAsync(
            async () =>
            {
                stream?.Dispose();
                stream = await EventStream.OpenAsync(host.Http, "api/runs/tickets-1/events", ct: Ct);
                return stream.Status == HttpStatusCode.OK;
            },
            "the run is taken");
        using EventStream found = stream!;
        List<ServerEvent> messages = await found.ReadAsync(Ct).ToListAsync(Ct);

        Assert.True(messages.Count > 2, $"Only {messages.Count} messages came.");
        Assert.All(messages.Zip(messages.Skip(1)), pair => AssertNoStepBack(pair.First.Data, pair.Second.Data));
        JsonElement end = messages[^1].Data;
        Assert.Equal("completed", end.GetProperty("status").GetString());
        Assert.Equal(10, end.GetProperty("epochsDone").GetInt32());
        Assert.Equal(["backward", "forward"], end.GetProperty("plan").EnumerateArray().Select(plan => plan.GetProperty("direction").GetString()).Order());
        Assert.All(end.GetProperty("plan").EnumerateArray(), plan =>
        {
            Assert.Equal("""[{"name":"lm","kind":"language-model","epochs":2},{"name":"all","kind":"classifier","epochs":3}]""", JsonSerializer.Serialize(
                plan.GetProperty("stages").EnumerateArray().Select(stage => new { name = stage.GetProperty("name").GetString(), kind = stage.GetProperty("kind").GetString(), epochs = stage.GetProperty("epochs").GetInt32() })));
            Assert.All(plan.GetProperty("stages").EnumerateArray().SelectMany(stage => stage.GetProperty("groups").EnumerateArray()), group => Assert.True(group.GetProperty("trained").GetBoolean()));
        });
        Assert.Empty((await host.GetJsonAsync("api/runs")).GetProperty("runs")[0].GetProperty("plan").EnumerateArray());
    }

    private static async Task<ServerEvent> NextAsync(IAsyncEnumerator<ServerEvent> messages)
    {
        Assert.True(await messages.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60), Ct), "The stream has ended.");
        return messages.Current;
    }

    /// <summary>A client that comes again until the run has ended, as browsers do; some hang up after any message.</summary>
    private static async Task<List<ServerEvent>> FollowAsync(HttpClient http, string path, bool hangsUp, Random random)
    {
        var seen = new List<ServerEvent>();
        while (true)
        {
            using EventStream stream = await EventStream.OpenAsync(http, path, seen.Count == 0 ? null : seen[^1].Id.ToString(System.Globalization.CultureInfo.InvariantCulture), ct: Ct);
            if (stream.Status == HttpStatusCode.NoContent)
            {
                return seen;
            }
            Assert.Equal(HttpStatusCode.OK, stream.Status);
            await foreach (ServerEvent message in stream.ReadAsync(Ct))
            {
                seen.Add(message);
                if (hangsUp && random.Next(2) == 0)
                {
                    break;
                }
            }
        }
    }

    private async Task ChangeAtRandomAsync(RunId id, Random random)
    {
        await StartAsync(id);
        int[] epochs = new int[2], steps = new int[2];
        for (int change = 0; change < 400; change++)
        {
            Direction direction = random.Next(2) == 0 ? Direction.Forward : Direction.Backward;
            switch (random.Next(10))
            {
                case 0:
                    await runs.RecordEpochAsync(id, Epoch(direction, ++epochs[(int)direction]), Ct);
                    break;
                case 1:
                    // Two executions of one step, at once.
                    await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => runs.ReportAsync(id, Note(direction, ++steps[(int)direction]), Ct)));
                    break;
                default:
                    await runs.ReportAsync(id, Note(direction, ++steps[(int)direction]), Ct);
                    break;
            }
        }
    }

    private static void AssertNoStepBack(JsonElement before, JsonElement after)
    {
        static int Rank(JsonElement run) => run.GetProperty("status").GetString() switch { "queued" => 0, "running" => 1, _ => 2 };
        Assert.True(Rank(before) <= Rank(after));
        Assert.True(before.GetProperty("epochsDone").GetInt32() <= after.GetProperty("epochsDone").GetInt32());
        foreach (JsonElement earlier in before.GetProperty("directions").EnumerateArray())
        {
            JsonElement[] later = [.. after.GetProperty("directions").EnumerateArray().Where(note => note.GetProperty("direction").GetString() == earlier.GetProperty("direction").GetString())];
            Assert.True(later.Length == 1 || Rank(after) == 2);
            Assert.All(later, note => Assert.True(note.GetProperty("number").GetInt32() >= earlier.GetProperty("number").GetInt32()));
        }
    }

    private async Task<RunId> TakeAsync(string dataset) => (await runs.TakeAsync(dataset, RunTrigger.Request, Ct)).Run.GetId();

    private Task<RunManifest> StartAsync(RunId id) => runs.UpdateAsync(id, run => run with { Status = RunStatus.Running, StartedAt = DateTimeOffset.UnixEpoch }, Ct);

    private static RunProgress Note(Direction direction, int step) => new(direction, "all", 1, 3, step, 1000, 0.7, 0.01, 5000, 0.1, 30, DateTimeOffset.UnixEpoch);

    private static EpochRecord Epoch(Direction direction, int epoch) => new(direction, 0, "all", epoch, 1000, 0.5, 0.6, 0.7, null, 0.01, 2);
}
