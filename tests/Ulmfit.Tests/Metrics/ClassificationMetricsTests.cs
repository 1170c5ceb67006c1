using System.Text.Json;
using Ulmfit.Metrics;

namespace Ulmfit.Tests.Metrics;

public sealed class ClassificationMetricsTests
{
    private static readonly string[] Labels = ["ant", "bee", "cat"];

    // from sklearn.metrics import *
    // y = [0,0,0,1,1,2,2,2,2,1]; p = [0,0,1,1,1,2,2,0,2,2]
    // confusion_matrix(y, p)  -> [[2,1,0],[0,2,1],[1,0,3]]
    // precision 2/3, 2/3, 3/4; recall 2/3, 2/3, 3/4; accuracy 0.7; macro F1 (2/3 + 2/3 + 3/4) / 3
    [Fact]
    public void FromPredictions_ThreeClasses_GivesTheHandWorkedScores()
    {
        ClassificationMetrics metrics = ClassificationMetrics.FromPredictions(
            Labels, [0, 0, 0, 1, 1, 2, 2, 2, 2, 1], [0, 0, 1, 1, 1, 2, 2, 0, 2, 2]);

        Assert.Equal(0.7, metrics.Accuracy, 15);
        Assert.Equal(25.0 / 36, metrics.MacroF1, 15);
        Assert.Null(metrics.LogLoss);
        Assert.Equal([[2, 1, 0], [0, 2, 1], [1, 0, 3]], metrics.ConfusionMatrix);
        Assert.Equal([3, 3, 4], metrics.PerClass.Select(c => c.Support));
        Assert.Equal(2.0 / 3, metrics.PerClass[0].Precision, 15);
        Assert.Equal(0.75, metrics.PerClass[2].Recall, 15);
        Assert.Equal(0.75, metrics.PerClass[2].F1, 15);
    }

    // y = [0,0,1,1], p = [0,0,0,2]: classes 0, 1 and 2 occur; F1 = 0.8, 0, 0; precision of 1 and recall of 2 have no base.
    [Fact]
    public void FromPredictions_ClassNeverPredictedOrNeverTrue_ScoresZeroAndCounts()
    {
        ClassificationMetrics metrics = ClassificationMetrics.FromPredictions([.. Labels, "dog"], [0, 0, 1, 1], [0, 0, 0, 2]);

        Assert.Equal(0.8 / 3, metrics.MacroF1, 15);
        Assert.Equal(0, metrics.PerClass[1].Precision);
        Assert.Equal(0, metrics.PerClass[2].Recall);
        Assert.Equal(new ClassMetrics("dog", 0, 0, 0, 0), metrics.PerClass[3]);
    }

    // log_loss([0, 1, 2], [[.7,.2,.1],[.1,.8,.1],[.5,.3,.2]]) = -(ln .7 + ln .8 + ln .2) / 3 = 0.7297...
    [Fact]
    public void FromProbabilities_ThreeTexts_GivesLogLossAndArgMax()
    {
        ClassificationMetrics metrics = ClassificationMetrics.FromProbabilities(
            Labels, [0, 1, 2], [.7f, .2f, .1f, .1f, .8f, .1f, .5f, .3f, .2f]);

        Assert.Equal(-(Math.Log(.7) + Math.Log(.8) + Math.Log(.2)) / 3, metrics.LogLoss!.Value, 6);
        Assert.Equal(2.0 / 3, metrics.Accuracy, 15);
    }

    [Fact]
    public void FromProbabilities_CertainErrorOrTie_StaysFiniteAndTakesTheFirst()
    {
        ClassificationMetrics metrics = ClassificationMetrics.FromProbabilities(["a", "b"], [1, 0], [1f, 0f, .5f, .5f]);

        Assert.Equal((-Math.Log(1e-15) - Math.Log(.5)) / 2, metrics.LogLoss!.Value, 10);
        Assert.Equal([[1, 0], [1, 0]], metrics.ConfusionMatrix);
    }

    [Fact]
    public void FromPredictions_NoText_GivesZeros()
    {
        ClassificationMetrics metrics = ClassificationMetrics.FromProbabilities(Labels, [], []);

        Assert.Equal((0, 0, 0), (metrics.Accuracy, metrics.MacroF1, metrics.LogLoss));
    }

    [Fact]
    public void FromProbabilities_WrongInput_SaysWhatIsWrong()
    {
        Assert.Contains("2 rows of 3 probabilities",
            Assert.Throws<ArgumentException>(() => ClassificationMetrics.FromProbabilities(Labels, [0, 1], [1f])).Message, StringComparison.Ordinal);
        Assert.Contains("class 3 is outside 0…2",
            Assert.Throws<ArgumentException>(() => ClassificationMetrics.FromPredictions(Labels, [3], [0])).Message, StringComparison.Ordinal);
        Assert.Contains("Row 0, class 1",
            Assert.Throws<ArgumentException>(() => ClassificationMetrics.FromProbabilities(Labels, [0], [1f, float.NaN, 0f])).Message, StringComparison.Ordinal);
        Assert.Contains("1 predictions were expected, 0 were given",
            Assert.Throws<ArgumentException>(() => ClassificationMetrics.FromPredictions(Labels, [0], [])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Serialize_WithAnyOptions_IsCamelCase()
    {
        ClassificationMetrics metrics = ClassificationMetrics.FromPredictions(["a"], [0], [0]);

        Assert.Equal(
            """{"accuracy":1,"macroF1":1,"logLoss":null,"count":1,"perClass":[{"label":"a","precision":1,"recall":1,"f1":1,"support":1}],"confusionMatrix":[[1]]}""",
            JsonSerializer.Serialize(metrics));
        Assert.Equal(metrics.PerClass, JsonSerializer.Deserialize<ClassificationMetrics>(JsonSerializer.Serialize(metrics))!.PerClass);
    }
}
