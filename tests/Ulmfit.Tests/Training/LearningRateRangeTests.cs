using Ulmfit.Cpu;
using Ulmfit.Engine;
using Ulmfit.Training;

namespace Ulmfit.Tests.Training;

public sealed class LearningRateRangeTests
{
    [Theory]
    [InlineData(StageKind.LanguageModel)]
    [InlineData(StageKind.Classifier)]
    public void Find_EveryStep_RaisesTheRateByTheSameFactorAndSmoothsTheLoss(StageKind phase)
    {
        using var cpu = new CpuTrainingEngine(2);
        var engine = new RecordingEngine(cpu);
        var test = new LearningRateRangeTest { Steps = 60, LowestRate = 1e-6, HighestRate = 1 };
        LearningRateRange found = TrainingOf(engine).FindLearningRate(phase, test, null, TestContext.Current.CancellationToken);

        double mean = 0;
        for (int i = 0; i < found.Points.Count; i++)
        {
            LearningRatePoint point = found.Points[i];
            Assert.Equal(1e-6 * Math.Pow(1e6, i / 59.0), point.LearningRate, point.LearningRate * 1e-9);
            mean = (0.98 * mean) + (0.02 * point.Loss);
            Assert.Equal(mean / (1 - Math.Pow(0.98, i + 1)), point.SmoothedLoss, 1e-9);

            // Windows scale the language model's rate by their length; groups fall by 2.6.
            double scale = phase == StageKind.LanguageModel ? engine.Windows[i] / 9.0 : 1;
            IReadOnlyList<GroupStep> groups = engine.Steps[i].Groups;
            Assert.Equal(point.LearningRate * scale, groups[^1].LearningRate, point.LearningRate * 1e-5);
            Assert.Equal(point.LearningRate * scale / 2.6, groups[^2].LearningRate, point.LearningRate * 1e-5);
        }

        Assert.Equal(engine.Steps.Count, engine.Steps.Select(step => step.Key).Distinct().Count());
        Assert.True(found.Points.Count == 60 || found.Points[^1].SmoothedLoss > 4 * found.Points.Min(point => point.SmoothedLoss));
    }

    [Fact]
    public void Find_Twice_GivesTheSameAndLeavesTrainingAsItWas()
    {
        using var engine = new CpuTrainingEngine(2);
        DirectionTraining training = TrainingOf(engine);
        string before = WeightsDigest.Of(training.Start().State);
        LearningRateRange Find() => training.FindLearningRate(StageKind.Classifier, new LearningRateRangeTest { Steps = 30 }, null, TestContext.Current.CancellationToken);

        Assert.Equal(Find().Points, Find().Points);
        Assert.Equal(before, WeightsDigest.Of(training.Start().State));
    }

    [Fact]
    public void Find_WithoutALanguageModelStage_SaysSo()
    {
        using var engine = new CpuTrainingEngine(1);
        TrainingSettings settings = SmallTraining.Settings with { LanguageModel = SmallTraining.Settings.LanguageModel with { FineTune = false } };
        var training = new DirectionTraining(engine, SmallTraining.Data, settings, Direction.Forward, null);

        Assert.Throws<InvalidOperationException>(() => training.FindLearningRate(StageKind.LanguageModel, new LearningRateRangeTest(), null, TestContext.Current.CancellationToken));
        Assert.Throws<ArgumentOutOfRangeException>(() => training.FindLearningRate(StageKind.Classifier, new LearningRateRangeTest { Steps = 1 }, null, TestContext.Current.CancellationToken));
    }

    // The loss stands still for 40 steps, falls for 30 with its steepest step at 60, and explodes after 80.
    [Fact]
    public void Judge_CurveWithOneValley_FindsItsSteepestStepAndItsMiddle()
    {
        double Loss(int step) => step < 40 ? 3 : step < 70 ? 3 - (0.02 * (step - 40)) - (step > 60 ? 0.5 : 0) : step < 80 ? 2.6 : 2.6 + (step - 79);
        LearningRatePoint[] points = [.. Enumerable.Range(0, 90).Select(step => new LearningRatePoint(Math.Pow(10, step / 10.0), 0, Loss(step)))];

        LearningRateRange found = new LearningRateRangeTest().Judge(points);

        Assert.Equal(points[60].LearningRate, found.Steepest);
        Assert.Equal(points[(40 + 69) / 2].LearningRate, found.Valley);
    }

    [Fact]
    public void Judge_LossThatNeverFalls_SuggestsNothing()
    {
        LearningRatePoint[] points = [.. Enumerable.Range(0, 50).Select(step => new LearningRatePoint(step + 1, 0, 1 + (0.1 * step)))];
        LearningRateRange found = new LearningRateRangeTest().Judge(points);

        Assert.Equal((null, null), (found.Steepest, found.Valley));
        Assert.Equal((null, null), (new LearningRateRangeTest().Judge([]).Steepest, new LearningRateRangeTest().Judge([]).Valley));
    }

    private static DirectionTraining TrainingOf(ITrainingEngine engine) => new(engine, SmallTraining.Data, SmallTraining.Settings, Direction.Forward, null);
}
