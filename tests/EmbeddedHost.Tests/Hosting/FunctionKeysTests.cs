using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace EmbeddedHost.Tests.Hosting;

public sealed class FunctionKeysTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Request_KeysNotRequired_EveryLevelIsOpenAndNoKeysAreMade()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Levels)]);

        Assert.Equal("admin", await app.Client.GetStringAsync("/api/Admin", Ct));
        Assert.False(Directory.Exists(app.Folder["keys"]));
    }

    [Theory]
    [InlineData("Open", null, true)]
    [InlineData("Mine", null, false)]
    [InlineData("Mine", "master", true)]
    [InlineData("Mine", "host", true)]
    [InlineData("Mine", "own", true)]
    [InlineData("Mine", "other", false)]
    [InlineData("Mine", "system", false)]
    [InlineData("Admin", "master", true)]
    [InlineData("Admin", "host", false)]
    [InlineData("Admin", "admin", false)]
    [InlineData("System", "system", true)]
    [InlineData("System", "master", true)]
    [InlineData("System", "host", false)]
    [InlineData("Mine", "wrong", false)]
    public async Task Request_KeysRequired_LevelDecides(string function, string? key, bool admitted)
    {
        await using TestApp app = await StartWithKeysAsync();
        Keys keys = Keys.Read(app.Folder);

        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/{function}");
        if (key is not null)
        {
            request.Headers.Add("x-functions-key", keys[key]);
        }

        using HttpResponseMessage answer = await app.Client.SendAsync(request, Ct);

        Assert.Equal(admitted ? HttpStatusCode.OK : HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task Request_KeyInQuery_IsTakenWhereTheHeaderIsAbsent()
    {
        await using TestApp app = await StartWithKeysAsync();
        Keys keys = Keys.Read(app.Folder);

        using HttpResponseMessage byQuery = await app.Client.GetAsync($"/api/Mine?code={keys["own"]}", Ct);
        using var both = new HttpRequestMessage(HttpMethod.Get, $"/api/Mine?code={keys["own"]}");
        both.Headers.Add("x-functions-key", "wrong");
        using HttpResponseMessage headerFirst = await app.Client.SendAsync(both, Ct);

        Assert.Equal(HttpStatusCode.OK, byQuery.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, headerFirst.StatusCode);
    }

    [Fact]
    public async Task Start_KeysRequired_FilesAreTheOwnersOnlyAndKeptAndNeverLogged()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "File modes are those of Unix.");
        using var folder = new TemporaryFolder();
        Keys first;
        await using (TestApp app = await StartWithKeysAsync(folder))
        {
            first = Keys.Read(folder);
            using HttpResponseMessage answer = await app.Client.GetAsync($"/api/Mine?code={first["own"]}", Ct);
            Assert.Contains(app.Log.All, l => l.StartsWith("Microsoft.AspNetCore.", StringComparison.Ordinal));
            Assert.DoesNotContain(app.Log.All, l => first.All.Any(k => l.Contains(k, StringComparison.Ordinal)));
        }

        await using (await StartWithKeysAsync(folder))
        {
            Assert.Equal(first.All, Keys.Read(folder).All);
        }

        foreach (string file in Directory.GetFiles(folder["keys"], "*", SearchOption.AllDirectories))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, OperatingSystem.IsWindows() ? 0 : File.GetUnixFileMode(file));
        }

        Assert.All(first.All, k => Assert.True(k.Length >= 50));
    }

    [Fact]
    public async Task Start_KeyFileDamaged_SaysWhichFileAndWhatToDo()
    {
        using var folder = new TemporaryFolder();
        folder.Write("keys/host.json", "{");

        HostStartException e = await Assert.ThrowsAsync<HostStartException>(() => StartWithKeysAsync(folder));

        Assert.Contains(folder["keys", "host.json"], e.Message, StringComparison.Ordinal);
    }

    private static Task<TestApp> StartWithKeysAsync(TemporaryFolder? folder = null) =>
        TestApp.StartAsync([typeof(Levels)], folder: folder, args: ["--Host:RequireKeys", "--Logging:LogLevel:Microsoft.AspNetCore=Trace", "--Logging:LogLevel:Default=Trace"]);

    private sealed class Keys(Dictionary<string, string> keys)
    {
        public IEnumerable<string> All => keys.Values;

        public string this[string name] => keys.GetValueOrDefault(name, name);

        public static Keys Read(TemporaryFolder folder)
        {
            JsonElement host = Json(folder["keys", "host.json"]);
            return new Keys(new()
            {
                ["master"] = host.GetProperty("master").GetString()!,
                ["host"] = host.GetProperty("keys").GetProperty("default").GetString()!,
                ["system"] = host.GetProperty("systemKeys").GetProperty("durabletask_extension").GetString()!,
                ["own"] = Json(folder["keys", "functions", "mine.json"]).GetProperty("default").GetString()!,
                ["other"] = Json(folder["keys", "functions", "open.json"]).GetProperty("default").GetString()!,
                ["admin"] = Json(folder["keys", "functions", "admin.json"]).GetProperty("default").GetString()!,
            });
        }

        private static JsonElement Json(string path)
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            return document.RootElement.Clone();
        }
    }

    public sealed class Levels
    {
        [Function("Open")]
        public string Open([HttpTrigger(AuthorizationLevel.Anonymous, "get")] HttpRequest request) => "open";

        [Function("Mine")]
        public string Mine([HttpTrigger(AuthorizationLevel.Function, "get")] HttpRequest request) => "mine";

        [Function("System")]
        public string System([HttpTrigger(AuthorizationLevel.System, "get")] HttpRequest request) => "system";

        [Function("Admin")]
        public string Admin([HttpTrigger(AuthorizationLevel.Admin, "get")] HttpRequest request) => "admin";
    }
}
