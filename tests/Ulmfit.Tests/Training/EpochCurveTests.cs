using Ulmfit.Cpu;
using Ulmfit.Engine;
using Ulmfit.Training;

namespace Ulmfit.Tests.Training;

public sealed class EpochCurveTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(39, 39)]
    [InlineData(40, 40)]
    [InlineData(41, 40)]
    [InlineData(1000, 40)]
    public void Points_AnyNumberOfSteps_AreAtMostFortyAndCoverEveryStep(int steps, int points)
    {
        var curve = new EpochCurve(steps, []);
        for (int step = 0; step < steps; step++)
        {
            curve.Add(step, new LossSum(2.0 * step, 2), 0.5);
        }

        Assert.Equal(points, curve.Points.Count);
        Assert.Equal(steps, curve.Points[^1].Step);
        Assert.Equal(steps, curve.Buckets.Sum(bucket => bucket.Steps));
        Assert.Equal((steps - 1) / 2.0, curve.Buckets.Sum(bucket => bucket.LossSum) / (2 * steps), 9);
        Assert.All(curve.Points, point => Assert.Equal(0.5, point.LearningRate));
        Assert.InRange(curve.Buckets.Max(bucket => bucket.Steps) - curve.Buckets.Min(bucket => bucket.Steps), 0, 1);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Train_InSlicesThroughFiles_GivesTheVeryCurveOfOneGo(int sliceSteps)
    {
        List<EpochMetrics> whole = SmallTraining.Run(SmallTraining.Settings, Direction.Forward).Epochs;
        List<EpochMetrics> sliced = SmallTraining.Run(SmallTraining.Settings with { SliceSteps = sliceSteps }, Direction.Forward, throughFiles: true).Epochs;

        Assert.Equal(whole.SelectMany(epoch => epoch.Curve), sliced.SelectMany(epoch => epoch.Curve));
        Assert.All(whole, epoch => Assert.Equal((Math.Min(40, epoch.Steps), epoch.Steps), (epoch.Curve.Count, epoch.Curve[^1].Step)));
        Assert.All(whole, epoch => Assert.Equal(epoch.LearningRate, epoch.Curve[^1].LearningRate, epoch.LearningRate));
    }

    [Fact]
    public void Train_EveryStep_IsInTheCurveWithItsRate()
    {
        using var cpu = new CpuTrainingEngine(2);
        var engine = new RecordingEngine(cpu);
        List<EpochMetrics> epochs = SmallTraining.Run(new DirectionTraining(engine, SmallTraining.Data, SmallTraining.Settings, Direction.Forward, null)).Epochs;

        // Every epoch of these is shorter than forty steps: one point a step.
        Assert.Equal(engine.Steps.Select(step => (double)step.Groups.Last(group => group.Trained).LearningRate), epochs.SelectMany(epoch => epoch.Curve).Select(point => point.LearningRate));
    }

    [Fact]
    public void Checkpoint_BetweenEpochs_HasNoCurveAndOneWithoutIsRead()
    {
        (Checkpoint last, _) = SmallTraining.Run(SmallTraining.Settings with { SliceSteps = 2, Strategy = Strategy.Last, Classifier = SmallTraining.Settings.Classifier with { Epochs = 1 } }, Direction.Forward);

        Assert.Empty(last.EpochCurve);
        Assert.Empty(SmallTraining.ThroughAFile(last).EpochCurve);
        CurveBucket[] curve = [new(7, 3, 0.1 + 0.2, 24, 1.0 / 3)];
        Assert.Equal(curve, SmallTraining.ThroughAFile(last with { EpochCurve = curve }).EpochCurve);
    }
}
