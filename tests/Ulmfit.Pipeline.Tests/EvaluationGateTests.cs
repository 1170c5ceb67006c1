using Ulmfit.Pipeline.Registry;

namespace Ulmfit.Pipeline.Tests;

public sealed class EvaluationGateTests
{
    private static readonly Scores Baseline = Of(0.4, 0.2);

    [Fact]
    public void Decide_FirstModelThatBeatsTheMostFrequentClass_IsAccepted() =>
        Assert.True(EvaluationGate.Decide(Of(0.5, 0.3), 10, Baseline, null).Accepted);

    [Theory]
    [InlineData(0.4, 0.2)]
    [InlineData(0.3, 0.1)]
    [InlineData(0.5, 0.19)]
    public void Decide_ModelNoBetterThanTheMostFrequentClass_IsRejected(double accuracy, double macroF1)
    {
        Assert.False(EvaluationGate.Decide(Of(accuracy, macroF1), 10, Baseline, null).Accepted);
        Assert.False(EvaluationGate.Decide(Of(accuracy, macroF1), 10, Baseline, Champion(0.1, 0.05)).Accepted);
    }

    [Theory]
    [InlineData(0.8, 0.8, true)]
    [InlineData(0.6, 0.8, true)]
    [InlineData(0.71, 0.7, true)]
    [InlineData(0.69, 0.7, false)]
    [InlineData(0.9, 0.69, false)]
    public void Decide_AgainstAChampion_MacroF1DecidesThenAccuracy(double accuracy, double macroF1, bool accepted)
    {
        GateDecision decision = EvaluationGate.Decide(Of(accuracy, macroF1), 10, Baseline, Champion(0.7, 0.7));

        Assert.Equal(accepted, decision.Accepted);
        Assert.Contains("version 4", decision.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(101, true)]
    [InlineData(100, false)]
    [InlineData(99, false)]
    public void Decide_Tie_MoreTrainingRowsDecide(int trainRows, bool accepted) =>
        Assert.Equal(accepted, EvaluationGate.Decide(Of(0.7, 0.7), trainRows, Baseline, Champion(0.7, 0.7)).Accepted);

    [Fact]
    public void Decide_NothingHeldOut_OnlyTheFirstIsAccepted()
    {
        var none = new Scores(0, 0, 0, []);

        Assert.True(EvaluationGate.Decide(none, 10, none, null).Accepted);
        Assert.False(EvaluationGate.Decide(none, 10, none, Champion(0.7, 0.7)).Accepted);
    }

    private static Scores Of(double accuracy, double macroF1) => new(accuracy, macroF1, 50, []);

    private static ChampionScores Champion(double accuracy, double macroF1) => new(4, Of(accuracy, macroF1), 100);
}
