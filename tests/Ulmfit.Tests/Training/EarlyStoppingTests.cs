using Ulmfit.Cpu;
using Ulmfit.Model;
using Ulmfit.Training;

namespace Ulmfit.Tests.Training;

/// <summary>Each run is held against the same run without early stopping, whose epochs say when it must stop and what it must restore.</summary>
public sealed class EarlyStoppingTests
{
    // So high a rate that held-out scores go up and down.
    private static readonly TrainingSettings Restless = SmallTraining.Settings with
    {
        Schedule = ScheduleKind.Constant,
        LanguageModel = SmallTraining.Settings.LanguageModel with { Epochs = 8, LearningRate = 0.05 },
        Classifier = SmallTraining.Settings.Classifier with { Epochs = 12, LearningRate = 0.05 },
    };

    [Theory]
    [InlineData(EarlyStoppingMetric.Loss, 1)]
    [InlineData(EarlyStoppingMetric.Loss, 3)]
    [InlineData(EarlyStoppingMetric.Accuracy, 2)]
    [InlineData(EarlyStoppingMetric.MacroF1, 2)]
    public void Classifier_NoLongerBetter_StopsAfterPatienceAndRestoresTheBestEpoch(EarlyStoppingMetric metric, int patience)
    {
        TrainingSettings settings = Restless with { LanguageModel = Restless.LanguageModel with { FineTune = false } };
        (List<EpochMetrics> all, List<string> digests) = Undisturbed(settings);
        (int last, int best) = Expected(all, metric, patience, firstOfLastStage: 4);

        (Checkpoint stopped, List<EpochMetrics> epochs) = SmallTraining.Run(Stopping(settings, metric, patience), Direction.Forward);

        Assert.True(last < all.Count - 1, "the undisturbed run never got worse: nothing is tested");
        Assert.Equal(all.Take(last + 1).Select(epoch => epoch.TrainLoss), epochs.Select(epoch => epoch.TrainLoss));
        Assert.Equal(digests[best], WeightsDigest.Of(stopped.State));
        Assert.Equal(new RestoredEpoch(all[best].Stage, all[best].Epoch), epochs[^1].Restored);
        Assert.All(epochs.SkipLast(1), epoch => Assert.Null(epoch.Restored));
        Assert.True(stopped.Finished);
        Assert.Null(stopped.Best);
        Assert.Equal(stopped.State.WeightsOnly().Names, stopped.State.Names);
    }

    [Fact]
    public void LanguageModel_NoLongerBetter_HandsItsBestEpochToTheClassifier()
    {
        (List<EpochMetrics> all, List<string> digests) = Undisturbed(Restless, stage: 0);
        (int last, int best) = Expected(all, EarlyStoppingMetric.Loss, 1, firstOfLastStage: 0);
        Assert.True(last < all.Count - 1, "the undisturbed run never got worse: nothing is tested");
        using var engine = new CpuTrainingEngine(2);
        TrainingSettings settings = Restless with { LanguageModel = Restless.LanguageModel with { EarlyStopping = new EarlyStoppingSettings { Patience = 1 } } };
        var training = new DirectionTraining(engine, SmallTraining.Data, settings, Direction.Forward, null);

        Checkpoint checkpoint = training.Start();
        while (checkpoint.Position.Stage == 0)
        {
            checkpoint = training.Train(checkpoint, null, TestContext.Current.CancellationToken);
        }

        Assert.Equal(new TrainingPosition(1, 0, 0), checkpoint.Position);
        Assert.Equal(last + 1, checkpoint.LastEpoch!.Epoch);
        Assert.Equal(digests[best], WeightsDigest.Of(checkpoint.State));
        Assert.Null(checkpoint.Best);
    }

    [Fact]
    public void Run_InSlicesThroughFiles_StopsAndRestoresTheSame()
    {
        TrainingSettings settings = Stopping(Restless, EarlyStoppingMetric.Loss, 2) with { LanguageModel = Restless.LanguageModel with { EarlyStopping = new EarlyStoppingSettings { Patience = 1 } } };

        (Checkpoint whole, List<EpochMetrics> epochs) = SmallTraining.Run(settings, Direction.Backward);
        (Checkpoint sliced, List<EpochMetrics> others) = SmallTraining.Run(settings with { SliceSteps = 2 }, Direction.Backward, throughFiles: true);

        Assert.Equal(WeightsDigest.Of(whole.State), WeightsDigest.Of(sliced.State));
        Assert.Equal(epochs.Select(epoch => (epoch.Stage, epoch.Epoch, epoch.Restored)), others.Select(epoch => (epoch.Stage, epoch.Epoch, epoch.Restored)));
    }

