using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using EmbeddedHost.Tests.Worker;
using Microsoft.Extensions.DependencyInjection;

namespace EmbeddedHost.Tests.Hosting;

/// <summary>Several hosts on one data directory, and on directories of their own with a lease between them: one works, the others stand by.</summary>
public sealed class OwnershipTests
{
    private const string Api = "/runtime/webhooks/durabletask";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Standby_IsAskedForWork_AnswersThatTheOtherDoesItAndTakesItUpWhenThatHasStopped()
    {
        using var folder = new TemporaryFolder();
        string id;
        TestApp second;
        await using (TestApp first = await TestApp.StartAsync([typeof(DurableFunctionsTests.Greeting), typeof(ChildFunctions)], folder: folder))
        {
            id = await ScheduleAsync(first);
            second = await TestApp.StartAsync([typeof(DurableFunctionsTests.Greeting), typeof(ChildFunctions)], folder: folder);

            using HttpResponseMessage refused = await second.Client.PostAsync("/api/start/wait", null, Ct);
            using HttpResponseMessage unknown = await second.Client.GetAsync($"{Api}/instances/{id}", Ct);
            string served = await second.Client.GetStringAsync("/api/ping", Ct);

            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, unknown.StatusCode);
            Assert.NotNull(refused.Headers.RetryAfter);
            string detail = (await refused.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("detail").GetString()!;
            Assert.Contains($"process {Environment.ProcessId} at {first.Client.BaseAddress!.GetLeftPart(UriPartial.Authority)}", detail, StringComparison.Ordinal);
            Assert.Equal($"{Environment.ProcessId}", served);
        }

        await using (second)
        {
            await RaiseAsync(second, id, 8);

            Assert.Equal("got 8", await OutputAsync(second, id));
        }
    }

    [Fact]
    public async Task Standby_KeysAreRequired_OpensToTheKeysThatTheOwnerMade()
    {
        using var folder = new TemporaryFolder();
        string[] keys = ["--Host:RequireKeys"];
        await using TestApp first = await TestApp.StartAsync([typeof(DurableFunctionsTests.Greeting)], folder: folder, args: keys);
        await using TestApp second = await TestApp.StartAsync([typeof(DurableFunctionsTests.Greeting)], folder: folder, args: keys);
        using JsonDocument host = JsonDocument.Parse(File.ReadAllText(folder["keys/host.json"]));
        string master = host.RootElement.GetProperty("master").GetString()!;

        using HttpResponseMessage closed = await second.Client.GetAsync($"{Api}/instances", Ct);
        using HttpResponseMessage open = await second.Client.GetAsync($"{Api}/instances?code={master}", Ct);

        Assert.Equal(HttpStatusCode.Unauthorized, closed.StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, open.StatusCode);
    }

    [Fact]
    public async Task Lease_IsLost_HostStopsItsWorkAnotherTakesOverAndTheFirstMayHaveItAgain()
    {
        using var lease = new SharedLease();
        IHostLease ofSecond = lease.For();
        await using TestApp first = await StartAsync(lease.For());
        await using TestApp second = await StartAsync(ofSecond);
        string id = await ScheduleAsync(first);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await TryScheduleAsync(second));

        lease.TakeAway();
        await Eventually.TrueAsync(() => Task.FromResult(lease.Holders == 2), "one of them takes it anew");
        bool secondWorks = lease.Latest == ofSecond;
        TestApp works = secondWorks ? second : first, waits = secondWorks ? first : second;
        await Eventually.TrueAsync(async () => await TryScheduleAsync(works) == HttpStatusCode.OK && await TryScheduleAsync(waits) == HttpStatusCode.ServiceUnavailable, "it works, and the other one does not");
        await works.Host.StopAsync(Ct);
        await Eventually.TrueAsync(async () => await TryScheduleAsync(waits) == HttpStatusCode.OK, "the other takes over");

