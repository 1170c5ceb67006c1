using Ulmfit.Data;

namespace Ulmfit.Tests.Data;

public sealed class DatasetSelectionTests
{
    [Fact]
    public void Of_TheSameRowsInOtherFilesAndOrders_SelectsTheSameInTheSameOrder()
    {
        SourcedRow[] rows = [.. Enumerable.Range(0, 60).Select(i => new SourcedRow("a.csv", new LabeledRow($"text number {i}", i % 2 == 0 ? "even" : "odd", i + 2)))];
        SourcedRow[] elsewhere = [.. rows.Reverse().Select((row, i) => new SourcedRow(i % 3 == 0 ? "b.csv" : "c.csv", row.Row with { Line = i + 1 }))];
        DatasetSelection one = DatasetSelection.Of(rows, ["x", "y", "z"], 0.2);
        DatasetSelection other = DatasetSelection.Of(elsewhere, ["z", "x", "y", "x"], 0.2);

        Assert.Equal(one.Train.Select(row => (row.Text, row.Label)), other.Train.Select(row => (row.Text, row.Label)));
        Assert.Equal(one.HeldOut.Select(row => row.Text), other.HeldOut.Select(row => row.Text));
        Assert.Equal(one.Unlabeled, other.Unlabeled);
        Assert.Equal(60, one.Train.Count + one.HeldOut.Count);
        Assert.NotEmpty(one.HeldOut);
    }

    [Fact]
    public void Of_UnlabelledTextThatHasALabel_IsLeftOut()
    {
        SourcedRow[] rows = [.. Enumerable.Range(0, 20).Select(i => new SourcedRow("a.csv", new LabeledRow($"text {i}", i % 2 == 0 ? "even" : "odd", i + 2)))];

        Assert.Equal(["something new"], DatasetSelection.Of(rows, ["text 3", "something new"], 0.2).Unlabeled);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.1)]
    [InlineData(1)]
    public void Of_EveryRow_StandsOnTheSideThatItsTextHas(double fraction)
    {
        SourcedRow[] rows = [.. Enumerable.Range(0, 300).Select(i => new SourcedRow("a.csv", new LabeledRow($"text \t {i} ", i % 2 == 0 ? "even" : "odd", i + 2)))];
        DatasetSelection chosen = DatasetSelection.Of(rows.Concat(rows), [], fraction);

        Assert.All(chosen.Train, row => Assert.False(HeldOutSplit.IsHeldOut(row.Text, fraction)));
        Assert.All(chosen.HeldOut, row => Assert.True(HeldOutSplit.IsHeldOut(row.Text, fraction)));
        Assert.Equal(300, chosen.Train.Count + chosen.HeldOut.Count);
        Assert.Equal(300, chosen.Unique.DuplicateCount);
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void Of_ShareOutsideItsRange_IsRefused(double fraction) => Assert.Throws<ArgumentOutOfRangeException>(
        () => DatasetSelection.Of([new SourcedRow("a.csv", new LabeledRow("x", "a", 1)), new SourcedRow("a.csv", new LabeledRow("y", "a", 2))], [], fraction));
}
