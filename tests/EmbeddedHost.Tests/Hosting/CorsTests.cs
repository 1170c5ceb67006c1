using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;

namespace EmbeddedHost.Tests.Hosting;

/// <summary>Which pages may call, and read answers.</summary>
public sealed class CorsTests
{
    private const string Listed = "https://app.example.com";
    private const string Other = "https://evil.example.com";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Request_NothingListed_NoPageMayReadAndNoPageOfAnotherSiteIsServed()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Greeting)]);

        using HttpResponseMessage preflight = await SendAsync(app, HttpMethod.Options, Other, preflight: true);
        using HttpResponseMessage other = await SendAsync(app, HttpMethod.Get, Other);
        using HttpResponseMessage own = await SendAsync(app, HttpMethod.Get, app.Client.BaseAddress!.GetLeftPart(UriPartial.Authority));
        using HttpResponseMessage program = await SendAsync(app, HttpMethod.Get, null);

        Assert.False(preflight.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.Equal(HttpStatusCode.Forbidden, other.StatusCode);
        Assert.False(other.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
        Assert.Equal(HttpStatusCode.OK, program.StatusCode);
    }

    [Fact]
    public async Task Request_OriginListed_IsServedAndMayBeRead()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Greeting)], args: ["--Host:CORS", $"http://localhost:5173, {Listed}"]);

        using HttpResponseMessage preflight = await SendAsync(app, HttpMethod.Options, Listed, preflight: true);
        using HttpResponseMessage listed = await SendAsync(app, HttpMethod.Get, Listed);
        using HttpResponseMessage other = await SendAsync(app, HttpMethod.Get, Other);

        Assert.Equal(HttpStatusCode.NoContent, preflight.StatusCode);
        Assert.Equal(Listed, Assert.Single(preflight.Headers.GetValues("Access-Control-Allow-Origin")));
        Assert.Equal("PUT", Assert.Single(preflight.Headers.GetValues("Access-Control-Allow-Methods")));
        Assert.False(preflight.Headers.Contains("Access-Control-Allow-Credentials"));
        Assert.Equal("hello", await listed.Content.ReadAsStringAsync(Ct));
        Assert.Equal(Listed, Assert.Single(listed.Headers.GetValues("Access-Control-Allow-Origin")));
        Assert.Equal(HttpStatusCode.Forbidden, other.StatusCode);
        Assert.False(other.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Request_KeysRequired_AListedPageNeedsItsKeyAllTheSame()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Greeting)], args: ["--Host:RequireKeys", "--Host:CORS", "*"]);

        using HttpResponseMessage preflight = await SendAsync(app, HttpMethod.Options, Other, preflight: true);
        using HttpResponseMessage withoutKey = await SendAsync(app, HttpMethod.Get, Other);

        Assert.Equal("*", Assert.Single(preflight.Headers.GetValues("Access-Control-Allow-Origin")));
        Assert.Equal(HttpStatusCode.Unauthorized, withoutKey.StatusCode);
    }

    [Theory]
    [InlineData("evil.example.com", HttpStatusCode.Forbidden)]
    [InlineData("localhost.evil.example.com", HttpStatusCode.Forbidden)]
    [InlineData("10.0.0.1", HttpStatusCode.Forbidden)]
    [InlineData("localhost:1234", HttpStatusCode.OK)]
    [InlineData("127.0.0.2", HttpStatusCode.OK)]
    [InlineData("[::1]:80", HttpStatusCode.OK)]
    public async Task Request_NoKeysAndANameThatIsNotTheMachinesOwn_IsForbidden(string name, HttpStatusCode expected)
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Greeting)]);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/Hello");
        request.Headers.Host = name;

        using HttpResponseMessage answer = await app.Client.SendAsync(request, Ct);

        Assert.Equal(expected, answer.StatusCode);
    }

    [Fact]
    public async Task Request_FunctionMadeAnonymousBySetting_NeedsNoKeyAndOthersDo()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Greeting)], args: ["--Host:RequireKeys", "--Host:AnonymousFunctions", "hello"]);

        Assert.Equal("hello", await app.Client.GetStringAsync("/api/Hello", Ct));
        using HttpResponseMessage other = await app.Client.GetAsync("/api/Bye", Ct);
        Assert.Equal(HttpStatusCode.Unauthorized, other.StatusCode);
    }

    [Theory]
    [InlineData("--Host:CORS", "app.example.com", "Host:CORS")]
    [InlineData("--Host:CORS", "https://app.example.com/path", "Host:CORS")]
    [InlineData("--Host:AnonymousFunctions", "Nobody", "Nobody")]
    public async Task Start_SettingThatMeansNothing_IsRefusedByName(string setting, string value, string named)
    {
        HostStartException e = await Assert.ThrowsAsync<HostStartException>(() => TestApp.StartAsync([typeof(Greeting)], args: [setting, value]));

        Assert.Contains(named, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_CredentialsForAnyOrigin_AreRefused() =>
        await Assert.ThrowsAsync<HostStartException>(() => TestApp.StartAsync([typeof(Greeting)], args: ["--Host:CORS", "*", "--Host:CORSCredentials"]));

    [Fact]
    public void CreateBuilder_LocalSettings_HostSectionIsReadAsCoreToolsReadsIt()
    {
        using var folder = new TemporaryFolder();
        folder.Write("local.settings.json", """{ "Values": {}, "Host": { "CORS": "http://localhost:5173", "CORSCredentials": true, "LocalHttpPort": 1 } }""");

        FunctionsApplicationBuilder builder = FunctionsApplication.CreateBuilder(["--script-root", folder.Path]);
        var settings = new HostSettings(builder.Configuration);

        Assert.Equal(["http://localhost:5173"], settings.Cors);
        Assert.True(settings.CorsCredentials);
    }

    private static async Task<HttpResponseMessage> SendAsync(TestApp app, HttpMethod method, string? origin, bool preflight = false)
    {
        using var request = new HttpRequestMessage(method, "/api/Hello");
        if (origin is not null)
        {
            request.Headers.Add("Origin", origin);
        }

        if (preflight)
        {
            request.Headers.Add("Access-Control-Request-Method", "PUT");
        }

        return await app.Client.SendAsync(request, Ct);
    }

    public sealed class Greeting
    {
        [Function("Hello")]
        public string Hello([HttpTrigger(AuthorizationLevel.Function, "get", "put")] HttpRequest request) => "hello";

        [Function("Bye")]
        public string Bye([HttpTrigger(AuthorizationLevel.Function, "get")] HttpRequest request) => "bye";
    }
}
