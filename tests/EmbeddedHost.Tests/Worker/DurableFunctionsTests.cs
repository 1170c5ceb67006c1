using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using EmbeddedHost.Tests.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost.Tests.Worker;

public sealed class DurableFunctionsTests
{
    private const string Api = "/runtime/webhooks/durabletask";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Schedule_OrchestratorWithActivities_InputsAndResultsAreBound()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Greeting)], b => b.UseMiddleware(async (context, next) =>
        {
            await next();
            ((Recorder)context.InstanceServices.GetService(typeof(Recorder))!).Note($"middleware {context.FunctionDefinition.Name}");
        }));

        string id = await StartAsync(app, "greet", """{ "names": ["ann", "bob"] }""");
        JsonElement status = await EndedAsync(app, id);

        Assert.Equal("Completed", status.GetProperty("runtimeStatus").GetString());
        Assert.Equal(["Hello ann!", "Hello bob!", id], status.GetProperty("output").EnumerateArray().Select(e => e.GetString()!));
        Assert.Equal("greet", status.GetProperty("name").GetString());
        Assert.Contains("middleware SayHelloFunction", app.Recorder.Notes);
        Assert.Contains("middleware Greet", app.Recorder.Notes);
    }

    [Fact]
    public async Task GetInstance_Active_Is202WithLocationAndThen200()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Greeting)]);
        string id = await StartAsync(app, "wait", null);

        using HttpResponseMessage active = await app.Client.GetAsync($"{Api}/instances/{id}", Ct);
        using HttpResponseMessage raised = await app.Client.PostAsJsonAsync($"{Api}/instances/{id}/raiseEvent/go", new { Value = 7 }, Ct);
        JsonElement ended = await EndedAsync(app, id);
        using HttpResponseMessage late = await app.Client.PostAsJsonAsync($"{Api}/instances/{id}/raiseEvent/go", 1, Ct);

        Assert.Equal(HttpStatusCode.Accepted, active.StatusCode);
        Assert.EndsWith($"{Api}/instances/{id}", active.Headers.Location!.ToString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Accepted, raised.StatusCode);
        Assert.Equal("got 7", ended.GetProperty("output").GetString());
        Assert.Equal(HttpStatusCode.Gone, late.StatusCode);
    }

    [Theory]
    [InlineData("GET", "instances/nobody", HttpStatusCode.NotFound)]
    [InlineData("DELETE", "instances/nobody", HttpStatusCode.NotFound)]
    [InlineData("POST", "instances/nobody/terminate", HttpStatusCode.NotFound)]
    [InlineData("POST", "orchestrators/Nothing", HttpStatusCode.BadRequest)]
    [InlineData("GET", "instances?runtimeStatus=Dreaming", HttpStatusCode.BadRequest)]
    [InlineData("DELETE", "instances", HttpStatusCode.BadRequest)]
    public async Task Manage_UnknownOrMalformed_IsRefused(string method, string path, HttpStatusCode expected)
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Greeting)]);

        using var request = new HttpRequestMessage(new HttpMethod(method), $"{Api}/{path}");
        using HttpResponseMessage answer = await app.Client.SendAsync(request, Ct);

        Assert.Equal(expected, answer.StatusCode);
    }

    [Fact]
    public async Task Manage_SuspendResumeTerminatePurge_DoAsNamed()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Greeting)]);
        string id = await StartAsync(app, "wait", null);

        await PostAsync(app, $"instances/{id}/suspend?reason=pause");
        await StatusAsync(app, id, "Suspended");
        await PostAsync(app, $"instances/{id}/resume");
        await StatusAsync(app, id, "Running");
        await PostAsync(app, $"instances/{id}/terminate?reason=enough");
        await StatusAsync(app, id, "Terminated");
        JsonElement list = await app.Client.GetFromJsonAsync<JsonElement>($"{Api}/instances?runtimeStatus=Terminated", Ct);
        Assert.Equal(id, Assert.Single(list.EnumerateArray()).GetProperty("instanceId").GetString());
        using HttpResponseMessage purged = await app.Client.DeleteAsync($"{Api}/instances/{id}", Ct);
        using HttpResponseMessage gone = await app.Client.GetAsync($"{Api}/instances/{id}", Ct);

        Assert.Equal(1, (await purged.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("instancesDeleted").GetInt32());
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    [Fact]
    public async Task Manage_KeysRequired_NeedsTheSystemKey()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Greeting)], args: ["--Host:RequireKeys=true"]);
        using JsonDocument keys = JsonDocument.Parse(await File.ReadAllBytesAsync(app.Folder["keys", "host.json"], Ct));
        string Key(string kind, string name) => keys.RootElement.GetProperty(kind).GetProperty(name).GetString()!;

        using HttpResponseMessage none = await app.Client.GetAsync($"{Api}/instances", Ct);
        using HttpResponseMessage host = await app.Client.GetAsync($"{Api}/instances?code={Key("keys", "default")}", Ct);
        using HttpResponseMessage system = await app.Client.GetAsync($"{Api}/instances?code={Key("systemKeys", "durabletask_extension")}", Ct);

        Assert.Equal(HttpStatusCode.Unauthorized, none.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, host.StatusCode);
        Assert.Equal(HttpStatusCode.OK, system.StatusCode);
    }

    [Fact]
    public async Task Activity_Fails_InstanceFailsAndTheReasonIsLogged()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Greeting)]);

        string id = await StartAsync(app, "fail", null);
        JsonElement status = await EndedAsync(app, id);

        Assert.Equal("Failed", status.GetProperty("runtimeStatus").GetString());
        Assert.Contains("SayHello", status.GetProperty("output").ToString(), StringComparison.Ordinal);
        Assert.Contains(app.Log.Of(LogLevel.Error), l => l.Contains("nobody to greet", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Start_NoDurableFunctions_NoTaskHubIsMade()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(FunctionDiscoveryTests.Fine)]);

        using HttpResponseMessage answer = await app.Client.GetAsync($"{Api}/instances/x", Ct);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.False(Directory.Exists(app.Folder["durable"]));
    }

    [Fact]
    public async Task Restart_InstanceIsWaiting_GoesOn()
    {
        using var folder = new TemporaryFolder();
        string id;
        await using (TestApp first = await TestApp.StartAsync([typeof(Greeting)], folder: folder))
        {
            id = await StartAsync(first, "wait", null);
            await StatusAsync(first, id, "Running");
        }

        await using TestApp second = await TestApp.StartAsync([typeof(Greeting)], folder: folder);
        await PostAsync(second, $"instances/{id}/raiseEvent/go", new { Value = 8 });

        Assert.Equal("got 8", (await EndedAsync(second, id)).GetProperty("output").GetString());
    }

    private static async Task<string> StartAsync(TestApp app, string what, string? body)
    {
        using var content = new StringContent(body ?? "", System.Text.Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await app.Client.PostAsync($"/api/start/{what}", content, Ct);
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadAsStringAsync(Ct);
    }

    private static async Task PostAsync(TestApp app, string path, object? body = null)
    {
        using HttpResponseMessage answer = await app.Client.PostAsJsonAsync($"{Api}/{path}", body, Ct);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
    }

    private static async Task<JsonElement> EndedAsync(TestApp app, string id)
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
        return status;
    }

    private static Task StatusAsync(TestApp app, string id, string expected) => Eventually.TrueAsync(
        async () => (await app.Client.GetFromJsonAsync<JsonElement>($"{Api}/instances/{id}", Ct)).GetProperty("runtimeStatus").GetString() == expected,
        $"the status {expected}");

    internal sealed class Greeting
    {
        public sealed record Guests(string[] Names);

        public sealed record Go(int Value);

        [Function("Start")]
        public async Task<string> Start(
            [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "start/{what}")] HttpRequest request,
            [DurableClient] DurableTaskClient client,
            string what,
            CancellationToken cancellationToken)
        {
            object? input = request.ContentLength > 0 ? await request.ReadFromJsonAsync<JsonElement>(cancellationToken) : null;
            return await client.ScheduleNewOrchestrationInstanceAsync(what, input, cancellation: cancellationToken);
        }

        [Function("Greet")]
        public static async Task<string[]> Greet([OrchestrationTrigger] TaskOrchestrationContext context, Guests guests)
        {
            var all = new List<string>();
            foreach (string name in guests.Names)
            {
                all.Add(await context.CallActivityAsync<string>("SayHello", name));
            }

            all.Add(await context.CallActivityAsync<string>("WhoCalls"));
            return [.. all];
        }

        [Function("SayHelloFunction")]
        public async Task<string> SayHello([ActivityTrigger(Activity = "SayHello")] string? name)
        {
            await Task.Yield();
            return name is null ? throw new InvalidOperationException("nobody to greet") : $"Hello {name}!";
        }

        [Function("WhoCalls")]
        public string WhoCalls([ActivityTrigger] object? nothing, string instanceId, FunctionContext context) =>
            Equals(context.BindingContext.BindingData["instanceId"], instanceId) ? instanceId : "?";

        [Function("Wait")]
        public static async Task<string> Wait([OrchestrationTrigger] TaskOrchestrationContext context) =>
            $"got {(await context.WaitForExternalEvent<Go>("go")).Value}";

        [Function("Fail")]
        public static Task Fail([OrchestrationTrigger] TaskOrchestrationContext context) => context.CallActivityAsync("SayHello");
    }
}
