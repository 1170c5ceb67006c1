using System.Globalization;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Pipeline.Serving;
using Ulmfit.Pipeline.Steps;
using Ulmfit.Pipeline.Tests.Support;
using Ulmfit.Storage;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Tests;

/// <summary>A flipped bit anywhere in <c>state/</c> or <c>models/</c> is noticed: never served, never trained from.</summary>
public sealed class DamageTests : IDisposable
{
    // Larger files are tried at this many places, evenly spread, and at both ends; very large ones, which are digested each time, at fewer.
    private const int Places = 300;
    private const int PlacesOfLarge = 40;
    private const int Large = 1 << 18;

    private readonly TemporaryStore store = new();
    private readonly PipelineHarness pipeline;

    public DamageTests() => pipeline = new PipelineHarness(store.Blobs);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        pipeline.Dispose();
        store.Dispose();
    }

    [Fact]
    public async Task Read_EveryFileThatAFinishedRunLeavesWithAnyBitFlipped_IsRefused()
    {
        await pipeline.CompleteAsync(await pipeline.BeginAsync());

        int tried = await TryAllAsync();

        Assert.True(tried > 5_000, $"{tried} bits");
    }

    [Fact]
    public async Task Read_EveryFileInTheMiddleOfARunWithAnyBitFlipped_IsRefused()
    {
        string run = await pipeline.BeginAsync();
        var input = EpochStepInput.First(run, Direction.Forward);
        for (int step = 0; step < 3; step++)
        {
            EpochStepResult result = await pipeline.Epochs.RunAsync(input, Ct);
            input = input with { From = result.Next, Checkpoint = result.Checkpoint };
        }
        await pipeline.Runs.ReportAsync(RunId.Parse(run), new RunProgress(Direction.Forward, "lm", 1, 2, 3, 4, 5, 0.1, 100, 0.2, 60, DateTimeOffset.UnixEpoch), Ct);

        Assert.True(await TryAllAsync() > 3_000);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Run_CheckpointDamagedAfterItsStep_IsTrainedAgainByItselfAndGivesTheSameWeights(int damaged)
    {
        string undisturbed = (await UndisturbedAsync()).WeightsDigest!;
        string run = await pipeline.BeginAsync();
        int steps = 0;
        RunManifest ended = await WalkAsync(run, result =>
        {
            if (steps++ == damaged)
            {
                store.FlipBit(Containers.State, $"sha256/tickets/runs/000001/{result.Checkpoint}", 5000);
            }
            return Task.CompletedTask;
        });

        Assert.Equal(RunStatus.Completed, ended.Status);
        Assert.Equal(undisturbed, ended.WeightsDigest);
        Assert.Equal(5, ended.History.Count);
        Assert.Equal(6, pipeline.Trainings);
    }

    [Fact]
    public async Task Run_TwoCheckpointsInARowAndAManifestDamaged_GoesBackAsFarAsItMustAndGivesTheSameWeights()
    {
        string undisturbed = (await UndisturbedAsync()).WeightsDigest!;
        string run = await pipeline.BeginAsync();
        var checkpoints = new List<string>();
        RunManifest ended = await WalkAsync(run, async result =>
        {
            checkpoints.Add(result.Checkpoint!);
            if (checkpoints.Count == 4)
            {
                store.FlipBit(Containers.State, $"sha256/tickets/runs/000001/{checkpoints[3]}", 4321);
                store.FlipBit(Containers.State, $"sha256/tickets/runs/000001/{checkpoints[2]}", 99);
                store.FlipBit(Containers.State, (await store.NamesAsync(Containers.State, "steps/"))[1], 50);
            }
        });

        Assert.Equal(RunStatus.Completed, ended.Status);
        Assert.Equal(undisturbed, ended.WeightsDigest);
        Assert.Equal(5, ended.History.Count);
    }

    [Theory]
    [InlineData("sha256/tickets/runs/000001/", "model")]
    [InlineData("sha256/tickets/runs/000001/", "int8")]
    [InlineData("sha256/tickets/runs/000001/", "labels")]
    [InlineData("steps/tickets/000001/candidate.json", null)]
    [InlineData("reports/tickets/000001.json", null)]
    public async Task PublishModel_WhatTheEvaluationLeftIsDamaged_IsEvaluatedAgainAndPublished(string name, string? payload)
    {
        string undisturbed = (await UndisturbedAsync()).WeightsDigest!;
        string run = await pipeline.BeginAsync();
        await pipeline.TrainAsync(run);
        EvaluationResult first = await pipeline.Evaluation.RunAsync(run, Ct);
        Candidate candidate = (await pipeline.Evaluation.FindCandidateAsync(RunId.Parse(run), Ct))!;
        store.FlipBit(Containers.State, name + (payload switch { "model" => candidate.Model, "int8" => candidate.Int8Model, "labels" => candidate.Labels, _ => "" }), 7);

        PublishResult refused = await pipeline.Publishing.RunAsync(first, Ct);
        EvaluationResult again = await pipeline.Evaluation.RunAsync(run, Ct);
        PublishResult published = await pipeline.Publishing.RunAsync(again, Ct);

        Assert.Equal(PublishOutcome.EvaluateAgain, refused.Outcome);
        Assert.Equal(PublishOutcome.Published, published.Outcome);
        ModelCard card = Assert.Single(await pipeline.Registry.ListVersionsAsync("tickets", Ct));
        Assert.Equal(undisturbed, card.WeightsDigest);
        foreach (string file in card.Files.Keys)
        {
            Assert.NotNull(await pipeline.Registry.FindFileAsync(card, file, Ct));
        }
    }

    [Fact]
    public async Task PrepareDataset_RowsOfTheVersionDamaged_AreMadeAnewOutOfTheDrops()
    {
        string run = await pipeline.BeginAsync();
        DatasetVersion version = await pipeline.Catalog.GetVersionAsync("tickets", 1, Ct);
        store.FlipBit(Containers.State, $"sha256/tickets/data/{version.Train.Sha256}", 100);

        CorruptBlobException refused = await Assert.ThrowsAsync<CorruptBlobException>(() => pipeline.Epochs.RunAsync(EpochStepInput.First(run, Direction.Forward), Ct));
        PreparedDataset prepared = await pipeline.Preparation.RunAsync("tickets", Ct);

        Assert.Contains("POST /api/datasets/tickets/runs", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, pipeline.Trainings);
        Assert.Equal(1, prepared.Version);
        Assert.Equal(RunStatus.Completed, (await pipeline.CompleteAsync(run)).Status);
    }

    [Fact]
    public async Task PrepareDataset_ManifestAndLastVersionDamaged_AreMadeAnewUnderTheNextNumber()
    {
        await pipeline.CompleteAsync(await pipeline.BeginAsync());
        store.FlipBit(Containers.State, "datasets/tickets/manifest.json", 30);
        store.FlipBit(Containers.State, "datasets/tickets/versions/000001.json", 30);

        Assert.True((await pipeline.Start.ObserveAsync("tickets", Ct)).NewDrops);
        PreparedDataset prepared = await pipeline.Preparation.RunAsync("tickets", Ct);

        Assert.Equal(2, prepared.Version);
        Assert.Equal(2, (await pipeline.Catalog.FindManifestAsync("tickets", Ct))!.Version);
    }

    [Fact]
    public async Task TakeAsync_ManifestOfTheLastRunDeletedBecauseItWasDamaged_DoesNotGiveItsNumberAgain()
    {
        RunManifest first = await pipeline.CompleteAsync(await pipeline.BeginAsync());
        store.FlipBit(Containers.State, "runs/tickets/000001.json", 200);
        CorruptBlobException refused = await Assert.ThrowsAsync<CorruptBlobException>(() => pipeline.Runs.TakeAsync("tickets", RunTrigger.Request, Ct));
        Assert.Contains("or delete it", refused.Message, StringComparison.Ordinal);
        Assert.Equal(["tickets"], await pipeline.Start.FindWorkAsync(Ct));

        await store.Blobs.DeleteAsync(Containers.State, "runs/tickets/000001.json", Ct);
        (RunManifest next, bool taken) = await pipeline.Runs.TakeAsync("tickets", RunTrigger.Request, Ct);

        Assert.True(taken);
        Assert.Equal(first.Number + 1, next.Number);
    }

    [Fact]
    public async Task ReserveVersionAsync_ReservationDamaged_KeepsItsNumberAndTheRunItsVersion()
    {
        RunManifest run = await pipeline.CompleteAsync(await pipeline.BeginAsync());
        store.FlipBit(Containers.State, "versions/tickets/000001.json", 10);

        Assert.Equal(1, await pipeline.Registry.ReserveVersionAsync("tickets", run.GetId().ToString(), Ct));
        Assert.Equal(2, await pipeline.Registry.ReserveVersionAsync("tickets", "tickets-9", Ct));
    }

    [Theory]
    [InlineData(ModelFiles.Model)]
    [InlineData(ModelFiles.Labels)]
    [InlineData(ModelFiles.Vocabulary)]
    [InlineData(ModelFiles.Card)]
    public async Task Champion_FileDamaged_IsNotLoadedAndAnotherVersionCanBePromoted(string file)
    {
        var registry = new ModelRegistry(store.Blobs, TimeProvider.System);
        await TinyModels.PublishAsync(registry, "other", 1, "other-1", Ct);
        await TinyModels.PublishAsync(registry, "other", 2, "other-2", Ct);
        await registry.PromoteAsync("other", 2, null, Ct);
        using (ModelLease loaded = (await pipeline.Cache.AcquireChampionAsync("other", Ct))!)
        {
            store.FlipBit(Containers.Models, $"other/2/{file}", -3);
            await pipeline.Cache.RefreshAsync("other", Ct);

            // What is in memory was whole when it was loaded, and goes on answering.
            using ModelLease still = (await pipeline.Cache.AcquireChampionAsync("other", Ct))!;
            Assert.Equal(2, still.Card.Version);
        }

        using var restarted = new PipelineHarness(store.Blobs);
        CorruptBlobException refused = await Assert.ThrowsAsync<CorruptBlobException>(() => restarted.Cache.AcquireChampionAsync("other", Ct));
        Assert.Contains($"models/other/2/{file}", refused.Message, StringComparison.Ordinal);
        Assert.Contains("PUT /api/models/other/champion", refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<CorruptBlobException>(() => registry.PromoteAsync("other", 2, null, Ct));
        Assert.NotNull(await registry.PromoteAsync("other", 1, null, Ct));
        using ModelLease answers = (await restarted.Cache.AcquireChampionAsync("other", Ct))!;
        Assert.Equal(1, answers.Card.Version);
    }

    [Theory]
    [InlineData(ModelFiles.Int8Model, false)]
    [InlineData(ModelFiles.Model, true)]
    public async Task PromoteAsync_VersionThatServesInt8_NeedsTheFileThatAnswersAlone(string damaged, bool works)
    {
        var registry = new ModelRegistry(store.Blobs, TimeProvider.System);
        await TinyModels.PublishAsync(registry, "other", 1, "other-1", Ct, ModelFiles.Int8Model);
        store.FlipBit(Containers.Models, $"other/1/{damaged}", 300);

        if (works)
        {
            Assert.NotNull(await registry.PromoteAsync("other", 1, null, Ct));
            using ModelLease answers = (await pipeline.Cache.AcquireChampionAsync("other", Ct))!;
            Assert.Equal(answers.Card.Files[ModelFiles.Int8Model], answers.Digest);
        }
        else
        {
            CorruptBlobException refused = await Assert.ThrowsAsync<CorruptBlobException>(() => registry.PromoteAsync("other", 1, null, Ct));
            Assert.Contains($"models/other/1/{damaged}", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task PromoteAsync_DamagedPointer_ReplacesIt()
    {
        var registry = new ModelRegistry(store.Blobs, TimeProvider.System);
        await TinyModels.PublishAsync(registry, "other", 1, "other-1", Ct);
        await registry.PromoteAsync("other", 1, null, Ct);
        store.FlipBit(Containers.Models, "other/champion.json", 12);
        CorruptBlobException refused = await Assert.ThrowsAsync<CorruptBlobException>(() => pipeline.Cache.AcquireChampionAsync("other", Ct));

        await registry.PromoteAsync("other", 1, null, Ct);

        Assert.Contains("PUT /api/models/other/champion replaces it", refused.Message, StringComparison.Ordinal);
        using ModelLease answers = (await pipeline.Cache.AcquireChampionAsync("other", Ct))!;
        Assert.Equal(1, answers.Card.Version);
    }

    [Fact]
    public async Task ReadVersionsAsync_OneCardDamaged_ListsTheOthersAndSaysWhatIsDamaged()
    {
        var registry = new ModelRegistry(store.Blobs, TimeProvider.System);
        await TinyModels.PublishAsync(registry, "other", 1, "other-1", Ct);
        await TinyModels.PublishAsync(registry, "other", 2, "other-2", Ct);
        store.FlipBit(Containers.Models, "other/1/card.json", 12);

        ModelVersions versions = await registry.ReadVersionsAsync("other", Ct);

        Assert.Equal(2, Assert.Single(versions.Cards).Version);
        DamagedVersion damaged = Assert.Single(versions.Damaged);
        Assert.Equal(1, damaged.Version);
        Assert.Contains("models/other/1/card.json is damaged", damaged.Reason, StringComparison.Ordinal);
    }

    /// <summary>Every file under state/ and models/, bit by bit or at many places, through whatever reads it.</summary>
    private async Task<int> TryAllAsync()
    {
        var flipping = new FlippingStore(store.Blobs);
        using var reader = new PipelineHarness(flipping);
        int tried = 0;
        foreach (string container in (string[])[Containers.State, Containers.Models])
        {
            foreach (string name in await store.NamesAsync(container))
            {
                flipping.Mend();
                Func<Task<bool>> read = ReaderOf(reader, $"{container}/{name}");
                Assert.True(await read(), $"{container}/{name} cannot be read while it is whole");
                long bits = 8 * (await store.Blobs.GetInfoAsync(container, name, Ct))!.Length;
                foreach (long bit in Bits(bits))
                {
                    flipping.Flip(container, name, bit);
                    bool served;
                    try
                    {
                        served = await read();
                    }
                    catch (CorruptBlobException e)
                    {
                        Assert.Contains($"{container}/{name} is damaged", e.Message, StringComparison.Ordinal);
                        served = false;
                    }
                    Assert.False(served, $"bit {bit} of {container}/{name} flips unnoticed");
                    tried++;
                }
            }
        }
        return tried;
    }

    private static IEnumerable<long> Bits(long bits)
    {
        long step = Math.Max(1, bits / (bits < 8 * Large ? Places : PlacesOfLarge));

        // Not a multiple of eight, so that all bits of a byte have their turn.
        step += step % 2 == 0 ? 1 : 0;
        for (long bit = 0; bit < bits; bit += step)
        {
            yield return bit;
        }
        yield return bits - 1;
    }

    /// <summary>Reads a file as the pipeline does: whether it gave something to go on with.</summary>
    private static Func<Task<bool>> ReaderOf(PipelineHarness reader, string blob)
    {
        string[] parts = blob.Split('/');
        int Number(string part) => int.Parse(part.Split('.')[0], CultureInfo.InvariantCulture);
        RunId Run(int index) => new("tickets", Number(parts[index]));
        return parts switch
        {
            ["state", "datasets", _, "settings.json"] => async () => await reader.Catalog.GetSettingsAsync("tickets", Ct) is not null,
            ["state", "datasets", _, "manifest.json"] => async () => await reader.Catalog.FindManifestAsync("tickets", Ct) is not null,
            ["state", "datasets", _, "versions", _] => async () => await reader.Catalog.GetVersionAsync("tickets", Number(parts[4]), Ct) is not null,
            ["state", "sha256", _, "data", _] => async () => (await reader.Catalog.ReadRowsAsync(await reader.Catalog.GetVersionAsync("tickets", 1, Ct), Ct)).Train.Count > 0,
            ["state", "sha256", _, "runs", _, var digest] => async () => (await new PayloadStore(reader.Store).GetAsync("sha256/tickets/runs/000001/", digest, Ct)).Length > 0,
            ["state", "runs", _, _] => async () => await reader.Runs.FindAsync(Run(3), Ct) is not null,
            ["state", "progress", _, _, _] => async () => (await reader.Runs.GetProgressAsync(Run(3), Ct)).Count > 0,
            ["state", "reports", _, _] => async () => await reader.Reports.FindAsync(Run(3), Ct) is not null,
            ["state", "versions", _, _] => async () => await reader.Registry.ReserveVersionAsync("tickets", "tickets-1", Ct) == 1 && !await IsReadAsDamagedAsync(reader, parts[3]),
            ["state", "steps", _, _, "candidate.json"] => async () => await reader.Evaluation.FindCandidateAsync(Run(3), Ct) is not null,
            ["state", "steps", _, _, "forward", _] => async () => await new DocumentStore(reader.Store).ReadAsync<StepManifest>(Containers.State, blob["state/".Length..], Ct) is not null,
            ["models", _, "champion.json"] => async () => await reader.Registry.FindChampionAsync("tickets", Ct) is not null,
            ["models", _, _, "card.json"] => async () => await reader.Registry.FindCardAsync("tickets", Number(parts[2]), Ct) is not null,
            ["models", _, _, var file] => async () => await reader.Registry.FindFileAsync((await reader.Registry.FindCardAsync("tickets", Number(parts[2]), Ct))!, file, Ct) is not null,
            _ => throw new InvalidOperationException($"Nobody is known to read {blob}."),
        };
    }

    // A damaged reservation is not believed: whose the number is, the card says.
    private static async Task<bool> IsReadAsDamagedAsync(PipelineHarness reader, string name)
    {
        try
        {
            await new DocumentStore(reader.Store).ReadAsync<System.Text.Json.Nodes.JsonObject>(Containers.State, $"versions/tickets/{name}", Ct);
            return false;
        }
        catch (CorruptBlobException)
        {
            return true;
        }
    }

    private async Task<RunManifest> UndisturbedAsync()
    {
        using var other = new TemporaryStore();
        using var steps = new PipelineHarness(other.Blobs);
        return await steps.CompleteAsync(await steps.BeginAsync());
    }

    /// <summary>Walks a run as the orchestrations do, and does something after each step.</summary>
    private async Task<RunManifest> WalkAsync(string run, Func<EpochStepResult, Task> afterStep)
    {
        for (int round = 0; round < 10; round++)
        {
            var input = EpochStepInput.First(run, Direction.Forward);
            EpochStepResult result;
            do
            {
                int before = pipeline.Trainings;
                result = await pipeline.Epochs.RunAsync(input, Ct);
                input = input with { From = result.Next, Checkpoint = result.Checkpoint };
                if (pipeline.Trainings > before)
                {
                    await afterStep(result);
                }
            }
            while (!result.Finished);
            EvaluationResult evaluated = await pipeline.Evaluation.RunAsync(run, Ct);
            if (!evaluated.TrainAgain)
            {
                await pipeline.Publishing.RunAsync(evaluated, Ct);
                break;
            }
        }
        return await pipeline.Runs.GetAsync(RunId.Parse(run), Ct);
    }
}
