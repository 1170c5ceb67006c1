using Microsoft.CodeAnalysis.CSharp;
using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Functions.Tests.Determinism;

/// <summary>The orchestrators keep the rules of replay, and whoever breaks one is told.</summary>
public sealed class OrchestratorRulesTests
{
    [Fact]
    public void Orchestrators_OfTheApp_KeepTheRules()
    {
        // The pipeline's types are in it with their code, since orchestrators use them.
        CSharpCompilation sources = SourceCompilation.OfFiles(
            [.. Repository.Sources("src", "Ulmfit.Functions"), .. Repository.Sources("src", "Ulmfit.Pipeline"), .. Repository.Sources("eng", "embedded", "Functions")],
            "Ulmfit.Functions", "Ulmfit.Pipeline");

        (IReadOnlyList<Violation> violations, IReadOnlyList<string> orchestrators, IReadOnlyList<string> members) = OrchestratorRules.Check(sources);

        Assert.True(sources.Errors().Count == 0, string.Join('\n', sources.Errors()));
        Assert.Equal(new AppOrchestrators().OrchestratorNames.Count, orchestrators.Count);
        Assert.Contains(members, member => member.Contains("Policies.TryAgainAsync", StringComparison.Ordinal));
        Assert.Contains(members, member => member.Contains("EpochStepInput.First", StringComparison.Ordinal));
        Assert.True(violations.Count == 0, string.Join('\n', violations));
    }

    [Theory]
    [InlineData("DURABLE0001", "_ = DateTime.UtcNow;")]
    [InlineData("DURABLE0001", "_ = DateTimeOffset.Now;")]
    [InlineData("DURABLE0001", "_ = DateTime.Today;")]
    [InlineData("DURABLE0001", "_ = System.Diagnostics.Stopwatch.GetTimestamp();")]
    [InlineData("DURABLE0001", "_ = TimeProvider.System.GetUtcNow();")]
    [InlineData("DURABLE0001", "_ = Environment.TickCount64;")]
    [InlineData("DURABLE0002", "_ = Guid.NewGuid();")]
    [InlineData("DURABLE0002", "_ = Guid.CreateVersion7();")]
    [InlineData("DURABLE0003", "await Task.Delay(1);")]
    [InlineData("DURABLE0003", "Thread.Sleep(1);")]
    [InlineData("DURABLE0003", "using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));")]
    [InlineData("DURABLE0004", "await Task.Run(() => { });")]
    [InlineData("DURABLE0004", "await context.CallActivityAsync(\"A\").ConfigureAwait(false);")]
    [InlineData("DURABLE0004", "_ = context.CallActivityAsync(\"A\").ContinueWith(_ => { });")]
    [InlineData("DURABLE0004", "context.CallActivityAsync(\"A\").Wait();")]
    [InlineData("DURABLE0004", "_ = context.CallActivityAsync<int>(\"A\").Result;")]
    [InlineData("DURABLE0004", "await Task.Factory.StartNew(() => { });")]
    [InlineData("DURABLE0004", "new Thread(() => { }).Start();")]
    [InlineData("DURABLE0004", "Parallel.For(0, 2, _ => { });")]
    [InlineData("DURABLE0004", "lock (context) { }")]
    [InlineData("DURABLE0005", "_ = File.Exists(\"a\");")]
    [InlineData("DURABLE0005", "using var http = new HttpClient();")]
    [InlineData("DURABLE0005", "Console.WriteLine();")]
    [InlineData("DURABLE0005", "Ulmfit.Storage.IBlobStore store = new Ulmfit.Storage.FolderBlobStore(\"a\");")]
    [InlineData("DURABLE0006", "_ = Environment.GetEnvironmentVariable(\"a\");")]
    [InlineData("DURABLE0006", "_ = Environment.ProcessorCount;")]
    [InlineData("DURABLE0006", "_ = System.Globalization.CultureInfo.CurrentCulture;")]
    [InlineData("DURABLE0010", "Mutable.Logger.Log<int>(default, default, 0, null, (_, _) => \"\");")]
    [InlineData("DURABLE0011", "while (true) { await context.CallActivityAsync(\"A\"); }")]
    [InlineData("DURABLE0011", "for (;;) { await context.CallActivityAsync(\"A\"); }")]
    [InlineData("DURABLE0011", "do { await context.CallActivityAsync(\"A\"); } while (true);")]
    [InlineData("Random", "_ = new Random(1).Next();")]
    [InlineData("Random", "_ = Random.Shared.Next();")]
    [InlineData("Random", "_ = System.Security.Cryptography.RandomNumberGenerator.GetInt32(2);")]
    [InlineData("ForeignTask", "await new StringWriter().FlushAsync();")]
    [InlineData("ForeignTask", "await Task.CompletedTask.WaitAsync(CancellationToken.None);")]
    [InlineData("ForeignTask", "await Task.Yield();")]
    [InlineData("ForeignTask", "await foreach (int i in Mutable.Numbers()) { }")]
    [InlineData("State", "Mutable.Count++;")]
    [InlineData("State", "_ = Mutable.Property;")]
    public void Check_OrchestratorThatBreaksARule_IsTold(string rule, string statement)
    {
        Assert.Contains(rule, Check(statement).Select(violation => violation.Rule));
        Assert.Contains(rule, Check("await Helper(context);", $"private static async Task Helper(TaskOrchestrationContext context) {{ {statement} await context.CallActivityAsync(\"A\"); }}").Select(violation => violation.Rule));
    }

