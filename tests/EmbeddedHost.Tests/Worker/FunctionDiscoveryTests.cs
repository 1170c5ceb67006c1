using EmbeddedHost.Tests.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost.Tests.Worker;

public sealed class FunctionDiscoveryTests
{
    [Theory]
    [InlineData(typeof(Hidden), "'Hidden'", "make it public")]
    [InlineData(typeof(NoTrigger), "no parameter has a trigger")]
    [InlineData(typeof(TwoTriggers), "more than one parameter has a trigger")]
    [InlineData(typeof(WrongHttpType), "parameter 'body'", "make its type Microsoft.AspNetCore.Http.HttpRequest")]
    [InlineData(typeof(UnknownParameter), "parameter 'missing'", "put {missing} into the route 'api/UnknownParameter'")]
    [InlineData(typeof(LoggerParameter), "parameter 'logger'", "constructor")]
    [InlineData(typeof(ClientWithoutAttribute), "parameter 'client'", "put [DurableClient] on it")]
    [InlineData(typeof(ClientOfWrongType), "parameter 'client'", "make its type DurableTaskClient")]
    [InlineData(typeof(WrongContext), "make its type TaskOrchestrationContext")]
    [InlineData(typeof(MissingSetting), "NoSuchSetting", "local.settings.json")]
    [InlineData(typeof(BadSchedule), "'often'")]
    [InlineData(typeof(BadContainer), "'Not_A_Container'")]
    [InlineData(typeof(ReservedContainer), "'keys'", "choose another name")]
    [InlineData(typeof(OpenBrace), "is not closed")]
    [InlineData(typeof(RepeatedName), "{name}", "stands twice")]
    [InlineData(typeof(BadRoute), "BadRoute")]
    [InlineData(typeof(UnknownOutputName), "no value 'other'", "it brings name")]
    [InlineData(typeof(OutputOfNothing), "returns nothing")]
    [InlineData(typeof(RetryOnHttp), "[FixedDelayRetry] is for timer triggers")]
    [InlineData(typeof(RetryOnBlob), "five times")]
    [InlineData(typeof(RetryOnActivity), "TaskOptions")]
    [InlineData(typeof(ByReference), "passed by reference")]
    [InlineData(typeof(SameNames), "'Same'", "a name of its own")]
    [InlineData(typeof(SameRoutes), "answer the same route 'api/same'")]
    [InlineData(typeof(Abstract), "abstract")]
    [InlineData(typeof(BadName), "'a/b' is no name")]
    public void Build_FunctionCannotBeBound_SaysWhichAndWhatToChange(Type functions, params string[] parts)
    {
        FunctionBindingException e = Assert.Throws<FunctionBindingException>(() => Build([functions]));

        Assert.All(parts, p => Assert.Contains(p, e.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Build_SeveralFunctionsCannotBeBound_AllAreNamed()
    {
        FunctionBindingException e = Assert.Throws<FunctionBindingException>(() => Build([typeof(NoTrigger), typeof(UnknownParameter)]));

        Assert.Equal(2, e.Findings.Count);
    }

    [Fact]
    public void Build_HttpFunctionsWithoutWebApplication_SaysWhatToCall()
    {
        using var folder = new TemporaryFolder();
        FunctionsApplicationBuilder builder = FunctionsApplication.CreateBuilder(["--data", folder.Path]).UseFunctions(typeof(Fine));

        FunctionBindingException e = Assert.Throws<FunctionBindingException>(builder.Build);

        Assert.Contains("ConfigureFunctionsWebApplication", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Build_Twice_IsRefused()
    {
        using var folder = new TemporaryFolder();
        FunctionsApplicationBuilder builder = TestApp.CreateBuilder(folder, [typeof(Fine)]);
        using (builder.Build())
        {
            Assert.Throws<InvalidOperationException>(builder.Build);
            Assert.Throws<InvalidOperationException>(() => builder.Use(next => next));
        }
    }

    [Fact]
    public async Task Start_Functions_AreListedWithTheirRoutes()
    {
        await using TestApp app = await TestApp.StartAsync([typeof(Fine)]);
        string address = app.Client.BaseAddress!.GetLeftPart(UriPartial.Authority);

        Assert.Contains(app.Log.All, l => l.Contains($"GetThing: [GET,POST] {address}/api/things/{{id}}", StringComparison.Ordinal));
        Assert.Contains(app.Log.All, l => l.Contains("OnBlob: blobTrigger drops/{name}", StringComparison.Ordinal));
        Assert.Contains(app.Log.All, l => l.Contains("OnTimer: timerTrigger 0 0 4 * * *", StringComparison.Ordinal));
    }

    [Fact]
    public void HttpTrigger_Constructors_StateWhatFunctionsStates()
    {
        Assert.Equal(AuthorizationLevel.Function, new HttpTriggerAttribute().AuthLevel);
        Assert.Equal(AuthorizationLevel.Anonymous, new HttpTriggerAttribute("get").AuthLevel);
        Assert.Equal(["get", "put"], new HttpTriggerAttribute(AuthorizationLevel.Admin, "get", "put").Methods!);
    }

    private static void Build(Type[] functions)
    {
        using var folder = new TemporaryFolder();
        TestApp.CreateBuilder(folder, functions).Build().Dispose();
    }

    public sealed class Fine
    {
        [Function("GetThing")]
        public string Get([HttpTrigger(AuthorizationLevel.Anonymous, "get", "post", Route = "things/{id}")] HttpRequest request, string id) => id;

        [Function("OnBlob")]
        public void OnBlob([BlobTrigger("drops/{name}")] Stream content, string name)
        {
        }

        [Function("OnTimer")]
        public void OnTimer([TimerTrigger("0 0 4 * * *")] TimerInfo timer)
        {
        }
    }

    public sealed class Hidden
    {
        [Function("Hidden")]
        internal string Run([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request) => "";
    }

    public sealed class NoTrigger
    {
        [Function("NoTrigger")]
        public string Run(HttpRequest request) => "";
    }

    public sealed class TwoTriggers
    {
        [Function("TwoTriggers")]
        public string Run([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request, [TimerTrigger("0 * * * * *")] TimerInfo timer) => "";
    }

    public sealed class WrongHttpType
    {
        [Function("WrongHttpType")]
        public string Run([HttpTrigger(AuthorizationLevel.Anonymous)] string body) => body;
    }

    public sealed class UnknownParameter
    {
        [Function("UnknownParameter")]
        public string Run([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request, int missing) => "";
    }

    public sealed class LoggerParameter
    {
        [Function("LoggerParameter")]
        public string Run([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request, ILogger logger) => "";
    }

    public sealed class ClientWithoutAttribute
    {
        [Function("ClientWithoutAttribute")]
        public string Run([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request, DurableTaskClient client) => "";
    }

    public sealed class ClientOfWrongType
    {
        [Function("ClientOfWrongType")]
        public string Run([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request, [DurableClient] string client) => "";
    }

    public sealed class WrongContext
    {
        [Function("WrongContext")]
        public string Run([OrchestrationTrigger] string context) => "";
    }

    public sealed class MissingSetting
    {
        [Function("MissingSetting")]
        public void Run([TimerTrigger("%NoSuchSetting%")] TimerInfo timer)
        {
        }
    }

    public sealed class BadSchedule
    {
        [Function("BadSchedule")]
        public void Run([TimerTrigger("often")] TimerInfo timer)
        {
        }
    }

    public sealed class BadContainer
    {
        [Function("BadContainer")]
        public void Run([BlobTrigger("Not_A_Container/{name}")] Stream content)
        {
        }
    }

    public sealed class ReservedContainer
    {
        [Function("ReservedContainer")]
        public void Run([BlobTrigger("keys/{name}")] Stream content)
        {
        }
    }

    public sealed class OpenBrace
    {
        [Function("OpenBrace")]
        public void Run([BlobTrigger("inbox/{name")] Stream content)
        {
        }
    }

    public sealed class RepeatedName
    {
        [Function("RepeatedName")]
        public void Run([BlobTrigger("inbox/{name}/{name}")] Stream content)
        {
        }
    }

    public sealed class BadRoute
    {
        [Function("BadRoute")]
        public string Run([HttpTrigger(AuthorizationLevel.Anonymous, Route = "a/{b")] HttpRequest request) => "";
    }

    public sealed class UnknownOutputName
    {
        [Function("UnknownOutputName")]
        [BlobOutput("out/{other}")]
        public string Run([BlobTrigger("inbox/{name}")] string content) => content;
    }

    public sealed class OutputOfNothing
    {
        [Function("OutputOfNothing")]
        [BlobOutput("out/x")]
        public Task Run([BlobTrigger("inbox/{name}")] string content) => Task.CompletedTask;
    }

    public sealed class RetryOnHttp
    {
        [Function("RetryOnHttp")]
        [FixedDelayRetry(3, "00:00:01")]
        public string Run([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request) => "";
    }

    public sealed class RetryOnBlob
    {
        [Function("RetryOnBlob")]
        [FixedDelayRetry(3, "00:00:01")]
        public void Run([BlobTrigger("inbox/{name}")] string content)
        {
        }
    }

    public sealed class RetryOnActivity
    {
        [Function("RetryOnActivity")]
        [ExponentialBackoffRetry(3, "00:00:01", "00:00:02")]
        public string Run([ActivityTrigger] string input) => input;
    }

    public sealed class ByReference
    {
        [Function("ByReference")]
        public string Run([ActivityTrigger] string input, ref int count) => input + count;
    }

    public sealed class SameNames
    {
        [Function("Same")]
        public string One([ActivityTrigger] string input) => input;

        [Function("same")]
        public string Two([ActivityTrigger] string input) => input;
    }

    public sealed class SameRoutes
    {
        [Function("One")]
        public string One([HttpTrigger(AuthorizationLevel.Anonymous, "get", "put", Route = "same")] HttpRequest request) => "";

        [Function("Two")]
        public string Two([HttpTrigger(AuthorizationLevel.Anonymous, "PUT", Route = "same")] HttpRequest request) => "";

        [Function("Three")]
        public string Three([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "same")] HttpRequest request) => "";
    }

    public abstract class Abstract
    {
        [Function("Abstract")]
        public string Run([ActivityTrigger] string input) => input;
    }

    public sealed class BadName
    {
        [Function("a/b")]
        public string Run([ActivityTrigger] string input) => input;
    }
}
