using Ulmfit.Data;
using Ulmfit.Features;
using Ulmfit.Metrics;
using Ulmfit.Model;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Pipeline.Drift;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Pipeline.Serving;
using Ulmfit.Pipeline.Steps;
using Ulmfit.Pipeline.Tests.Support;
using Ulmfit.Reports;
using Ulmfit.Storage;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Tests;

public sealed class TrainingRunTests : IDisposable
{
    private readonly TemporaryStore store = new();
    private readonly PipelineHarness pipeline;

    public TrainingRunTests() => pipeline = new PipelineHarness(store.Blobs);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        pipeline.Dispose();
        store.Dispose();
    }

    [Fact]
    public async Task Run_GoodData_IsPublishedWithItsLineageAndAnswers()
    {
        string run = await pipeline.BeginAsync(PipelineHarness.Settings with { Directions = Directions.Both });

        RunManifest ended = await pipeline.CompleteAsync(run);

        Assert.Equal(RunStatus.Completed, ended.Status);
        Assert.Equal(1, ended.ModelVersion);
        Assert.Equal(10, ended.History.Count);
        Assert.All(ended.History, epoch => Assert.True(double.IsFinite(epoch.TrainLoss)));
        ModelCard card = (await pipeline.Registry.FindCardAsync("tickets", 1, Ct))!;
        Assert.Equal(run, card.Run);
        Assert.Equal(["forward", "backward"], card.Directions);
        Assert.Equal("cpu", card.Engine);
        Assert.Equal(42UL, card.Seed);
        Assert.Equal(ended.WeightsDigest, card.WeightsDigest);
        Assert.Equal("labeled/a.csv", Assert.Single(card.Drops).Name);
        Assert.True(card.Metrics.MacroF1 > 0.8, $"macro-F1 {card.Metrics.MacroF1}");
        Assert.True(ended.HasReport);
        TrainingReport report = TrainingReport.Parse((await pipeline.Registry.FindFileAsync(card, ModelFiles.Report, Ct))!);
        Assert.Equal((await pipeline.Reports.FindAsync(RunId.Parse(run), Ct))!.ToJson(), report.ToJson());
        Assert.Equal(ReportHtml.Of(report), await pipeline.Registry.FindFileAsync(card, ModelFiles.ReportPage, Ct));
        Assert.Equal(card.Metrics.MacroF1, Assert.Single(report.Scores).Metrics.MacroF1);
        Assert.Equal((card.WeightsDigest, card.DatasetDigest, card.TrainRows, "cpu"), (report.WeightsDigest, report.Data!.Digest, report.Data.TrainRows, report.Engine));
        Assert.Equal([Direction.Forward, Direction.Backward], report.Directions.Select(direction => direction.Direction));
        Assert.Equal(
            ended.History.OrderBy(epoch => epoch.Direction).Select(epoch => (epoch.Stage, epoch.Epoch, epoch.TrainLoss)),
            report.Directions.SelectMany(direction => direction.Epochs).Select(epoch => (epoch.Stage, epoch.Epoch, epoch.TrainLoss)));
        Assert.All(report.Directions.SelectMany(direction => direction.Epochs), epoch => Assert.Equal(epoch.Steps, epoch.Curve[^1].Step));
        using ModelLease lease = (await pipeline.Cache.AcquireChampionAsync("tickets", Ct))!;
        float[][] answers = await lease.PredictAsync(["the lamp was lovely and great so happy", "the lamp was awful and late so angry"], Ct);
        Assert.Equal("praise", lease.Rank(answers[0], 1)[0].Label);
        Assert.Equal("complaint", lease.Rank(answers[1], 1)[0].Label);
    }

    [Theory]
    [InlineData(1.0, ModelFiles.Int8Model)]
    [InlineData(null, ModelFiles.Model)]
    public async Task Run_Published_ServesTheVariantThatTheToleranceAllowsAndTellsOfBoth(double? tolerance, string serves)
    {
        using var chosen = new PipelineHarness(store.Blobs, new PipelineOptions { CodeVersion = "tests", Int8Tolerance = tolerance });
        await chosen.CompleteAsync(await chosen.BeginAsync());

        ModelCard card = (await chosen.Registry.FindCardAsync("tickets", 1, Ct))!;

        Assert.Equal(serves, card.Serves);
        Assert.Equal([(ModelFiles.Model, "float32"), (ModelFiles.Int8Model, "int8")], card.Variants.Select(variant => (variant.File, variant.Precision)));
        foreach (ModelVariant variant in card.Variants)
        {
            Assert.Equal((await chosen.Registry.FindFileAsync(card, variant.File, Ct))!.Length, variant.Bytes);
            Assert.True(variant.Speed is { MicrosecondsPerToken: > 0, MicrosecondsPerTokenInBatches: > 0, Tokens: 64 }, $"{variant.Speed}");
        }
        ModelVariant answers = Assert.Single(card.Variants, variant => variant.File == serves);
        Assert.Equal((card.Metrics.Accuracy, card.Metrics.MacroF1), (answers.Accuracy, answers.MacroF1));
        using ModelLease lease = (await chosen.Cache.AcquireChampionAsync("tickets", Ct))!;
        Assert.Equal(card.Files[serves], lease.Digest);
    }

    [Fact]
    public async Task RunAsync_EvaluatedAgain_KeepsWhatItMeasured()
    {
        string run = await pipeline.BeginAsync();
        await pipeline.TrainAsync(run);
        await pipeline.Evaluation.RunAsync(run, Ct);
        Candidate first = (await pipeline.Evaluation.FindCandidateAsync(RunId.Parse(run), Ct))!;

        await pipeline.Evaluation.RunAsync(run, Ct);
        await pipeline.Publishing.RunAsync(await pipeline.Evaluation.RunAsync(run, Ct), Ct);

        Candidate second = (await pipeline.Evaluation.FindCandidateAsync(RunId.Parse(run), Ct))!;
        Assert.Equal(first.Variants, second.Variants);
        Assert.Equal(first.Variants, (await pipeline.Registry.FindCardAsync("tickets", 1, Ct))!.Variants);
    }

    [Fact]
    public async Task Run_Published_AnswersWithTheProbabilitiesThatItsCardAndReportAreOf()
    {
        await pipeline.CompleteAsync(await pipeline.BeginAsync());

        ModelCard card = (await pipeline.Registry.FindCardAsync("tickets", 1, Ct))!;
        TrainingReport report = TrainingReport.Parse((await pipeline.Registry.FindFileAsync(card, ModelFiles.Report, Ct))!);
        DatasetVersion version = await pipeline.Catalog.GetVersionAsync("tickets", 1, Ct);
        DatasetRows rows = await pipeline.Catalog.ReadRowsAsync(version, Ct);
        using ModelLease lease = (await pipeline.Cache.AcquireChampionAsync("tickets", Ct))!;
        float[][] answers = await lease.PredictAsync([.. rows.HeldOut.Select(row => row.Text)], Ct);
        int[] expected = [.. rows.HeldOut.Select(row => lease.Labels.ToList().IndexOf(row.Label))];
        float[] flat = [.. answers.SelectMany(row => row)];

        CalibrationFit fit = card.Calibration!;
        Assert.NotEqual(TemperatureScaling.None, fit.Temperature);
        Assert.Equal(rows.HeldOut.Count, fit.Rows);
        Assert.Equal(report.Calibration!.Temperature, fit.Temperature);
        Assert.Equal(fit.After.LogLoss, ClassificationMetrics.FromProbabilities(lease.Labels, expected, flat).LogLoss);
        Assert.Equal(fit.After.ExpectedError, Calibration.FromProbabilities(2, expected, flat).ExpectedError);
        Assert.Equal(fit.After.LogLoss, Assert.Single(report.Scores).Metrics.LogLoss);
        Assert.True(fit.After.LogLoss < fit.Before.LogLoss, $"{fit}");

        // The classes are those that it gives the held-out rows, and the words those of the tokenised texts.
        DriftReference reference = card.Reference!;
        Assert.Equal(DriftSource.HeldOut, reference.Source);
        Assert.Equal(
            lease.Labels.Select((label, c) => new ClassFrequency(label, answers.Count(row => Array.IndexOf(row, row.Max()) == c))), reference.Classes);
        var tally = new TokenTally();
        await lease.PredictAsync([.. rows.HeldOut.Select(row => row.Text)], tally, Ct);
        Assert.Equal((double)tally.UnknownWords / tally.Words, reference.HeldOutUnknownRate);
        Assert.InRange(reference.TrainingUnknownRate, 0, reference.HeldOutUnknownRate!.Value);
    }

    // Against a champion with a temperature or one without: what is compared is which label is best, and that stays.
    [Theory]
    [InlineData(0.1)]
    [InlineData(0.73)]
    [InlineData(10)]
    public void Scores_OfScaledProbabilities_AreThoseOfTheOthers(double temperature)
    {
        var random = new Random(3);
        string[] labels = ["a", "b", "c"];
        LabeledRow[] rows = [.. Enumerable.Range(0, 500).Select(i => new LabeledRow("text", labels[random.Next(3)], i))];

        // Near ties, which rounding could turn over.
        float[][] given = [.. rows.Select(_ => labels.Select(_ => (1f / 3) + (random.Next(3) * 3e-8f)).ToArray())];
        float[][] scaled = [.. given.Select(row => row.ToArray())];
        Array.ForEach(scaled, row => TemperatureScaling.Apply(row, temperature));

        Assert.Equivalent(Scoring.Of(labels, given, rows), Scoring.Of(labels, scaled, rows), strict: true);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public async Task Run_InSlicesOfSteps_GivesTheSameWeights(int steps)
    {
        TrainingSettings settings = PipelineHarness.Settings with { Directions = Directions.Both };
        RunManifest whole = await pipeline.CompleteAsync(await pipeline.BeginAsync(settings));
        using var other = new TemporaryStore();
        using var sliced = new PipelineHarness(other.Blobs);

        RunManifest cut = await sliced.CompleteAsync(await sliced.BeginAsync(settings with { SliceSteps = steps }));

        AssertCutButSame(whole, cut, sliced.Trainings);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Run_CutByTheClock_GivesTheSameWeights(int seed)
    {
        RunManifest whole = await pipeline.CompleteAsync(await pipeline.BeginAsync());
        using var other = new TemporaryStore();
        using var sliced = new PipelineHarness(other.Blobs, new StridingClock(seed, mostSeconds: 40));

        RunManifest cut = await sliced.CompleteAsync(await sliced.BeginAsync(PipelineHarness.Settings with { SliceMinutes = 2 }));

        AssertCutButSame(whole, cut, sliced.Trainings);
    }

    private static void AssertCutButSame(RunManifest whole, RunManifest cut, int trainings)
    {
        Assert.Equal(whole.WeightsDigest, cut.WeightsDigest);
        Assert.Equal(whole.History.Select(Measured).Order(), cut.History.Select(Measured).Order());
        Assert.True(trainings > 1.5 * cut.History.Count, $"{trainings} slices of {cut.History.Count} epochs");

        static string Measured(EpochRecord epoch) => (epoch with { Seconds = 0 }).ToString();
    }

    [Fact]
    public async Task Run_InSlicesAndOverOtherProcesses_GivesTheSameWeights()
    {
        RunManifest whole = await pipeline.CompleteAsync(await pipeline.BeginAsync());

        using var other = new TemporaryStore();
        using var first = new PipelineHarness(other.Blobs);
        string run = await first.BeginAsync(PipelineHarness.Settings with { SliceSteps = 3 });
        var input = EpochStepInput.First(run, Direction.Forward);
        int steps = 0;
        EpochStepResult result;
        do
        {
            // Nothing is shared with the step before but the store.
            using var next = new PipelineHarness(other.Blobs);
            result = await next.Epochs.RunAsync(input, Ct);
            input = input with { From = result.Next, Checkpoint = result.Checkpoint };
            steps++;
        }
        while (!result.Finished);
        RunManifest sliced = await first.CompleteAsync(run);

        Assert.True(steps > whole.History.Count, $"{steps} steps");
        Assert.Equal(whole.WeightsDigest, sliced.WeightsDigest);
        Assert.Equal(whole.History.Count, sliced.History.Count);
        TrainingReport one = (await pipeline.Reports.FindAsync(whole.GetId(), Ct))!, another = (await first.Reports.FindAsync(sliced.GetId(), Ct))!;
        Assert.Equal(Curve(one), Curve(another));
        Assert.Equal(one.Scores[0].Hardest, another.Scores[0].Hardest);

        static IEnumerable<CurvePoint> Curve(TrainingReport report) => report.Directions.SelectMany(direction => direction.Epochs).SelectMany(epoch => epoch.Curve);
    }

    [Theory]
    [InlineData(FeatureReduction.Pca)]
    [InlineData(FeatureReduction.Lda)]
    public async Task Run_MethodFeaturesInSlicesAndOverOtherProcesses_IsPublishedWithTheSameWeightsAndAnswers(FeatureReduction reduction)
    {
        TrainingSettings settings = PipelineHarness.Settings with
        {
            Method = Method.Features, Strategy = Strategy.Gradual, Directions = Directions.Both, Classifier = new ClassifierSettings(), Features = new FeatureSettings { Reduction = reduction },
        };
        RunManifest whole = await pipeline.CompleteAsync(await pipeline.BeginAsync(settings));
        Assert.Equal(RunStatus.Completed, whole.Status);
        Assert.Equal(["lm", "lm", "features"], whole.History.Where(epoch => epoch.Direction == Direction.Backward).Select(epoch => epoch.Stage));

        using var other = new TemporaryStore();
        using var first = new PipelineHarness(other.Blobs);
        string run = await first.BeginAsync(settings with { SliceSteps = 1 });
        foreach (Direction direction in (Direction[])[Direction.Forward, Direction.Backward])
        {
            var input = EpochStepInput.First(run, direction);
            EpochStepResult result;
            do
            {
                using var next = new PipelineHarness(other.Blobs);
                result = await next.Epochs.RunAsync(input, Ct);
                input = input with { From = result.Next, Checkpoint = result.Checkpoint };
            }
            while (!result.Finished);
        }

        Assert.Equal(whole.WeightsDigest, (await first.CompleteAsync(run)).WeightsDigest);
        using ModelLease lease = (await pipeline.Cache.AcquireChampionAsync("tickets", Ct))!;
        float[] answer = Assert.Single(await lease.PredictAsync(["the lamp was lovely and great so happy"], Ct));
        Assert.Equal(1, answer.Sum(), 1e-5);

        // Its encoder is a start like any other's.
        RunManifest again = await pipeline.CompleteAsync(await pipeline.BeginAsync(PipelineHarness.Settings with { From = "champion", Directions = Directions.Both }, seed: 1, name: "b.csv"));
        Assert.True(again.Status is RunStatus.Completed or RunStatus.Rejected, again.Error);
    }

    [Fact]
    public async Task Run_EveryWriteFailingBeforeAndAfterItsEffect_GivesTheSameWeightsOnce()
    {
        RunManifest undisturbed = await pipeline.CompleteAsync(await pipeline.BeginAsync());

        using var other = new TemporaryStore();
        var faulty = new FaultyStore(other.Blobs);
        using var steps = new PipelineHarness(faulty);
        string run = await FaultyStore.RetryAsync(() => steps.BeginAsync());
        var input = EpochStepInput.First(run, Direction.Forward);
        EpochStepResult result;
        do
        {
            EpochStepInput from = input;
            result = await FaultyStore.RetryAsync(() => steps.Epochs.RunAsync(from, Ct));
            input = input with { From = result.Next, Checkpoint = result.Checkpoint };
        }
        while (!result.Finished);
        EvaluationResult evaluated = await FaultyStore.RetryAsync(() => steps.Evaluation.RunAsync(run, Ct));
        PublishResult published = await FaultyStore.RetryAsync(() => steps.Publishing.RunAsync(evaluated, Ct));
        await FaultyStore.RetryAsync(() => steps.Purge.RunAsync("tickets", Ct));

        Assert.Equal(PublishOutcome.Published, published.Outcome);
        RunManifest disturbed = await steps.Runs.GetAsync(RunId.Parse(run), Ct);
        Assert.Equal(RunStatus.Completed, disturbed.Status);
        Assert.Equal(undisturbed.WeightsDigest, disturbed.WeightsDigest);
        Assert.Equal(undisturbed.History.Count, disturbed.History.Count);
        Assert.True(disturbed.HasReport);
        Assert.NotNull(await steps.Registry.FindFileAsync((await steps.Registry.FindCardAsync("tickets", 1, Ct))!, ModelFiles.ReportPage, Ct));
        Assert.Equal([1], (await steps.Registry.ListVersionsAsync("tickets", Ct)).Select(card => card.Version));
        Assert.Single((await steps.Registry.FindChampionAsync("tickets", Ct))!.Value.History);
        Assert.True(faulty.Faults > 50, $"{faulty.Faults} faults");
    }

    [Fact]
    public async Task EpochStep_Repeated_ReturnsWhatWasDone()
    {
        string run = await pipeline.BeginAsync();
        var input = EpochStepInput.First(run, Direction.Forward);
        EpochStepResult first = await pipeline.Epochs.RunAsync(input, Ct);

        EpochStepResult again = await pipeline.Epochs.RunAsync(input, Ct);

        Assert.Equal(first, again);
        Assert.Equal(1, pipeline.Trainings);
        Assert.Single((await pipeline.Runs.GetAsync(RunId.Parse(run), Ct)).History);
    }

    [Fact]
    public async Task EpochStep_SeveralAtOnce_HaveOneEffect()
    {
        string run = await pipeline.BeginAsync();
        var input = EpochStepInput.First(run, Direction.Forward);

        EpochStepResult[] all = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => pipeline.Epochs.RunAsync(input, Ct)));

        Assert.All(all, result => Assert.Equal(all[0], result));
        Assert.Single(await store.NamesAsync(Containers.State, "steps/"));
        Assert.Single(await store.NamesAsync(Containers.State, "sha256/tickets/runs/"));
        Assert.Single((await pipeline.Runs.GetAsync(RunId.Parse(run), Ct)).History);
    }

    [Fact]
    public async Task EpochStep_WorkerThatComesBackAfterTheRunHasEnded_LeavesNothing()
    {
        string run = await pipeline.BeginAsync();
        await pipeline.Runs.FinishAsync(RunId.Parse(run), RunStatus.Failed, ct: Ct);

        EpochStepResult late = await pipeline.Epochs.RunAsync(EpochStepInput.First(run, Direction.Forward), Ct);

        Assert.True(late.Canceled);
        Assert.Empty(await store.NamesAsync(Containers.State, "steps/"));
        Assert.Empty(await store.NamesAsync(Containers.State, "sha256/tickets/runs/"));
    }

    [Fact]
    public async Task EpochStep_CalledOffInTheMiddle_StopsAndKeepsWhatIsCheckpointed()
    {
        // One epoch of the language model over this much text takes minutes.
        await store.Blobs.PutTextAsync(
            Containers.Unlabeled, "tickets/u.txt", string.Concat(TinyData.Rows(60_000, 9).Select(row => row.Text + "\n")), Ct);
        string run = await pipeline.BeginAsync();
        RunId id = RunId.Parse(run);
        Task<EpochStepResult> training = pipeline.Epochs.RunAsync(EpochStepInput.First(run, Direction.Forward), Ct);
        await Wait.UntilAsync(async () => (await pipeline.Runs.GetProgressAsync(id, Ct)).Count > 0, "progress is told");
        RunProgress progress = Assert.Single(await pipeline.Runs.GetProgressAsync(id, Ct));

        await pipeline.Runs.RequestCancelAsync(id, Ct);
        EpochStepResult result = await training;

        Assert.True(result.Canceled);
        Assert.Equal("lm", progress.Stage);
        Assert.InRange(progress.Done, 0, 0.2);
        Assert.True(progress.RemainingSeconds > 1);
        Assert.Empty(await store.NamesAsync(Containers.State, "steps/"));
    }

    [Fact]
    public async Task Run_WithUnlabelledText_KnowsItsWordsTrainsOnItAndNamesItInTheCard()
    {
        string without = (await pipeline.CompleteAsync(await pipeline.BeginAsync())).WeightsDigest!;
        await store.Blobs.PutTextAsync(Containers.Unlabeled, "tickets/u.txt", "a zebra was lovely\nthe zebra was late\n", Ct);
        RunTicket second = await pipeline.Start.BeginAsync(await pipeline.Preparation.RunAsync("tickets", Ct), Ct);
        await pipeline.TrainAsync(second.Run!);

        EvaluationResult evaluated = await pipeline.Evaluation.RunAsync(second.Run!, Ct);
        await pipeline.Publishing.RunAsync(evaluated with { Accepted = true }, Ct);

        Assert.NotEqual(without, evaluated.WeightsDigest);
        ModelCard card = (await pipeline.Registry.FindCardAsync("tickets", 2, Ct))!;
        Assert.Equal(2, card.DatasetVersion);
        Assert.Contains(card.Drops, drop => drop.Name == "unlabeled/u.txt");
        Assert.Contains("\"zebra\"", await store.Blobs.GetTextAsync(Containers.Models, "tickets/2/vocabulary.json", Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_BackwardFromAModelThatReadsForwardOnly_SaysWhatIsMissing()
    {
        Vocabulary vocabulary = Vocabulary.Build([["good", "bad"], ["good", "bad"], ["good", "bad"]]);
        using var weights = new MemoryStream();
        Safetensors.Write(weights, WeightInitialization.LanguageModel(new AwdLstmConfig(vocabulary.Count, 8, 12, 2), 1));
        await store.Blobs.PutAsync(Containers.Pretrained, "forward-only/vocabulary.json", vocabulary.ToJson(), Ct);
        await store.Blobs.PutAsync(Containers.Pretrained, "forward-only/forward.safetensors", weights.ToArray(), Ct);
        string run = await pipeline.BeginAsync(PipelineHarness.Settings with { Pretrained = "forward-only", Directions = Directions.Both });

        PipelineException exception = await Assert.ThrowsAsync<PipelineException>(() => pipeline.Epochs.RunAsync(EpochStepInput.First(run, Direction.Backward), Ct));

        Assert.Contains("cannot start at 'forward-only'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("add backward.safetensors to it", exception.Message, StringComparison.Ordinal);
        Assert.False((await pipeline.Epochs.RunAsync(EpochStepInput.First(run, Direction.Forward), Ct)).Canceled);
    }

    [Fact]
    public async Task Run_SameDataAgain_IsRejectedAsNoBetter()
    {
        RunManifest first = await pipeline.CompleteAsync(await pipeline.BeginAsync());
        await pipeline.Runs.TakeAsync("tickets", RunTrigger.Request, Ct);
        RunTicket second = await pipeline.Start.BeginAsync(await pipeline.Preparation.RunAsync("tickets", Ct), Ct);

        RunManifest ended = await pipeline.CompleteAsync(second.Run!);

        Assert.Equal(RunStatus.Rejected, ended.Status);
        Assert.Equal(first.WeightsDigest, ended.WeightsDigest);
        Assert.Equal(1, ended.ComparedWith);
        Assert.Equal(ended.Metrics!.MacroF1, ended.ChampionMetrics!.MacroF1);
        Assert.Single(await pipeline.Registry.ListVersionsAsync("tickets", Ct));
        await pipeline.Purge.RunAsync("tickets", Ct);
        Assert.True(ended.HasReport);
        Assert.Equal(second.Run, (await pipeline.Reports.FindAsync(ended.GetId(), Ct))!.Run);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task Evaluation_HardestExamples_AreAsManyAsTheSettingsSay(int number)
    {
        string run = await pipeline.BeginAsync(PipelineHarness.Settings with
        {
            Strategy = Strategy.Last, LanguageModel = new LanguageModelSettings { FineTune = false }, Report = new ReportSettings { HardestExamples = number },
        });
        await pipeline.TrainAsync(run);

        await pipeline.Evaluation.RunAsync(run, Ct);

        Assert.Equal(number, (await pipeline.Reports.FindAsync(RunId.Parse(run), Ct))!.Scores[0].Hardest.Count);
    }

    [Fact]
    public async Task Evaluation_StepsOfAnEarlierVersion_GiveAReportWithoutTheirEpochs()
    {
        string run = await pipeline.BeginAsync();
        await pipeline.TrainAsync(run);
        var documents = new DocumentStore(store.Blobs);
        foreach (string name in await store.NamesAsync(Containers.State, "steps/"))
        {
            StepManifest step = (await documents.ReadAsync<StepManifest>(Containers.State, name, Ct))!.Value;
            await documents.WriteAsync(Containers.State, name, step with { Metrics = null, Seconds = 0 }, Ct);
        }

        Assert.True((await pipeline.Evaluation.RunAsync(run, Ct)).Accepted);

        Assert.Empty((await pipeline.Reports.FindAsync(RunId.Parse(run), Ct))!.Directions[0].Epochs);
    }

    [Fact]
    public async Task Evaluation_ChampionOfOtherLabels_CannotGetTheNewOnesRight()
    {
        await TinyModels.PublishAsync(pipeline.Registry, "tickets", 1, "tickets-900", Ct);
        await pipeline.Registry.PromoteAsync("tickets", 1, null, Ct);
        string run = await pipeline.BeginAsync();
        await pipeline.TrainAsync(run);

        EvaluationResult evaluated = await pipeline.Evaluation.RunAsync(run, Ct);

        Assert.True(evaluated.Accepted, evaluated.Reason);
        Assert.Equal(1, evaluated.ComparedWith);
        Assert.Equal(0, (await pipeline.Runs.GetAsync(RunId.Parse(run), Ct)).ChampionMetrics!.Accuracy);
    }

    [Fact]
    public async Task Publishing_ChampionChangedSinceTheEvaluation_AsksForAnotherAndWritesNothing()
    {
        string run = await pipeline.BeginAsync();
        await pipeline.TrainAsync(run);
        EvaluationResult evaluated = await pipeline.Evaluation.RunAsync(run, Ct);
        await TinyModels.PublishAsync(pipeline.Registry, "tickets", 1, "tickets-900", Ct);
        await pipeline.Registry.PromoteAsync("tickets", 1, null, Ct);

        PublishResult published = await pipeline.Publishing.RunAsync(evaluated, Ct);

        Assert.Equal(PublishOutcome.ChampionChanged, published.Outcome);
        Assert.Single(await pipeline.Registry.ListVersionsAsync("tickets", Ct));
        PublishResult again = await pipeline.Publishing.RunAsync(await pipeline.Evaluation.RunAsync(run, Ct), Ct);
        Assert.Equal(PublishOutcome.Published, again.Outcome);
        Assert.Equal(2, (await pipeline.Registry.FindChampionAsync("tickets", Ct))!.Value.Version);
    }

    [Fact]
    public async Task Publishing_RunCalledOffAfterItsEvaluation_PublishesNothing()
    {
        string run = await pipeline.BeginAsync();
        await pipeline.TrainAsync(run);
        EvaluationResult evaluated = await pipeline.Evaluation.RunAsync(run, Ct);
        await pipeline.Runs.RequestCancelAsync(RunId.Parse(run), Ct);

        PublishResult published = await pipeline.Publishing.RunAsync(evaluated, Ct);

        Assert.Equal(PublishOutcome.Canceled, published.Outcome);
        Assert.Equal(RunStatus.Canceled, (await pipeline.Runs.GetAsync(RunId.Parse(run), Ct)).Status);
        Assert.Empty(await pipeline.Registry.ListVersionsAsync("tickets", Ct));
    }

    [Fact]
    public async Task Publishing_SeveralAtOnceAndLater_HaveOneEffect()
    {
        string run = await pipeline.BeginAsync();
        await pipeline.TrainAsync(run);
        EvaluationResult evaluated = await pipeline.Evaluation.RunAsync(run, Ct);

        PublishResult[] all = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => pipeline.Publishing.RunAsync(evaluated, Ct), Ct)));
        await pipeline.Purge.RunAsync("tickets", Ct);
        PublishResult late = await pipeline.Publishing.RunAsync(evaluated, Ct);

        Assert.All(all.Append(late), result => Assert.Equal(new PublishResult(run, PublishOutcome.Published, 1), result));
        Assert.Single(await pipeline.Registry.ListVersionsAsync("tickets", Ct));
        Assert.Single((await pipeline.Registry.FindChampionAsync("tickets", Ct))!.Value.History);
    }

    [Fact]
    public async Task Purge_AfterPublication_KeepsTheLastCheckpointOfTheChampionAlone()
    {
        await pipeline.CompleteAsync(await pipeline.BeginAsync());
        await pipeline.Purge.RunAsync("tickets", Ct);

        string step = Assert.Single(await store.NamesAsync(Containers.State, "steps/"));
        Assert.StartsWith("steps/tickets/000001/forward/01-0002-", step, StringComparison.Ordinal);
        string payload = Assert.Single(await store.NamesAsync(Containers.State, "sha256/tickets/runs/"));
        await using Stream content = (await store.Blobs.OpenReadAsync(Containers.State, payload, Ct))!;
        Assert.True(Checkpoint.Read(content).Finished);
        Assert.Equal(0, await pipeline.Purge.RunAsync("tickets", Ct));
    }

    [Fact]
    public async Task Purge_RunThatIsGoingOn_IsLeftAlone()
    {
        string run = await pipeline.BeginAsync();
        await pipeline.Epochs.RunAsync(EpochStepInput.First(run, Direction.Forward), Ct);

        Assert.Equal(0, await pipeline.Purge.RunAsync("tickets", Ct));
        Assert.Single(await store.NamesAsync(Containers.State, "steps/"));
    }

    [Fact]
    public async Task Run_FromTheChampion_StartsAtTheVersionThatWasChampionWhenItBegan()
    {
        TrainingSettings settings = PipelineHarness.Settings with { From = EarlierModels.Champion };
        string first = await pipeline.BeginAsync(settings);
        Assert.Null(TrainingWorkspace.SettingsOf(await pipeline.Runs.GetAsync(RunId.Parse(first), Ct)).From);
        Assert.Equal(1, (await pipeline.CompleteAsync(first)).ModelVersion);

        string second = await pipeline.BeginAsync(settings with { LanguageModel = new LanguageModelSettings() }, rows: 200, seed: 3, name: "b.csv");
        await TinyModels.PublishAsync(pipeline.Registry, "tickets", 1, "tickets-900", Ct);
        await pipeline.Registry.PromoteAsync("tickets", 2, null, Ct);
        RunManifest ended = await pipeline.CompleteAsync(second);

        Assert.Equal("tickets/1", TrainingWorkspace.SettingsOf(ended).From);
        Assert.DoesNotContain(ended.History, epoch => epoch.Stage == "lm");
        Assert.True(ended.History[0].TrainLoss < (await pipeline.Runs.GetAsync(RunId.Parse(first), Ct)).History[2].TrainLoss, "the second run did not start where the first ended");
    }

    [Fact]
    public async Task Run_MethodLstm_PublishesAModelThatNoFineTuningCanStartAt()
    {
        TrainingSettings plain = PipelineHarness.Settings with
        {
            Method = Method.Lstm, LanguageModel = new LanguageModelSettings(), Classifier = new ClassifierSettings { Epochs = 6, LearningRate = 0.02, Batch = 8 }, Strategy = Strategy.Gradual,
        };
        RunManifest ended = await pipeline.CompleteAsync(await pipeline.BeginAsync(plain));
        Assert.Equal(1, ended.ModelVersion);
        Assert.All(ended.History, epoch => Assert.Equal("classifier", epoch.Stage));

        string second = await pipeline.BeginAsync(PipelineHarness.Settings with { From = EarlierModels.Champion }, seed: 3, name: "b.csv");
        PipelineException e = await Assert.ThrowsAsync<PipelineException>(() => pipeline.TrainAsync(second));
        Assert.Contains("plain LSTM classifier", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tickets/7")]
    [InlineData("tickets")]
    [InlineData("../x/1")]
    public async Task Run_FromAModelThatDoesNotExist_SaysWhatToSet(string from)
    {
        string run = await pipeline.BeginAsync(PipelineHarness.Settings with { From = from });

        PipelineException e = await Assert.ThrowsAsync<PipelineException>(() => pipeline.TrainAsync(run));

        Assert.Contains($"'{from}'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_FromAModelThatDoesNotReadBackward_SaysSo()
    {
        await pipeline.CompleteAsync(await pipeline.BeginAsync());
        string run = await pipeline.BeginAsync(PipelineHarness.Settings with { From = "tickets/1", Directions = Directions.Backward }, seed: 3, name: "b.csv");

        PipelineException e = await Assert.ThrowsAsync<PipelineException>(() => pipeline.TrainAsync(run));

        Assert.Contains("does not read backward", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_StoppedEarlyInSlicesOverOtherProcesses_GivesTheWeightsOfTheUndisturbedRun()
    {
        TrainingSettings settings = PipelineHarness.Settings with
        {
            Classifier = PipelineHarness.Settings.Classifier with { Epochs = 8, LearningRate = 0.05, EarlyStopping = new EarlyStoppingSettings { Patience = 1 } },
        };
        RunManifest whole = await pipeline.CompleteAsync(await pipeline.BeginAsync(settings));
        using var other = new TemporaryStore();
        using var first = new PipelineHarness(other.Blobs);
        string run = await first.BeginAsync(settings with { SliceSteps = 3 });
        var input = EpochStepInput.First(run, Direction.Forward);
        EpochStepResult result;
        do
        {
            using var next = new PipelineHarness(other.Blobs);
            result = await next.Epochs.RunAsync(input, Ct);
            input = input with { From = result.Next, Checkpoint = result.Checkpoint };
        }
        while (!result.Finished);
        RunManifest sliced = await first.CompleteAsync(run);

        Assert.True(whole.History.Count < 10, $"{whole.History.Count} epochs: it did not stop early");
        Assert.Equal(whole.WeightsDigest, sliced.WeightsDigest);
        Assert.Equal(whole.History.Select(epoch => epoch.Epoch), sliced.History.Select(epoch => epoch.Epoch));
    }

    [Fact]
    public async Task Run_UnknownPretrainedModel_SaysWhichThereAre()
    {
        string run = await pipeline.BeginAsync(PipelineHarness.Settings with { Pretrained = "wiki" });

        PipelineException e = await Assert.ThrowsAsync<PipelineException>(() => pipeline.TrainAsync(run));

        Assert.Contains("pretrained/wiki/forward.safetensors", e.Message, StringComparison.Ordinal);
    }
}
