using System.Text;
using System.Text.Json;
using Ulmfit.Data;
using Ulmfit.Reports;
using Ulmfit.Training;

namespace Ulmfit.Tests.Reports;

public sealed class TrainingReportTests
{
    [Fact]
    public void Parse_ItsOwnJson_GivesTheSameReport()
    {
        TrainingReport report = SampleReport.Of(SampleReport.Names(6));
        byte[] json = report.ToJson();

        Assert.Equal(json, TrainingReport.Parse(json).ToJson());
        JsonElement root = JsonDocument.Parse(json).RootElement;
        Assert.Equal(1, root.GetProperty("reportVersion").GetInt32());
        Assert.Equal("test", root.GetProperty("scores")[0].GetProperty("rows").GetString());
        Assert.Equal(15, root.GetProperty("scores")[0].GetProperty("calibration").GetProperty("bins").GetArrayLength());
        Assert.Equal("language-model", root.GetProperty("directions")[1].GetProperty("stages")[0].GetProperty("kind").GetString());
        Assert.Equal(25, root.GetProperty("directions")[1].GetProperty("epochs")[0].GetProperty("curve")[0].GetProperty("step").GetInt32());
        Assert.Equal(report.Seconds, root.GetProperty("seconds").GetDouble());
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"reportVersion": 2, "name": "x"}""")]
    public void Parse_WhatIsNoReport_IsRefused(string json) =>
        Assert.Throws<InvalidDataException>(() => TrainingReport.Parse(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void Of_PerplexityBeyondNumbers_IsLeftOut()
    {
        StagePlan plan = StagePlan.Of(TrainingSettings.Default, 3, true, 10, 10);
        var astray = new EpochMetrics("lm", StageKind.LanguageModel, 1, 1, 800, double.NaN, double.PositiveInfinity, null, null, 1, 1, 1);

        EpochMetrics epoch = Assert.Single(DirectionReport.Of(Direction.Forward, plan, [astray]).Epochs);

        Assert.Equal((null, null), (epoch.HeldOutLoss, epoch.Perplexity));
    }

    [Fact]
    public void Of_Plan_NamesTheGroupsThatTrainAndTheirRates()
    {
        StageReport[] stages = [.. SampleReport.Trained(Direction.Forward).Stages];

        Assert.Equal(["lm-embedding", "lm", "head", "last-2", "last-3", "last-4", "all"], stages.Select(stage => stage.Name));
        Assert.Equal(["LSTM layer 1", "LSTM layer 2", "LSTM layer 3", "embedding and decoder"], stages[0].Groups.Select(group => group.Name));
        Assert.Equal([false, false, false, true], stages[0].Groups.Select(group => group.Trained));
        Assert.Equal(["embedding", "LSTM layer 1", "LSTM layer 2", "LSTM layer 3", "head"], stages[2].Groups.Select(group => group.Name));
        Assert.Equal([0, 0, 0, 0, 0.02], stages[2].Groups.Select(group => group.LearningRate));
        Assert.Equal(0.01 / 2.6, stages[^1].Groups[3].LearningRate, 12);
    }

    [Fact]
    public void RowScores_Hardest_AreTheRowsOfTheHighestLossInOrder()
    {
        LabeledRow[] rows = [new("sure and right", "a", 1), new("sure and wrong", "b", 2), new("unsure", "a", 3), new("wrong as well", "b", 4)];

        RowScores scores = RowScores.Of(RowsKind.HeldOut, null, ["a", "b"], rows, [[0.9f, 0.1f], [0.99f, 0.01f], [0.5f, 0.5f], [1f, 0f]], hardest: 3);

        Assert.Equal(["wrong as well", "sure and wrong", "unsure"], scores.Hardest.Select(example => example.Text));
        Assert.Equal(("b", "a", 1.0, 0.0, -Math.Log(1e-15)), (scores.Hardest[0].Label, scores.Hardest[0].Predicted, scores.Hardest[0].Probability, scores.Hardest[0].LabelProbability, scores.Hardest[0].Loss));
        Assert.Equal(-Math.Log(0.01), scores.Hardest[1].Loss, 5);
        Assert.Equal(scores.Metrics.LogLoss!.Value * 4, RowScores.Of(RowsKind.HeldOut, null, ["a", "b"], rows, [[0.9f, 0.1f], [0.99f, 0.01f], [0.5f, 0.5f], [1f, 0f]], 9).Hardest.Sum(example => example.Loss), 9);
    }

    [Fact]
    public void RowScores_LongText_IsCutBetweenCharacters()
    {
        string text = new string('x', 999) + "😀" + new string('y', 50);

        HardExample example = Assert.Single(RowScores.Of(RowsKind.Test, "t.csv", ["a", "b"], [new LabeledRow(text, "a", 1)], [[0.1f, 0.9f]], 5).Hardest);

        Assert.Equal(new string('x', 999) + "…", example.Text);
    }

    [Fact]
    public void RowScores_LabelThatTheModelDoesNotKnow_IsNamed() =>
        Assert.Contains("'c'", Assert.Throws<ArgumentException>(() => RowScores.Of(RowsKind.Test, null, ["a", "b"], [new LabeledRow("x", "c", 1)], [[0.1f, 0.9f]], 5)).Message, StringComparison.Ordinal);
}
