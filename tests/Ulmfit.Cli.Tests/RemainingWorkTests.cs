using Ulmfit.Training;

namespace Ulmfit.Cli.Tests;

public sealed class RemainingWorkTests
{
    [Fact]
    public void Estimate_NothingMeasured_IsUnknown()
    {
        var work = new RemainingWork();
        work.Plan(StageKind.Classifier, 1000);

        Assert.Null(work.Estimate());
        Assert.Equal(0, work.Done);
    }

    [Fact]
    public void Estimate_PartOfTheFirstEpoch_IsWhatItsSpeedSays()
    {
        var work = new RemainingWork();
        work.Plan(StageKind.LanguageModel, 1000);

        RemainingWork now = work.With(StageKind.LanguageModel, 250, 10);

        Assert.Equal(TimeSpan.FromSeconds(30), now.Estimate());
        Assert.Equal(0.25, now.Done, 1e-12);
        Assert.Null(work.Estimate());
    }

    [Fact]
    public void Estimate_TwoPhases_TakesEachAtItsOwnSpeed()
    {
        var work = new RemainingWork();
        work.Plan(StageKind.LanguageModel, 2000);
        work.Plan(StageKind.Classifier, 500);
        work.Train(StageKind.LanguageModel, 1000, 10);
        Assert.Equal(TimeSpan.FromSeconds(15), work.Estimate());

        work.Train(StageKind.Classifier, 100, 5);
        Assert.Equal(TimeSpan.FromSeconds(10 + 20), work.Estimate());
        Assert.Equal(1100.0 / 2500, work.Done, 1e-12);
    }

    [Fact]
    public void Plan_TakenAway_IsNoLongerPartOfTheWhole()
    {
        var work = new RemainingWork();
        work.Plan(StageKind.Classifier, 1000);
        work.Train(StageKind.Classifier, 600, 6);

        work.Plan(StageKind.Classifier, -400);

        Assert.Equal(1, work.Done, 1e-12);
        Assert.Equal(TimeSpan.Zero, work.Estimate());
    }
}