        if (waits == first)
        {
            // Its own instance has waited all the while.
            await RaiseAsync(first, id, 3);
            Assert.Equal("got 3", await OutputAsync(first, id));
        }
        Assert.True(lease.Holders >= 3, $"{lease.Holders} holders");
        Assert.False(lease.WasSharedByTwo);
    }

    [Fact]
    public async Task Lease_StorageDoesNotAnswerAtTheStart_HostStandsByUntilItDoes()
    {
        using var lease = new SharedLease { IsDown = true };
        await using TestApp app = await StartAsync(lease.For());
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await TryScheduleAsync(app));

        lease.IsDown = false;

        await Eventually.TrueAsync(async () => await TryScheduleAsync(app) == HttpStatusCode.OK, "it works");
    }

    private static Task<TestApp> StartAsync(IHostLease lease) => TestApp.StartAsync(
        [typeof(DurableFunctionsTests.Greeting)], builder => builder.Services.AddSingleton(lease));

    private static async Task<string> ScheduleAsync(TestApp app)
    {
        using HttpResponseMessage answer = await app.Client.PostAsync("/api/start/wait", null, Ct);
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadAsStringAsync(Ct);
    }

    private static async Task<HttpStatusCode> TryScheduleAsync(TestApp app)
    {
        using HttpResponseMessage answer = await app.Client.PostAsync("/api/start/wait", null, Ct);
        return answer.StatusCode;
    }

    private static Task RaiseAsync(TestApp app, string id, int value) => Eventually.TrueAsync(
        async () =>
        {
            using HttpResponseMessage answer = await app.Client.PostAsJsonAsync($"{Api}/instances/{id}/raiseEvent/go", new { Value = value }, Ct);
            return answer.StatusCode == HttpStatusCode.Accepted;
        },
        "the event is taken");

    private static async Task<string?> OutputAsync(TestApp app, string id)
    {
        JsonElement status = default;
        await Eventually.TrueAsync(
            async () =>
            {
                using HttpResponseMessage answer = await app.Client.GetAsync($"{Api}/instances/{id}", Ct);
                status = await answer.Content.ReadFromJsonAsync<JsonElement>(Ct);
                return answer.StatusCode == HttpStatusCode.OK;
            },
            "the end of the instance");
        return status.GetProperty("output").GetString();
    }

    /// <summary>A lease in memory, as an app may register one over the storage it has.</summary>
    private sealed class SharedLease : IDisposable
    {
        private readonly Lock gate = new();
        private Held? current;
        private bool isTakenAway;

        public bool IsDown { get; set; }

        public int Holders { get; private set; }

        /// <summary>Whose it was last.</summary>
        public IHostLease? Latest { get; private set; }

        public bool WasSharedByTwo { get; private set; }

        public IHostLease For() => new ForOne(this);

        /// <summary>Lets the holder know that it has lost it; another may have it as soon as that one has let go.</summary>
        public void TakeAway()
        {
            Held? lost;
            lock (gate)
            {
                lost = current;
                isTakenAway = true;
            }

            lost?.Lose();
        }

        public void Dispose() => current?.Dispose();

        private sealed class ForOne(SharedLease lease) : IHostLease
        {
            public string? Holder => lease.current?.Name;

            public Task<IHeldHostLease?> TryTakeAsync(string holder, CancellationToken cancellationToken)
            {
                lock (lease.gate)
                {
                    if (lease.IsDown)
                    {
                        throw new IOException("The storage does not answer.");
                    }

                    if (lease.current is not null && !lease.isTakenAway)
                    {
                        return Task.FromResult<IHeldHostLease?>(null);
                    }

                    lease.WasSharedByTwo |= lease.current is { Lost.IsCancellationRequested: false };
                    lease.isTakenAway = false;
                    lease.Holders++;
                    lease.Latest = this;
                    return Task.FromResult<IHeldHostLease?>(lease.current = new Held(lease, holder));
                }
            }
        }

        private sealed class Held(SharedLease lease, string name) : IHeldHostLease, IDisposable
        {
            private readonly CancellationTokenSource lost = new();

            public string Name => name;

            public CancellationToken Lost => lost.Token;

            public void Lose() => lost.Cancel();

            public ValueTask DisposeAsync()
            {
                lock (lease.gate)
                {
                    if (lease.current == this)
                    {
                        lease.current = null;
                    }
                }

                return ValueTask.CompletedTask;
            }

            public void Dispose() => lost.Dispose();
        }
    }
}
