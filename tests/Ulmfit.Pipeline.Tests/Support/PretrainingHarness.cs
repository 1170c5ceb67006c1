using Microsoft.Extensions.Logging.Abstractions;
using Ulmfit.Cpu;
using Ulmfit.Pipeline.Pretrain;
using Ulmfit.Pipeline.Steps;
using Ulmfit.Storage;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Tests.Support;

/// <summary>Pretraining over a store, walked step by step as the orchestration walks it. A second one over the same store is another process.</summary>
internal sealed class PretrainingHarness : IDisposable
{
    public const string Name = "en-made";

    /// <summary>An order that is trained in seconds: two epochs of some fifty steps in both directions.</summary>
    public const string Order = """{"corpus": "unlabeled/texts/corpus.txt", "source": "made sentences", "size": "tiny", "batch": 4, "bptt": 9, "minimumCount": 1, "epochs": 2}""";

    private readonly CpuTrainingEngine engine = new(2);

    public PretrainingHarness(IBlobStore store, TimeProvider? clock = null)
    {
        Store = store;
        var corpus = new PretrainingCorpus(store);
        Models = new PretrainedModels(store, PretrainedLibrary.Shipped);
        Registry = new PretrainingRegistry(store, corpus, TimeProvider.System);
        Workspace = new PretrainingWorkspace(store, engine, Models, corpus, Registry, clock ?? TimeProvider.System);
        Step = new PretrainingStep(store, Workspace, Registry, TimeProvider.System, NullLogger<PretrainingStep>.Instance);
        Publishing = new PretrainingPublishing(store, Registry, Workspace, Step, NullLogger<PretrainingPublishing>.Instance);
    }

    public IBlobStore Store { get; }

    public PretrainedModels Models { get; }

    public PretrainingRegistry Registry { get; }

    public PretrainingWorkspace Workspace { get; }

    public PretrainingStep Step { get; }

    public PretrainingPublishing Publishing { get; }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>The order with another member, or another value of one.</summary>
    public static string OrderWith(string member, string json)
    {
        System.Text.Json.Nodes.JsonNode order = System.Text.Json.Nodes.JsonNode.Parse(Order)!;
        order[member] = System.Text.Json.Nodes.JsonNode.Parse(json);
        return order.ToJsonString();
    }

    public async Task<OrderOutcome> TakeAsync(string order = Order) => (await Registry.TakeAsync(Name, PretrainingOrder.Parse(order), Ct)).Outcome;

    /// <summary>Puts a corpus and orders its training.</summary>
    public async Task OrderAsync(string order = Order)
    {
        await Store.PutTextIfAbsentAsync(Containers.Unlabeled, "texts/corpus.txt", Text(60), Ct);
        Assert.Equal(OrderOutcome.Taken, await TakeAsync(order));
    }

    /// <summary>Trains all steps that are left, then publishes. Each call is repeated as long as a fault hits it.</summary>
    /// <returns>How many steps there were.</returns>
    public async Task<int> CompleteAsync()
    {
        int steps = 0;
        PretrainingStepResult result = await FaultyStore.RetryAsync(() => Step.BeginAsync(Name, Ct));
        while (result.Next is { } next)
        {
            result = await FaultyStore.RetryAsync(() => Step.RunAsync(next, Ct));
            steps++;
        }
        Assert.False(result.Ended);
        await FaultyStore.RetryAsync(async () =>
        {
            await Publishing.RunAsync(Name, Ct);
            return true;
        });
        return steps;
    }

    public async Task<string> WeightsDigestAsync() => (await Models.LoadAsync(Name, Ct))!.Digest;

    public static string Text(int count)
    {
        string[] nouns = ["dog", "cat", "bird", "child", "king", "wind"], verbs = ["barks", "purrs", "sings", "laughs", "rules", "blows"];
        return string.Join("\n\n", Enumerable.Range(0, count).Select(d => string.Join('\n', Enumerable.Range(0, 3 + (d % 5)).Select(s => $"the {nouns[(d + s) % 6]} {verbs[(d + s) % 6]} .")))) + "\n";
    }

    public void Dispose()
    {
        Workspace.Dispose();
        Models.Dispose();
        engine.Dispose();
    }
}
