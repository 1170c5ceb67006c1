using Ulmfit.Pipeline.Pretrain;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Pipeline.Tests.Support;
using Ulmfit.Storage;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Tests;

public sealed class PretrainingStepTests : IDisposable
{
    private readonly TemporaryStore temporary = new();
    private readonly PretrainingHarness harness;

    public PretrainingStepTests() => harness = new PretrainingHarness(temporary.Blobs);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        harness.Dispose();
        temporary.Dispose();
    }

    [Fact]
    public async Task RunAsync_ToTheEndAndPublished_MakesAModelThatTrainingsFind()
    {
        await harness.OrderAsync();
        Assert.Equal(4, await harness.CompleteAsync());
        await harness.Publishing.RunAsync(PretrainingHarness.Name, Ct);

        PretrainingManifest done = await harness.Registry.GetAsync(PretrainingHarness.Name, Ct);
        Assert.Equal(RunStatus.Completed, done.Status);
        Assert.InRange(done.Forward!.Perplexity!.Value, 1, 40);
        Assert.InRange(done.Backward!.Perplexity!.Value, 1, 40);
        PretrainedModel model = (await harness.Models.LoadAsync(PretrainingHarness.Name, Ct))!;
        Assert.NotNull(model.Backward);
        Assert.Equal(128, model.Config.EmbeddingSize);
        Assert.Equal(["README.md", "backward.safetensors", "card.json", "forward.safetensors", "vocabulary.json"], (await temporary.NamesAsync(Containers.Pretrained)).Select(name => name.Split('/')[1]));
        var card = PretrainedCard.Parse((await temporary.Blobs.GetBytesAsync(Containers.Pretrained, "en-made/card.json", Ct))!);
        Assert.Equal(("made sentences", "unlabeled/texts/corpus.txt", 2), (card.Source, card.Corpus.File, card.Forward!.Checkpoints.Count));
        Assert.Equal(card.Backward!.Perplexity, done.Backward.Perplexity);
        Assert.Empty(await temporary.NamesAsync(Containers.State, "sha256/_pretraining/"));
        Assert.Empty(await temporary.NamesAsync(Containers.State, "pretraining-progress/"));
    }

    [Fact]
    public async Task RunAsync_CutAnywhereAndEachSliceInAnotherProcess_GivesTheSameWeights()
    {
        await harness.OrderAsync();
        await harness.CompleteAsync();
        string undisturbed = await harness.WeightsDigestAsync();
        using var other = new TemporaryStore();
        int slices = 0;
        using (var first = new PretrainingHarness(other.Blobs))
        {
            await first.OrderAsync(PretrainingHarness.OrderWith("sliceSteps", "17"));
        }
        PretrainingStepResult result = new(false, null);
        do
        {
            using var process = new PretrainingHarness(other.Blobs);
            result = await process.Step.BeginAsync(PretrainingHarness.Name, Ct);
            if (result.Next is { } next)
            {
                result = await process.Step.RunAsync(next, Ct);
                slices++;
                // The last of each direction that was begun.
                Assert.Equal(next.Direction == Direction.Forward ? 1 : 2, (await CheckpointsAsync(other, process)).Count());
            }
            else
            {
                await process.Publishing.RunAsync(PretrainingHarness.Name, Ct);
                Assert.Equal(undisturbed, await process.WeightsDigestAsync());
                break;
            }
        }
        while (true);
        Assert.True(slices > 8, $"{slices} slices");
    }

    [Fact]
    public async Task RunAsync_EveryWriteFailingBeforeAndAfterItsEffect_GivesTheSameWeights()
    {
        await harness.OrderAsync();
        await harness.CompleteAsync();
        using var other = new TemporaryStore();
        var faulty = new FaultyStore(other.Blobs);
        using var stumbling = new PretrainingHarness(faulty);
        await other.Blobs.PutTextAsync(Containers.Unlabeled, "texts/corpus.txt", PretrainingHarness.Text(60), Ct);
        await FaultyStore.RetryAsync(() => stumbling.TakeAsync());

        await stumbling.CompleteAsync();

        Assert.True(faulty.Faults > 20, $"{faulty.Faults} faults");
        Assert.Equal(await harness.WeightsDigestAsync(), await stumbling.WeightsDigestAsync());
        Assert.Equal(RunStatus.Completed, (await stumbling.Registry.GetAsync(PretrainingHarness.Name, Ct)).Status);
        Assert.Empty(await other.NamesAsync(Containers.State, "sha256/_pretraining/"));
    }

    [Fact]
    public async Task RunAsync_TwiceAtOnceAndOnceMoreAfterTheNext_TrainsOnce()
    {
        await harness.OrderAsync();
        using var second = new PretrainingHarness(temporary.Blobs);
        PretrainingStepInput first = (await harness.Step.BeginAsync(PretrainingHarness.Name, Ct)).Next!;

        PretrainingStepResult[] both = await Task.WhenAll(harness.Step.RunAsync(first, Ct), second.Step.RunAsync(first, Ct));
        Assert.Equal(both[0], both[1]);
        PretrainingStepResult next = await harness.Step.RunAsync(both[0].Next!, Ct);
        PretrainingMetrics? measured = (await harness.Registry.GetAsync(PretrainingHarness.Name, Ct)).Forward;

        Assert.Equal(both[0], await second.Step.RunAsync(first, Ct));
        Assert.Equal(next, await second.Step.RunAsync(both[0].Next!, Ct));
        Assert.Equal(measured, (await harness.Registry.GetAsync(PretrainingHarness.Name, Ct)).Forward);
        Assert.Equal(new PretrainingStepResult(false, PretrainingStepInput.First(PretrainingHarness.Name, Direction.Backward)), next);
    }

    [Fact]
    public async Task RunAsync_CalledOffInTheMiddle_StopsAndTheSameOrderGoesOnFromTheCheckpoint()
    {
        string endless = PretrainingHarness.OrderWith("epochs", "1000");
        await harness.OrderAsync(endless);
        PretrainingStepInput second = (await harness.Step.RunAsync((await harness.Step.BeginAsync(PretrainingHarness.Name, Ct)).Next!, Ct)).Next!;
        await harness.Registry.FinishAsync(PretrainingHarness.Name, RunStatus.Canceled, ct: Ct);

        Assert.Equal(new PretrainingStepResult(true, null), await harness.Step.RunAsync(second, Ct));
        Assert.Equal(new PretrainingStepResult(true, null), await harness.Step.BeginAsync(PretrainingHarness.Name, Ct));
        Assert.Equal(OrderOutcome.Conflict, await harness.TakeAsync());
        Assert.Equal(OrderOutcome.Taken, await harness.TakeAsync(endless));
        Assert.Equal(second, (await harness.Step.BeginAsync(PretrainingHarness.Name, Ct)).Next);
    }

    [Fact]
    public async Task RunAsync_CalledOffWhileItTrains_EndsWithinItsSlice()
    {
        const int Documents = 3000;
        await temporary.Blobs.PutTextAsync(Containers.Unlabeled, "texts/corpus.txt", PretrainingHarness.Text(Documents), Ct);
        await harness.TakeAsync(PretrainingHarness.OrderWith("sliceSteps", "1000000"));
        Task<PretrainingStepResult> slice = harness.Step.RunAsync((await harness.Step.BeginAsync(PretrainingHarness.Name, Ct)).Next!, Ct);
        await Wait.UntilAsync(async () => await harness.Registry.FindNoteAsync(PretrainingHarness.Name, Ct) is not null, "progress is noted");
        PretrainingNote note = (await harness.Registry.FindNoteAsync(PretrainingHarness.Name, Ct))!;

        await harness.Registry.FinishAsync(PretrainingHarness.Name, RunStatus.Canceled, ct: Ct);

        Assert.True((await slice).Ended);
        Assert.InRange(note.Step, 1, note.Steps - 1);
        Assert.Empty(await temporary.NamesAsync(Containers.State, "pretraining-steps/"));
    }

    [Fact]
    public async Task RunAsync_CorpusChangedInBetween_IsRefusedUntilItIsBack()
    {
        await harness.OrderAsync();
        PretrainingStepInput next = (await harness.Step.RunAsync((await harness.Step.BeginAsync(PretrainingHarness.Name, Ct)).Next!, Ct)).Next!;
        await temporary.Blobs.PutTextAsync(Containers.Unlabeled, "texts/corpus.txt", PretrainingHarness.Text(61), Ct);

        PipelineException exception = await Assert.ThrowsAsync<PipelineException>(() => harness.Step.RunAsync(next, Ct));
        Assert.Contains("it began with something else: corpus is another", exception.Message, StringComparison.Ordinal);

        await temporary.Blobs.PutTextAsync(Containers.Unlabeled, "texts/corpus.txt", PretrainingHarness.Text(60), Ct);
        Assert.NotNull((await harness.Step.RunAsync(next, Ct)).Next);
        await temporary.Blobs.DeleteAsync(Containers.Unlabeled, "texts/corpus.txt", Ct);
        exception = await Assert.ThrowsAsync<PipelineException>(() => harness.Step.RunAsync(PretrainingStepInput.First(PretrainingHarness.Name, Direction.Backward), Ct));
        Assert.Contains("unlabeled/texts/corpus.txt is missing", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_ALineThatIsNoText_NamesFileAndLine()
    {
        await temporary.Blobs.PutAsync(Containers.Unlabeled, "texts/corpus.txt", [.. "one fine line\n\nanother \n\n"u8, 0xC3, 0x28, .. " broken\n"u8], Ct);
        await harness.TakeAsync();

        PipelineException exception = await Assert.ThrowsAsync<PipelineException>(() => harness.Step.RunAsync(PretrainingStepInput.First(PretrainingHarness.Name, Direction.Forward), Ct));

        Assert.Contains("unlabeled/texts/corpus.txt(5", exception.Message, StringComparison.Ordinal);
        Assert.Contains("Mend the file", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_SeveralFilesAFolderAndAStart_AreReadInOrderAndKeepTheArchitecture()
    {
        await harness.OrderAsync(PretrainingHarness.OrderWith("directions", "\"forward\""));
        await harness.CompleteAsync();
        await temporary.Blobs.PutTextAsync(Containers.Unlabeled, "more/b.txt", "the second file\n\nanother document\n", Ct);
        await temporary.Blobs.PutTextAsync(Containers.Unlabeled, "more/a.txt", "the first file\n\nand one word of it\n", Ct);
        await temporary.Blobs.PutTextAsync(Containers.Unlabeled, "more/rows.jsonl", "{}", Ct);
        var order = PretrainingOrder.Parse("""{"corpus": ["unlabeled/texts/corpus.txt", "unlabeled/more/"], "valid": "unlabeled/more/a.txt", "start": "en-made", "directions": "both", "epochs": 1, "batch": 4, "bptt": 9, "minimumCount": 1}""");

        (PretrainingManifest manifest, OrderOutcome outcome) = await harness.Registry.TakeAsync("en-more", order, Ct);
        Assert.Equal(OrderOutcome.Taken, outcome);
        Assert.Equal(["texts/corpus.txt", "more/a.txt", "more/b.txt"], manifest.Files);
        PretrainingStepResult result = await harness.Step.BeginAsync("en-more", Ct);
        while (result.Next is { } next)
        {
            result = await harness.Step.RunAsync(next, Ct);
        }
        await harness.Publishing.RunAsync("en-more", Ct);

        manifest = await harness.Registry.GetAsync("en-more", Ct);
        Assert.Equal((64, 2), (manifest.Corpus!.Documents, manifest.HeldOut!.Documents));
        Assert.Equal(0.003, manifest.Settings!.Value.GetProperty("learningRate").GetDouble());
        PretrainedModel model = (await harness.Models.LoadAsync("en-more", Ct))!;
        Assert.Equal((128, 256), (model.Config.EmbeddingSize, model.Config.HiddenSize));
        Assert.True(model.Vocabulary.Contains("second"));
    }

    [Fact]
    public async Task TakeAsync_WhatRunsIsCompletedOrIsAnother_IsNotTaken()
    {
        await harness.OrderAsync();
        Assert.Equal(OrderOutcome.Unchanged, await harness.TakeAsync());
        Assert.Equal(OrderOutcome.Conflict, await harness.TakeAsync(PretrainingHarness.OrderWith("epochs", "3")));
        await harness.Registry.FinishAsync(PretrainingHarness.Name, RunStatus.Failed, "no disk", Ct);

        Assert.Equal(OrderOutcome.Taken, await harness.TakeAsync(PretrainingHarness.OrderWith("epochs", "1")));
        Assert.Null((await harness.Registry.GetAsync(PretrainingHarness.Name, Ct)).Error);
        await harness.CompleteAsync();
        Assert.Equal(OrderOutcome.Unchanged, await harness.TakeAsync(PretrainingHarness.OrderWith("epochs", "1")));
    }

    [Theory]
    [InlineData("unlabeled/texts/corpus.txt", "there is no file unlabeled/texts/corpus.txt")]
    [InlineData("unlabeled/texts/", "there is no .txt or .txt.gz file in unlabeled/texts/")]
    public async Task TakeAsync_TextThatIsNotThere_SaysWhatIsMissing(string named, string message)
    {
        TrainingSettingsException exception = await Assert.ThrowsAsync<TrainingSettingsException>(() => harness.TakeAsync(PretrainingHarness.OrderWith("corpus", $"\"{named}\"")));

        Assert.Equal("corpus", Assert.Single(exception.Errors).Path);
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}", "corpus")]
    [InlineData("[]", "")]
    [InlineData("""{"corpus": [], "size": "tiny"}""", "corpus")]
    [InlineData("""{"corpus": 3}""", "corpus")]
    [InlineData("""{"corpus": "unlabeled/corpus.txt"}""", "corpus")]
    [InlineData("""{"corpus": "labeled/texts/corpus.txt"}""", "corpus")]
    [InlineData("""{"corpus": "unlabeled/../texts/corpus.txt"}""", "corpus")]
    [InlineData("""{"corpus": "unlabeled/"}""", "corpus")]
    [InlineData("""{"corpus": "unlabeled/texts/rows.csv"}""", "corpus")]
    [InlineData("""{"corpus": ["unlabeled/texts/corpus.txt", null]}""", "corpus")]
    [InlineData("""{"corpus": "unlabeled/texts/corpus.txt", "valid": "held.txt"}""", "valid")]
    [InlineData("""{"corpus": "unlabeled/texts/corpus.txt", "directions": "backward"}""", "directions")]
    [InlineData("""{"corpus": "unlabeled/texts/corpus.txt", "newLayers": true}""", "newLayers")]
    [InlineData("""{"corpus": "unlabeled/texts/corpus.txt", "directions": "sideways"}""", "directions")]
    [InlineData("""{"corpus": "unlabeled/texts/corpus.txt", "start": "../en"}""", "start")]
    [InlineData("""{"corpus": "unlabeled/texts/corpus.txt", "epochs": 0}""", "epochs")]
    [InlineData("""{"corpus": "unlabeled/texts/corpus.txt", "epoch": 1}""", "epoch")]
    [InlineData("""{"corpus": "unlabeled/texts/corpus.txt", "sliceSteps": 0}""", "sliceSteps")]
    public void Parse_OrdersThatCannotBeUsed_AreRefusedByTheirMember(string json, string member)
    {
        TrainingSettingsException exception = Assert.Throws<TrainingSettingsException>(() => PretrainingOrder.Parse(json));

        Assert.Contains(exception.Errors, error => error.Path == member);
    }

    [Fact]
    public void ToRequest_OfAnOrder_IsTheOrder()
    {
        var order = PretrainingOrder.Parse(PretrainingHarness.Order);

        Assert.Equal(order.ToJson(), PretrainingOrder.Parse(order.ToRequest()).ToJson());
        Assert.Equal(order.ToJson(), PretrainingOrder.Parse("""{"epochs": 2, "minimumCount":1, "bptt":9, "batch":4, "size":"tiny", "source":"made sentences", "corpus": ["unlabeled/texts/corpus.txt"]}""").ToJson());
    }

    // All but the vocabulary, which is small.
    private static async Task<IEnumerable<string>> CheckpointsAsync(TemporaryStore store, PretrainingHarness harness)
    {
        string vocabulary = (await harness.Registry.GetAsync(PretrainingHarness.Name, Ct)).Vocabulary!;
        return (await store.NamesAsync(Containers.State, "sha256/_pretraining/")).Where(name => !name.EndsWith(vocabulary, StringComparison.Ordinal));
    }
}