    [Fact]
    public void Checkpoint_WithABestEpoch_IsReadAsItWasWritten()
    {
        var state = new StateDict { ["0.encoder.weight"] = new Tensor([2], [1f, 2f]), [TrainingStateNames.FirstMoment("0.encoder.weight")] = new Tensor([2], [3f, 4f]) };
        var best = new BestEpoch(2, 5, -0.1234567890123, 3, new StateDict { ["0.encoder.weight"] = new Tensor([2], [5f, 6f]) });

        Checkpoint read = SmallTraining.ThroughAFile(new Checkpoint(new TrainingPosition(3, 1, 7), false, state) { Best = best });

        Assert.Equal(state.Names, read.State.Names);
        Assert.Equal([1f, 2f], read.State["0.encoder.weight"].Data);
        Assert.Equal((2, 5, -0.1234567890123, 3), (read.Best!.Stage, read.Best.Epoch, read.Best.Score, read.Best.EpochsSince));
        Assert.Equal([5f, 6f], Assert.Single(read.Best.Weights).Value.Data);
        Assert.Null(SmallTraining.ThroughAFile(new Checkpoint(default, false, state)).Best);
    }

    [Theory]
    [InlineData("""{"languageModel": {"earlyStopping": {"metric": "accuracy"}}}""", "languageModel.earlyStopping.metric")]
    [InlineData("""{"classifier": {"earlyStopping": {"patience": 0}}}""", "classifier.earlyStopping.patience")]
    public void Settings_ThatMakeNoSense_AreRefused(string json, string path) =>
        Assert.Equal(path, Assert.Single(Assert.Throws<TrainingSettingsException>(() => TrainingSettings.Parse(json)).Errors).Path);

    [Theory]
    [InlineData(1)]
    [InlineData(0.5)]
    [InlineData(1.4142135)]
    [InlineData(1.4142136)]
    [InlineData(1e-30)]
    [InlineData(1.401298464324817e-45)]
    [InlineData(0.99999994)]
    [InlineData(123456.789)]
    public void PortableLogarithm_AnyNumber_IsTheLogarithm(double x) => Assert.Equal(Math.Log(x), PortableLogarithm.Of(x), Math.Max(1e-16, Math.Abs(Math.Log(x)) * 1e-15));

    private static TrainingSettings Stopping(TrainingSettings settings, EarlyStoppingMetric metric, int patience) =>
        settings with { Classifier = settings.Classifier with { EarlyStopping = new EarlyStoppingSettings { Patience = patience, Metric = metric } } };

    /// <summary>The epochs of a run without early stopping, or of one stage of it, and the weights after each.</summary>
    private static (List<EpochMetrics> Epochs, List<string> Digests) Undisturbed(TrainingSettings settings, int? stage = null)
    {
        using var engine = new CpuTrainingEngine(2);
        var digests = new List<string>();
        var training = new DirectionTraining(engine, SmallTraining.Data, settings, Direction.Forward, null);
        (_, List<EpochMetrics> epochs) = SmallTraining.Run(training, onEpoch: checkpoint => digests.Add(WeightsDigest.Of(checkpoint.State)));
        int count = stage is int one ? training.Plan.Stages[one].Epochs : epochs.Count;
        return (epochs[..count], digests[..count]);
    }

    /// <summary>The last epoch that is trained, and the best one.</summary>
    private static (int Last, int Best) Expected(List<EpochMetrics> epochs, EarlyStoppingMetric metric, int patience, int firstOfLastStage)
    {
        double Score(int epoch) => metric switch
        {
            EarlyStoppingMetric.Loss => -epochs[epoch].HeldOutLoss!.Value,
            EarlyStoppingMetric.Accuracy => epochs[epoch].Accuracy!.Value,
            _ => epochs[epoch].MacroF1!.Value,
        };
        int best = 0;
        for (int epoch = 0; epoch < epochs.Count; epoch++)
        {
            best = Score(epoch) > Score(best) ? epoch : best;
            if (epoch >= firstOfLastStage && epoch - Math.Max(best, firstOfLastStage - 1) >= patience)
            {
                return (epoch, best);
            }
        }

        return (epochs.Count - 1, best);
    }
}
