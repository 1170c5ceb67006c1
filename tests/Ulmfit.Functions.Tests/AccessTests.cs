using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Text;
using System.Text.Json;
using Microsoft.Azure.Functions.Worker;
using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Functions.Tests;

/// <summary>Who may call what. A function that is not in the table fails, so that none is open unnoticed.</summary>
public sealed class AccessTests(SharedHost shared) : IClassFixture<SharedHost>, IDisposable
{
    /// <summary>Every HTTP function: its name, method and route, and the key that it asks for.</summary>
    private static readonly (string Function, string Method, string Path, AuthorizationLevel Level)[] Table =
    [
        ("Page", "get,head", "{ignored:maxlength(0)?}", AuthorizationLevel.Anonymous),
        ("PageAsset", "get,head", "assets/{name}", AuthorizationLevel.Anonymous),
        ("Live", "get", "api/health/live", AuthorizationLevel.Anonymous),
        ("Ready", "get", "api/health/ready", AuthorizationLevel.Anonymous),
        ("GetOpenApi", "get", "api/openapi.json", AuthorizationLevel.Anonymous),
        ("Classify", "post", "api/models/{model}/classify", AuthorizationLevel.Function),
        ("PostFeedback", "post", "api/models/{model}/feedback", AuthorizationLevel.Function),
        ("GetUncertain", "get", "api/datasets/{dataset}/uncertain", AuthorizationLevel.Function),
        ("PutDrop", "put", "api/datasets/{dataset}/drops/{name}", AuthorizationLevel.Function),
        ("GetDrop", "get", "api/datasets/{dataset}/drops/{name}", AuthorizationLevel.Function),
        ("GetDatasets", "get", "api/datasets", AuthorizationLevel.Function),
        ("GetDataset", "get", "api/datasets/{dataset}", AuthorizationLevel.Function),
        ("PutSettings", "put", "api/datasets/{dataset}/settings", AuthorizationLevel.Function),
        ("GetSettings", "get", "api/datasets/{dataset}/settings", AuthorizationLevel.Function),
        ("PostRun", "post", "api/datasets/{dataset}/runs", AuthorizationLevel.Function),
        ("GetRuns", "get", "api/runs", AuthorizationLevel.Function),
        ("GetRun", "get", "api/runs/{id}", AuthorizationLevel.Function),
        ("DeleteRun", "delete", "api/runs/{id}", AuthorizationLevel.Function),
        ("GetRunEvents", "get", "api/runs/{id}/events", AuthorizationLevel.Function),
        ("GetRunReport", "get", "api/runs/{id}/report", AuthorizationLevel.Function),
        ("GetModels", "get", "api/models", AuthorizationLevel.Function),
        ("GetModel", "get", "api/models/{model}", AuthorizationLevel.Function),
        ("GetModelVersion", "get", "api/models/{model}/versions/{version}", AuthorizationLevel.Function),
        ("GetModelVersionReport", "get", "api/models/{model}/versions/{version}/report", AuthorizationLevel.Function),
        ("GetModelDrift", "get", "api/models/{model}/drift", AuthorizationLevel.Function),
        ("PutChampion", "put", "api/models/{model}/champion", AuthorizationLevel.Function),
        ("PutPretrained", "put", "api/pretrained/{name}", AuthorizationLevel.Function),
        ("GetPretrainings", "get", "api/pretrained", AuthorizationLevel.Function),
        ("GetPretraining", "get", "api/pretrained/{name}", AuthorizationLevel.Function),
        ("DeletePretraining", "delete", "api/pretrained/{name}", AuthorizationLevel.Function),
        ("UnknownRoute", "get,put,post,delete,patch", "api/{*path}", AuthorizationLevel.Function),
    ];

    /// <summary>The management API of Durable Functions, which the host adds.</summary>
    private static readonly (string Method, string Path)[] Management =
    [
        ("GET", "instances"), ("DELETE", "instances?createdTimeFrom=2020-01-01"), ("GET", "instances/x"), ("DELETE", "instances/x"), ("POST", "instances/x/raiseEvent/e"),
        ("POST", "instances/x/terminate"), ("POST", "instances/x/suspend"), ("POST", "instances/x/resume"), ("POST", "orchestrators/None/x"),
    ];

