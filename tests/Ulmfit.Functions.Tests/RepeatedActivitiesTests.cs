using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;
using KillMatrix.Agent;
using KillMatrix.Driver;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.Middleware;
using Ulmfit.Functions.Tests.Support;
using Ulmfit.Pipeline;
using Ulmfit.Pipeline.Tests.Support;
using Ulmfit.Storage;

namespace Ulmfit.Functions.Tests;

/// <summary>
/// Every activity of the app, executed more than once: twice in a row, twice at once, and by a worker that has read when it should and writes
/// when all is over. What comes of it is what comes of one execution. An activity that this does not reach fails the test.
/// </summary>
public sealed class RepeatedActivitiesTests(ITestOutputHelper output)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static IReadOnlySet<string> Activities { get; } = typeof(AppServices).Assembly.GetTypes()
        .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
        .Where(method => method.GetParameters().Any(parameter => parameter.IsDefined(typeof(ActivityTriggerAttribute))))
        .Select(method => method.GetCustomAttribute<FunctionAttribute>()!.Name)
        .ToHashSet(StringComparer.Ordinal);

    /// <summary>How an activity is executed.</summary>
    public enum Execution
    {
        Once,
        Twice,
        TwoAtOnce,
        OneMoreThatComesBackLate,
    }

    [Fact]
    public async Task Activities_ExecutedMoreThanOnce_HaveOneEffect()
    {
        IReadOnlyList<string> once = await GoThroughAsync(Execution.Once);
        Assert.Contains(once, line => line.StartsWith("run tickets-1 completed", StringComparison.Ordinal));
        Assert.Contains(once, line => line.StartsWith("run tickets-2 rejected", StringComparison.Ordinal));
        Assert.Contains(once, line => line.StartsWith("run broken-1 failed", StringComparison.Ordinal));
        Assert.Contains(once, line => line.StartsWith("pretraining made completed", StringComparison.Ordinal));
        Assert.Contains(once, line => line.StartsWith("pretraining unreadable failed", StringComparison.Ordinal));

        foreach (Execution execution in (Execution[])[Execution.Twice, Execution.TwoAtOnce, Execution.OneMoreThatComesBackLate])
        {
            IReadOnlyList<string> found = await GoThroughAsync(execution);
            Assert.True(once.SequenceEqual(found), $"{execution}: lacks [{string.Join("; ", once.Except(found))}], has too much [{string.Join("; ", found.Except(once))}]");
        }
    }

    /// <summary>All that the app does, with every way in which it ends, and what is in storage afterwards.</summary>
    private async Task<IReadOnlyList<string>> GoThroughAsync(Execution execution)
    {
        using var folder = new TemporaryFolder();
        Workload.Prepare(folder.Path);
        var store = new LateStore(new FolderBlobStore(folder.Path));
        var repeater = new Repeater(execution, store);
        await using (InProcessHost host = await InProcessHost.StartAsync(folder.Path, store, isOwnFolder: true, repeater.Register))
        {
            // A run that is published, and one that is not, because it is no better.
            await host.PutOkAsync("api/datasets/tickets/settings", Workload.Settings);
            await host.PutOkAsync("api/datasets/tickets/drops/a.csv", new Workload(Late: false).Drops[0].Content);
            await host.EndedAsync("api/runs/tickets-1");
            await host.IdleAsync();
            await RunAgainAsync(host, "tickets", 2);

            // A language model, and one of a text that cannot be read.
            await store.PutTextAsync(Containers.Unlabeled, "texts/corpus.txt", string.Concat(TinyData.Rows(120).Select(row => row.Text + "\n\n")), Ct);
            await store.PutAsync(Containers.Unlabeled, "noise/corpus.txt", [0xC3, 0x28, (byte)'\n'], Ct);
            foreach ((string name, string corpus) in (IEnumerable<(string, string)>)[("made", "texts"), ("unreadable", "noise")])
            {
                await host.PutOkAsync($"api/pretrained/{name}", $$"""{"corpus": "unlabeled/{{corpus}}/", "start": "small-talk", "directions": "both", "epochs": 1, "batch": 4, "bptt": 9, "sliceSteps": 20}""");
                await host.EndedAsync($"api/pretrained/{name}");
                await host.IdleAsync();
            }

            // A data set that cannot be prepared, and a run that was taken for it.
            await store.PutTextAsync(Containers.State, "datasets/broken/settings.json", "{", Ct);
            await host.PutOkAsync("api/datasets/broken/drops/a.csv", new Workload(Late: false).Drops[0].Content);
            await Wait.UntilAsync(async () => await host.FindAsync("runtime/webhooks/durabletask/instances/retrain-broken") is not null, "the drop has arrived");
            await host.IdleAsync();
            await RunAgainAsync(host, "broken", 1);

            // Who is late comes back, and the next run's purge collects what that one leaves.
            await repeater.LetGoAsync();
            await host.IdleAsync();
            await RunAgainAsync(host, "tickets", 3);
        }
        output.WriteLine($"{execution}: {string.Join(", ", repeater.Executions.OrderBy(pair => pair.Key).Select(pair => $"{pair.Key} {pair.Value}"))}");
        foreach (string failure in repeater.Failures)
        {
            output.WriteLine($"    {failure}");
        }
        Assert.Equal(Activities.Order(StringComparer.Ordinal), repeater.Executions.Keys.Order(StringComparer.Ordinal));
        return await DescribeAsync(store);
    }

    private static async Task RunAgainAsync(InProcessHost host, string dataset, int number)
    {
        await host.PostOkAsync($"api/datasets/{dataset}/runs");
        await host.EndedAsync($"api/runs/{dataset}-{number}");
        await host.IdleAsync();
    }

    private static async Task<IReadOnlyList<string>> DescribeAsync(LateStore store)
    {
        var lines = new List<string>();
        foreach (string container in (string[])[Containers.Labeled, Containers.Unlabeled, Containers.Pretrained, Containers.State, Containers.Models])
        {
            await foreach (BlobInfo blob in store.ListAsync(container, "", Ct))
            {
                lines.Add($"{container}/{WritePoint.Normalize(blob.Name)}");
                if (container == Containers.State && blob.Name.StartsWith("runs/", StringComparison.Ordinal))
                {
                    JsonElement run = await ReadAsync(store, container, blob.Name);
                    lines.Add($"run {Of(run, "dataset")}-{Of(run, "number")} {Of(run, "status")} version {Of(run, "modelVersion")} weights {Of(run, "weightsDigest")} epochs {run.GetProperty("history").GetArrayLength()} data {Of(run, "datasetVersion")} {Of(run, "error")}");
                }
                else if (container == Containers.State && blob.Name.StartsWith("pretrainings/", StringComparison.Ordinal))
                {
                    JsonElement pretraining = await ReadAsync(store, container, blob.Name);
                    lines.Add($"pretraining {Of(pretraining, "name")} {Of(pretraining, "status")} {Of(pretraining, "error")}");
                }
                else if (blob.Name.EndsWith("champion.json", StringComparison.Ordinal))
                {
                    JsonElement champion = await ReadAsync(store, container, blob.Name);
                    lines.Add($"champion {Of(champion, "version")}, promoted by {string.Join(", ", champion.GetProperty("history").EnumerateArray().Select(promotion => Of(promotion, "run")))}");
                }
                else if (blob.Name.EndsWith(".onnx", StringComparison.Ordinal) || blob.Name.EndsWith(".safetensors", StringComparison.Ordinal))
                {
                    lines.Add($"{container}/{blob.Name} {Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData((await store.GetBytesAsync(container, blob.Name, Ct))!))}");
                }
            }
        }
        return [.. lines.Order(StringComparer.Ordinal)];
    }

    private static async Task<JsonElement> ReadAsync(LateStore store, string container, string name) =>
        JsonSerializer.Deserialize<JsonElement>((await store.GetBytesAsync(container, name, Ct))!);

    private static string Of(JsonElement document, string member) => document.TryGetProperty(member, out JsonElement value) ? value.ToString() : "none";

    /// <summary>Between the host and the functions: executes activities as it is told to.</summary>
    private sealed class Repeater(Execution execution, LateStore store)
    {
        private readonly ConcurrentQueue<(string Name, LateStore.Late Late)> late = new();

        public ConcurrentDictionary<string, int> Executions { get; } = new(StringComparer.Ordinal);

        public ConcurrentQueue<string> Failures { get; } = new();

        public void Register(FunctionsApplicationBuilder builder) => builder.Use(next => context =>
            Activities.Contains(context.FunctionDefinition.Name) ? ExecuteAsync(next, context) : next(context));

        /// <summary>Lets those write that come back late, and waits for their end.</summary>
        public async Task LetGoAsync()
        {
            foreach ((string name, LateStore.Late one) in late)
            {
                one.LetGo();
                await NoteAsync($"late {name}", one.Execution);
            }
        }

        private async Task ExecuteAsync(FunctionExecutionDelegate next, FunctionContext context)
        {
            string name = context.FunctionDefinition.Name;
            Executions.AddOrUpdate(name, 1, (_, count) => count + 1);
            switch (execution)
            {
                case Execution.Once:
                    await next(context);
                    break;
                case Execution.Twice:
                    await NoteAsync($"first {name}", next(context));
                    await next(context);
                    break;
                case Execution.TwoAtOnce:
                    // What the first to end says is what the orchestration hears.
                    Task one = Task.Run(() => next(context), Ct), other = Task.Run(() => next(context), Ct), ended = await Task.WhenAny(one, other);
                    await NoteAsync($"second {name}", ended == one ? other : one);
                    await ended;
                    break;
                default:
                    LateStore.Late begun = store.Begin(() => next(context));
                    await begun.WaitsOrEnded;
                    late.Enqueue((name, begun));
                    await next(context);
                    break;
            }
        }

        // A failure of an execution that is one too many is nobody's concern, as long as storage is as it should be.
        private async Task NoteAsync(string what, Task execution)
        {
            await execution.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (execution.Exception is { } failure)
            {
                Failures.Enqueue($"{what}: {failure.GetBaseException().Message}");
            }
        }
    }
}
