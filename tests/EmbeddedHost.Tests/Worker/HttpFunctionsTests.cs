using System.Net;
using System.Net.Http.Json;
using System.Text;
using EmbeddedHost.Tests.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost.Tests.Worker;

public sealed class HttpFunctionsTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("result", "text/plain", "hello")]
    [InlineData("action", "application/json", "{\"name\":\"ann\",\"age\":7}")]
    [InlineData("problem", "application/problem+json", "\"title\":\"Lost\"")]
    [InlineData("content", "text/html", "<b>x</b>")]
    [InlineData("plain", "application/json", "{\"name\":\"ann\",\"age\":7}")]
    [InlineData("value", "application/json", "{\"name\":\"val\",\"age\":1}")]
    [InlineData("sync", "text/plain", "sync")]
    [InlineData("static", "text/plain", "static")]
    [InlineData("written", "text/plain", "written")]
    public async Task Get_FunctionReturnsSomething_IsWritten(string route, string type, string body)
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Results_)]);

        using HttpResponseMessage answer = await app.Client.GetAsync($"/api/{route}", Ct);

        Assert.Equal(type, answer.Content.Headers.ContentType?.MediaType);
        Assert.Contains(body, await answer.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_ActionResultWithStatus_HasThatStatus()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Results_)]);

        using HttpResponseMessage answer = await app.Client.GetAsync("/api/problem", Ct);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task Get_RouteAndQueryValues_AreBoundByNameAndType()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Routes)]);

        string answer = await app.Client.GetStringAsync("/api/items/box/7?since=2026-01-02&flag=true", Ct);

        Assert.Equal("box 7 2026-01-02 True 10", answer);
    }

    [Fact]
    public async Task Get_RouteConstraintDoesNotHold_IsNotFound()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Routes)]);

        using HttpResponseMessage answer = await app.Client.GetAsync("/api/items/box/seven", Ct);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task Get_QueryValueOfWrongType_IsBadRequest()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Routes)]);

        using HttpResponseMessage answer = await app.Client.GetAsync("/api/items/box/7?flag=maybe", Ct);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("flag", await answer.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_OtherMethodSameRoute_GoesToItsFunction()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Routes)]);

        using HttpResponseMessage put = await app.Client.PutAsJsonAsync("/api/items/box/7", new Person("zoe", 3), Ct);
        using HttpResponseMessage delete = await app.Client.DeleteAsync("/api/items/box/7", Ct);

        Assert.Equal("put box zoe", await put.Content.ReadAsStringAsync(Ct));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, delete.StatusCode);
    }

    [Fact]
    public async Task Request_NoMethodsStated_AnyMethodIsServed()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Routes)]);

        using HttpResponseMessage answer = await app.Client.DeleteAsync("/api/Any", Ct);

        Assert.Equal("DELETE", await answer.Content.ReadAsStringAsync(Ct));
    }

    [Fact]
    public async Task Get_EmptyRoutePrefix_RoutesStandAtTheRoot()
    {
        await using TestApp app = await TestApp.StartAsync(
            [typeof(Page)], hostJson: """{ "version": "2.0", "extensions": { "http": { "routePrefix": "" } } }""");

        Assert.Equal("page", await app.Client.GetStringAsync("/", Ct));
        Assert.Equal("asset a/b.js", await app.Client.GetStringAsync("/assets/a/b.js", Ct));
        using HttpResponseMessage other = await app.Client.GetAsync("/other", Ct);
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);
    }

    [Fact]
    public async Task Get_FunctionThrows_Is500WithoutStackTraceAndLogged()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Failing)]);

        using HttpResponseMessage answer = await app.Client.GetAsync("/api/Throw", Ct);
        string body = await answer.Content.ReadAsStringAsync(Ct);

        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.DoesNotContain("secret", body, StringComparison.Ordinal);
        Assert.DoesNotContain(" at ", body, StringComparison.Ordinal);
        Assert.Contains(app.Log.Of(LogLevel.Error), l => l.Contains("a secret detail", StringComparison.Ordinal) && l.Contains("Throw", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Get_FunctionThrowsAfterItBeganToAnswer_TheAnswerIsBroken()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Failing)]);

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => app.Client.GetStringAsync("/api/ThrowLate", Ct));
    }

    [Fact]
    public async Task Put_BodyOf100Megabytes_IsStreamedToTheFunction()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Uploads)]);
        const int Megabytes = 100;
        using var content = new PushContent(Megabytes << 20);

        using HttpResponseMessage answer = await app.Client.PutAsync("/api/Upload", content, Ct);

        Assert.Equal($"{(long)Megabytes << 20}", await answer.Content.ReadAsStringAsync(Ct));
    }

    [Fact]
    public async Task Get_ConstructorInjection_ScopeIsTheInvocations()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Scoped)], b => b.Services.AddScoped<Marker>());

        string[] first = (await app.Client.GetStringAsync("/api/Scoped", Ct)).Split(' ');
        string[] second = (await app.Client.GetStringAsync("/api/Scoped", Ct)).Split(' ');

        Assert.Equal(first[0], first[1]);
        Assert.NotEqual(first[0], second[0]);
        Assert.Equal(2, app.Recorder.Count("disposed"));
    }

    [Fact]
    public async Task Get_FunctionContext_DescribesTheInvocation()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Contexts)]);

        string answer = await app.Client.GetStringAsync("/api/context/blue", Ct);

        Assert.Equal("Describe blue httpTrigger 0 GET True", answer);
        Assert.Contains(app.Log.All, l => l.StartsWith("custom: from the function", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Get_Middleware_RunsInOrderAndCanReplaceTheResult()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Results_)], b =>
        {
            b.UseMiddleware<Outer>();
            b.UseMiddleware(async (context, next) =>
            {
                Recorder recorder = context.InstanceServices.GetRequiredService<Recorder>();
                recorder.Note("inner before");
                await next();
                recorder.Note("inner after");
            });
            b.UseWhen(c => c.FunctionDefinition.Name == "Other", (_, _) => throw new InvalidOperationException("not for this function"));
        });

        string answer = await app.Client.GetStringAsync("/api/result", Ct);

        Assert.Equal("replaced", answer);
        Assert.Equal(["outer before", "inner before", "inner after", "outer after"], app.Recorder.Notes);
    }

    [Fact]
    public async Task Get_CallerLeaves_TokenIsCancelledAndNothingIsLoggedAsError()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Waiting)]);
        using var leave = new CancellationTokenSource();

        Task<string> request = app.Client.GetStringAsync("/api/Wait", leave.Token);
        await app.Recorder.WaitForAsync("waiting");
        await leave.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await app.Recorder.WaitForAsync("cancelled");
        Assert.Empty(app.Log.Of(LogLevel.Error));
    }

    public sealed record Person(string Name, int Age);

    public sealed class Results_
    {
        [Function("Result")]
        public static async Task<IResult> Result([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "result")] HttpRequest request)
        {
            await Task.Yield();
            return Results.Text("hello");
        }

        [Function("Action")]
        public IActionResult Action([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "action")] HttpRequest request) =>
            new OkObjectResult(new Person("ann", 7));

        [Function("Problem")]
        public IActionResult Problem([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "problem")] HttpRequest request) =>
            new ObjectResult(new ProblemDetails { Title = "Lost", Status = 404 }) { StatusCode = 404 };

        [Function("Content")]
        public IActionResult Content([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "content")] HttpRequest request) =>
            new ContentResult { Content = "<b>x</b>", ContentType = "text/html" };

        [Function("Plain")]
        public Task<Person> Plain([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "plain")] HttpRequest request) =>
            Task.FromResult(new Person("ann", 7));

        [Function("Value")]
        public async ValueTask<Person> Value([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "value")] HttpRequest request)
        {
            await Task.Yield();
            return new Person("val", 1);
        }

        [Function("Sync")]
        public string Sync([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "sync")] HttpRequest request) => "sync";

        [Function("Static")]
        public static string Static([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "static")] HttpRequest request) => "static";

        [Function("Written")]
        public async ValueTask Written([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "written")] HttpRequest request)
        {
            request.HttpContext.Response.ContentType = "text/plain";
            await request.HttpContext.Response.WriteAsync("written");
        }
    }

    public sealed class Routes
    {
        [Function("GetItem")]
        public string Get(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "items/{kind}/{id:int}")] HttpRequest request,
            string kind,
            int id,
            DateOnly? since,
            bool? flag,
            int limit = 10) => $"{kind} {id} {since?.ToString("yyyy-MM-dd", null)} {flag} {limit}";

        [Function("PutItem")]
        public async Task<string> Put(
            [HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "items/{kind}/{id:int}")] HttpRequest request, string kind) =>
            $"put {kind} {(await request.ReadFromJsonAsync<Person>())!.Name}";

        [Function("Any")]
        public string Any([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request) => request.Method;
    }

    public sealed class Page
    {
        [Function("Page")]
        public string Index([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "{ignored:maxlength(0)?}")] HttpRequest request) => "page";

        [Function("Asset")]
        public string Asset([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "assets/{*path}")] HttpRequest request, string path) => $"asset {path}";
    }

    public sealed class Failing
    {
        [Function("Throw")]
        public Task<string> Throw([HttpTrigger(AuthorizationLevel.Anonymous, "get")] HttpRequest request) =>
            throw new InvalidOperationException("a secret detail");

        [Function("ThrowLate")]
        public async Task ThrowLate([HttpTrigger(AuthorizationLevel.Anonymous, "get")] HttpRequest request)
        {
            await request.HttpContext.Response.WriteAsync("half");
            await request.HttpContext.Response.Body.FlushAsync();
            throw new InvalidOperationException("late");
        }
    }

    public sealed class Uploads
    {
        [Function("Upload")]
        public async Task<string> Upload([HttpTrigger(AuthorizationLevel.Anonymous, "put")] HttpRequest request, CancellationToken cancellationToken)
        {
            long length = 0;
            byte[] buffer = new byte[1 << 16];
            while (await request.Body.ReadAsync(buffer, cancellationToken) is var read and > 0)
            {
                length += read;
            }

            return length.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    internal sealed class Marker(Recorder recorder) : IDisposable
    {
        public Guid Id { get; } = Guid.NewGuid();

        public void Dispose() => recorder.Note("disposed");
    }

    internal sealed class Scoped(Marker marker)
    {
        [Function("Scoped")]
        public string Get([HttpTrigger(AuthorizationLevel.Anonymous, "get")] HttpRequest request, FunctionContext context) =>
            $"{marker.Id} {context.InstanceServices.GetRequiredService<Marker>().Id}";
    }

    public sealed class Contexts
    {
        [Function("Describe")]
        public string Describe([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "context/{colour}")] HttpRequest request, FunctionContext context)
        {
            context.GetLogger("custom").LogInformation("from the function");
            context.GetLogger<Contexts>().LogInformation("typed");
            return string.Join(
                ' ',
                context.FunctionDefinition.Name,
                context.BindingContext.BindingData["colour"],
                context.FunctionDefinition.InputBindings["request"].Type,
                context.RetryContext.RetryCount,
                context.GetHttpContext()!.Request.Method,
                Guid.TryParse(context.InvocationId, out _));
        }
    }

    internal sealed class Outer(Recorder recorder) : Microsoft.Azure.Functions.Worker.Middleware.IFunctionsWorkerMiddleware
    {
        public async Task Invoke(FunctionContext context, Microsoft.Azure.Functions.Worker.Middleware.FunctionExecutionDelegate next)
        {
            recorder.Note("outer before");
            await next(context);
            recorder.Note("outer after");
            context.GetInvocationResult().Value = Results.Text("replaced");
        }
    }

    internal sealed class Waiting(Recorder recorder)
    {
        [Function("Wait")]
        public async Task<string> Wait([HttpTrigger(AuthorizationLevel.Anonymous, "get")] HttpRequest request, CancellationToken cancellationToken)
        {
            recorder.Note("waiting");
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            }
            finally
            {
                recorder.Note("cancelled");
            }

            return "";
        }
    }

    /// <summary>A body that is made while it is sent, so that the test holds nothing of it.</summary>
    private sealed class PushContent(long length) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            byte[] block = Encoding.ASCII.GetBytes(new string('x', 1 << 16));
            for (long sent = 0; sent < length; sent += block.Length)
            {
                await stream.WriteAsync(block);
            }
        }

        protected override bool TryComputeLength(out long computed)
        {
            computed = length;
            return true;
        }
    }
}