    private readonly TemporaryFolder folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public void HttpFunctions_AreThoseOfTheTable()
    {
        var found =
            from type in Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, "Ulmfit.Functions.dll")).GetTypes()
            from method in type.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static)
            let function = method.GetCustomAttribute<FunctionAttribute>()
            where function is not null
            from parameter in method.GetParameters()
            let trigger = parameter.GetCustomAttribute<HttpTriggerAttribute>()
            where trigger is not null
            select (function.Name, string.Join(',', trigger.Methods ?? []), trigger.Route ?? "", trigger.AuthLevel);

        Assert.Equal(Table.Order(), found.Order());
        Assert.Equal(["Page", "PageAsset", "Live", "Ready", "GetOpenApi"], Table.Where(row => row.Level == AuthorizationLevel.Anonymous).Select(row => row.Function));
    }

    [Fact]
    public async Task EveryRoute_WithKeysRequired_OpensToItsKeyAloneAndNoKeyIsLogged()
    {
        await using HostProcess host = await HostProcess.StartAsync(
            folder.Path, "--Host:RequireKeys", "--Logging:LogLevel:Default", "Trace", "--Logging:LogLevel:Microsoft.AspNetCore", "Trace", "--Logging:Console:LogLevel:Default", "Trace",
            "--Logging:Console:LogLevel:Microsoft.AspNetCore.Hosting.Diagnostics", "Trace");
        JsonElement file = JsonSerializer.Deserialize<JsonElement>(await File.ReadAllBytesAsync(Path.Combine(folder.Path, "keys", "host.json"), Ct));
        string master = file.GetProperty("master").GetString()!, key = file.GetProperty("keys").GetProperty("default").GetString()!;
        string system = file.GetProperty("systemKeys").GetProperty("durabletask_extension").GetString()!;

        foreach ((string function, string methods, string route, AuthorizationLevel level) in Table)
        {
            string path = route.Replace("{*path}", "nothing/here", StringComparison.Ordinal).Replace("{ignored:maxlength(0)?}", "", StringComparison.Ordinal).Replace("{version}", "1", StringComparison.Ordinal).Replace("{id}", "none-1", StringComparison.Ordinal)
                .Replace("drops/{name}", "drops/a.csv", StringComparison.Ordinal).Replace("{", "", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal);
            bool open = level == AuthorizationLevel.Anonymous;
            foreach (string method in methods.Split(','))
            {
                await ExpectAsync(host, function, method, path, null, admitted: open);
                await ExpectAsync(host, function, method, path, "wrong", admitted: open);
                await ExpectAsync(host, function, method, path, system, admitted: open);
                await ExpectAsync(host, function, method, path, key, admitted: true);
                await ExpectAsync(host, function, method, path, master, admitted: true);
                await ExpectAsync(host, function, method, $"{path}?code={Uri.EscapeDataString(key)}", null, admitted: true);
                await ExpectAsync(host, function, method, $"{path}?code=wrong", null, admitted: open);
            }
        }
        foreach ((string method, string path) in Management)
        {
            await ExpectAsync(host, path, method, $"runtime/webhooks/durabletask/{path}", null, admitted: false);
            await ExpectAsync(host, path, method, $"runtime/webhooks/durabletask/{path}", key, admitted: false);
            await ExpectAsync(host, path, method, $"runtime/webhooks/durabletask/{path}", system, admitted: true);
        }
        await ExpectAsync(host, "metrics", "GET", "metrics", null, admitted: false);
        await ExpectAsync(host, "metrics", "GET", "metrics", system, admitted: false);
        await ExpectAsync(host, "metrics", "GET", "metrics", key, admitted: true);
        await SendRawAsync(host, $"GET /api/models?code={key} HTTP/9.9\r\n\r\n");
        await SendRawAsync(host, $"GET /api/models?code={key} \r\n\r\n");
        await SendRawAsync(host, $"GET /api/models?code={key} HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n");

        Assert.True(host.Output.Count > 1000, "Little was logged: the settings of the log are not what this test needs.");
        Assert.DoesNotContain(host.Output, line => line.Contains(key, StringComparison.Ordinal) || line.Contains(master, StringComparison.Ordinal) || line.Contains(system, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Classify_AnonymousBySetting_NeedsNoKeyAndAllElseDoes()
    {
        await using HostProcess host = await HostProcess.StartAsync(folder.Path, "--Host:RequireKeys", "--Classify:Anonymous");

        await ExpectAsync(host, "Classify", "post", "api/models/none/classify", null, admitted: true);
        await ExpectAsync(host, "GetModels", "get", "api/models", null, admitted: false);
        await ExpectAsync(host, "PutChampion", "put", "api/models/none/champion", null, admitted: false);
    }

    [Theory]
    [InlineData("GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "404")]
    [InlineData("GET /api/nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "404")]
    [InlineData("BREW /api/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "405")]
    [InlineData("GET /api/models HTTP/9.9\r\nHost: localhost\r\n\r\n", "505")]
    [InlineData("GET /api/models HTTP/1.1\r\n\r\n", "400")]
    [InlineData("GET /api/\0 HTTP/1.1\r\nHost: localhost\r\n\r\n", "400")]
    [InlineData("rubbish\r\n\r\n", "400")]
    [InlineData("POST /api/models/x/classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n", "400")]
    [InlineData("POST /api/models/x/classify HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400")]
    [InlineData("POST /runtime/webhooks/durabletask/orchestrators/Retrain HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1\r\n\r\n{", "400")]
    [InlineData("POST /runtime/webhooks/durabletask/orchestrators/Retrain/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 9999999\r\n\r\n", "413")]
    [InlineData("GET /runtime/webhooks/durabletask/instances?top=x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "400")]
    [InlineData("GET /api/models HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", "403")]
    [InlineData("POST /api/datasets/x/runs HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", "403")]
    public async Task Request_MalformedOrUnknown_TellsNothingOfTheInside(string request, string status)
    {
        string answer = await SendRawAsync(shared.Host, request);

        Assert.StartsWith($"HTTP/1.1 {status}", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("Server:", answer, StringComparison.OrdinalIgnoreCase);
    }

    private static async Task ExpectAsync(HostProcess host, string what, string method, string path, string? key, bool admitted)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method.ToUpperInvariant()), path);
        if (key is not null)
        {
            request.Headers.Add("x-functions-key", key);
        }
        using HttpResponseMessage answer = await host.Http.SendAsync(request, Ct);
        string body = await answer.Content.ReadAsStringAsync(Ct);

        Assert.True(admitted == (answer.StatusCode != HttpStatusCode.Unauthorized), $"{what} {method} {path}: {(int)answer.StatusCode}");
        Assert.True((int)answer.StatusCode < 500, $"{what} {method} {path}: {(int)answer.StatusCode} {body}");
        Assert.DoesNotContain("   at ", body, StringComparison.Ordinal);
        if (!admitted)
        {
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        }
    }

    private static async Task<string> SendRawAsync(HostProcess host, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(host.Http.BaseAddress!.Host, host.Http.BaseAddress.Port, Ct);
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request), Ct);
        using var answer = new StreamReader(stream, Encoding.Latin1);
        return await answer.ReadToEndAsync(Ct);
    }
}