    [Theory]
    [InlineData("DURABLE0007", "CancellationToken ct")]
    [InlineData("DURABLE0008", "[DurableClient] Microsoft.DurableTask.Client.DurableTaskClient client")]
    [InlineData("DURABLE0010", "Microsoft.Extensions.Logging.ILogger logger")]
    public void Check_OrchestratorThatTakesWhatItMayNot_IsTold(string rule, string parameter) =>
        Assert.Equal([rule], Check("", parameter: ", " + parameter).Select(violation => violation.Rule));

    [Theory]
    [InlineData("Func<Task> later = () => Task.Delay(1); await later();", "", "DURABLE0003")]
    [InlineData("_ = Options;", "private static TaskOptions Options { get; } = TaskOptions.FromRetryHandler(async retry => { await Task.Delay(1); return true; });", "DURABLE0003")]
    [InlineData("_ = Options;", "private static readonly TaskOptions Options = TaskOptions.FromRetryHandler(Again); private static async Task<bool> Again(Microsoft.DurableTask.RetryContext retry) { await Task.Delay(1); return true; }", "DURABLE0003")]
    [InlineData("_ = new Inner();", "private sealed class Inner { public Inner() { Value = Guid.NewGuid(); } public Guid Value { get; } }", "DURABLE0002")]
    [InlineData("_ = Today;", "private static DateTime Today => DateTime.UtcNow;", "DURABLE0001")]
    public void Check_RuleBrokenWhereTheOrchestratorLeads_IsTold(string statement, string members, string rule) =>
        Assert.Contains(rule, Check(statement, members).Select(violation => violation.Rule));

    [Theory]
    [InlineData("await context.CallActivityAsync(\"A\"); await context.CreateTimer(TimeSpan.FromSeconds(1), CancellationToken.None);")]
    [InlineData("_ = context.CurrentUtcDateTime; _ = context.NewGuid(); _ = DateTime.MaxValue; _ = Guid.Empty;")]
    [InlineData("var logger = context.CreateReplaySafeLogger(\"a\"); Tell(logger);", "private static void Tell(Microsoft.Extensions.Logging.ILogger logger) => logger.Log<int>(default, default, 0, null, (_, _) => \"\");")]
    [InlineData("var both = new List<Task<int>> { context.CallActivityAsync<int>(\"A\"), context.CallActivityAsync<int>(\"B\") }; _ = await await Task.WhenAny(both); await Task.WhenAll(both); foreach (Task<int> one in both) { await one; }")]
    [InlineData("while (true) { await context.CallActivityAsync(\"A\"); context.ContinueAsNew(); return; }")]
    [InlineData("for (int i = 0; i < 10; i++) { await context.CallActivityAsync(\"A\"); }")]
    [InlineData("try { await context.CallActivityAsync(\"A\"); } catch (IOException) { }")]
    [InlineData("_ = nameof(DateTime.UtcNow); _ = Fixed;", "private static readonly int[] Fixed = [1];")]
    public void Check_OrchestratorThatKeepsTheRules_IsLeftAlone(string statement, string members = "") => Assert.Empty(Check(statement, members));

    [Fact]
    public void Check_CodeThatNoOrchestratorLeadsTo_IsLeftAlone() =>
        Assert.Empty(Check("await context.CallActivityAsync(\"A\");", "public static Task Elsewhere() => Task.Delay(1);"));

    private static IReadOnlyList<Violation> Check(string statement, string members = "", string parameter = "")
    {
        CSharpCompilation given = SourceCompilation.OfText($$"""
            using Microsoft.Azure.Functions.Worker;
            using Microsoft.DurableTask;
            public static class Given
            {
                [Function("Given")]
                public static async Task RunAsync([OrchestrationTrigger] TaskOrchestrationContext context{{parameter}})
                {
                    {{statement}}
                    await context.CallActivityAsync("A");
                }
                {{members}}
            }
            public static class Mutable
            {
                public static int Count;
                public static int Property { get; set; }
                public static readonly Microsoft.Extensions.Logging.ILogger Logger = Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;
                public static async IAsyncEnumerable<int> Numbers() { yield return 1; await Task.CompletedTask; }
            }
            """);
        Assert.True(given.Errors().Count == 0, string.Join('\n', given.Errors()));
        return OrchestratorRules.Check(given).Violations;
    }
}
