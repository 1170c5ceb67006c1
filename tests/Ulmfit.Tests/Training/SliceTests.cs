using Ulmfit.Cpu;
using Ulmfit.Training;

namespace Ulmfit.Tests.Training;

/// <summary>However an epoch is cut, by steps, by the clock or by a death, what comes out is what one go gives.</summary>
public sealed class SliceTests
{
    private const int KilledOneIn = 4;

    // Batches so small that seven steps are less than any epoch.
    private static readonly TrainingSettings Settings = SmallTraining.Settings with { Classifier = SmallTraining.Settings.Classifier with { Batch = 4 } };

    private static readonly TrainingSettings EarlyStopping = Settings with
    {
        Strategy = Strategy.Full,
        LanguageModel = Settings.LanguageModel with { Epochs = 4, LearningRate = 0.05, EarlyStopping = new EarlyStoppingSettings { Patience = 1 } },
        Classifier = Settings.Classifier with { Epochs = 12, LearningRate = 0.08, EarlyStopping = new EarlyStoppingSettings { Patience = 1, Metric = EarlyStoppingMetric.Loss } },
    };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, Direction.Forward, false)]
    [InlineData(2, Direction.Backward, false)]
    [InlineData(3, Direction.Forward, true)]
    [InlineData(7, Direction.Backward, true)]
    public void Train_InSlicesOfSteps_GivesTheBitsAndMeasuresOfOneGo(int steps, Direction direction, bool stopsEarly)
    {
        TrainingSettings settings = stopsEarly ? EarlyStopping : Settings;
        Outcome whole = Train(settings, direction, slice => slice), cut = Train(settings, direction, slice => slice with { SliceSteps = steps });

        AssertSame(whole, cut);
        Assert.All(new[] { StageKind.LanguageModel, StageKind.Classifier }, kind => Assert.Contains(kind, cut.Cuts));
        Assert.Equal(stopsEarly, whole.Epochs.Count < Plan(settings, direction).TotalEpochs);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Train_CutAndKilledAtRandomSteps_GivesTheBitsAndMeasuresOfOneGo(int seed)
    {
        var random = new Random(seed);
        (TrainingSettings settings, Direction direction) = (seed % 2 == 0 ? EarlyStopping : Settings, seed < 3 ? Direction.Forward : Direction.Backward);

        Outcome cut = Train(settings, direction, slice => slice with { SliceSteps = 1 + random.Next(9) }, killAfter: () => random.Next(KilledOneIn) == 0 ? 1 + random.Next(5) : null);

        AssertSame(Train(settings, direction, slice => slice), cut);
        Assert.True(cut.Kills > 0, "nothing was killed");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Train_CutByTheClock_GivesTheBitsAndMeasuresOfOneGo(int seed)
    {
        TrainingSettings settings = seed == 2 ? EarlyStopping : Settings;
        var clock = new StridingClock(seed, mostSeconds: 40);

        Outcome cut = Train(settings, Direction.Forward, slice => slice with { SliceMinutes = 2 }, clock: clock);

        AssertSame(Train(settings, Direction.Forward, slice => slice), cut);
        Assert.True(cut.Cuts.Distinct().Count() == 2, $"{cut.Cuts.Count} cuts");
    }

    [Fact]
    public void Train_ASliceShorterThanAnyStep_TrainsOneStep()
    {
        using var engine = new CpuTrainingEngine(2);
        var training = new DirectionTraining(engine, SmallTraining.Data, Settings with { SliceMinutes = 1e-9 }, Direction.Forward, null);

        Assert.Equal(new TrainingPosition(0, 0, 1), training.Train(training.Start(), null, Ct).Position);
    }

    private static StagePlan Plan(TrainingSettings settings, Direction direction)
    {
        using var engine = new CpuTrainingEngine(1);
        return new DirectionTraining(engine, SmallTraining.Data, settings, direction, null).Plan;
    }

    private static void AssertSame(Outcome whole, Outcome cut)
    {
        Assert.Equal(whole.Digest, cut.Digest);
        Assert.Equal(whole.Epochs, cut.Epochs);
        Assert.Empty(whole.Cuts);
    }

    /// <summary>Trains as a pipeline does: every slice through a file, by an engine and a training of its own, with settings of its own.</summary>
    private static Outcome Train(
        TrainingSettings settings, Direction direction, Func<TrainingSettings, TrainingSettings> slice, Func<int?>? killAfter = null, TimeProvider? clock = null)
    {
        var epochs = new List<string>();
        var cuts = new List<StageKind>();
        int kills = 0;
        Checkpoint? checkpoint = null;
        while (checkpoint is not { Finished: true })
        {
            using var engine = new CpuTrainingEngine(2);
            var training = new DirectionTraining(engine, SmallTraining.Data, slice(settings), direction, null) { Clock = clock ?? TimeProvider.System };
            Checkpoint from = checkpoint is null ? training.Start() : SmallTraining.ThroughAFile(checkpoint);
            if (killAfter?.Invoke() is { } steps)
            {
                // What a death takes with it: a part of the slice, which is trained again.
                using var kill = new CancellationTokenSource();
                var progress = new Reporter(value =>
                {
                    if (value.Step >= from.Position.Step + steps)
                    {
                        kill.Cancel();
                    }
                });
                if (Record.Exception(() => training.Train(from, progress, kill.Token)) is OperationCanceledException)
                {
                    kills++;
                    continue;
                }
            }

            checkpoint = training.Train(from, null, Ct);
            if (checkpoint.LastEpoch is { } epoch)
            {
                epochs.Add($"{epoch with { Seconds = 0, Curve = [] }} {string.Join(' ', epoch.Curve)}");
            }
            else
            {
                cuts.Add(training.Plan.Stages[checkpoint.Position.Stage].Kind);
            }
        }

        return new Outcome(WeightsDigest.Of(checkpoint.State), epochs, cuts, kills);
    }

    private sealed record Outcome(string Digest, IReadOnlyList<string> Epochs, IReadOnlyList<StageKind> Cuts, int Kills);

    private sealed class Reporter(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
