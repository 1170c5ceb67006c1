using Ulmfit.Data;
using Ulmfit.Pipeline.Drift;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Tests.Drift;

public sealed class DriftReferenceTests
{
    private static readonly LabeledRow[] Train = [new("good good fine", "praise", 1), new("bad bad fine", "complaint", 2), new("good fine once", "praise", 3)];

    [Fact]
    public void Of_RowsHeldOut_CountsTheLabelsThatTheyAreGiven()
    {
        LabeledRow[] heldOut = [new("good unheard", "complaint", 4), new("bad", "complaint", 5)];

        var reference = DriftReference.Of(Data(heldOut), Train, [[0.1f, 0.9f], [0.8f, 0.2f]]);

        Assert.Equal(DriftSource.HeldOut, reference.Source);
        Assert.Equal([new("complaint", 1), new("praise", 1)], reference.Classes);

        // "once" of nine words occurs too seldom to be known; of the three that are held out one was never seen.
        Assert.Equal(1.0 / 9, reference.TrainingUnknownRate, 12);
        Assert.Equal(1.0 / 3, reference.HeldOutUnknownRate!.Value, 12);
        Assert.Equal(reference.HeldOutUnknownRate, reference.UnknownRate());
    }

    [Fact]
    public void Of_NoRowHeldOut_FallsBackToTheRowsOfTheTraining()
    {
        var reference = DriftReference.Of(Data([]), Train, []);

        Assert.Equal((DriftSource.Training, null), (reference.Source, reference.HeldOutUnknownRate));
        Assert.Equal([new("complaint", 1), new("praise", 2)], reference.Classes);
        Assert.Equal(reference.TrainingUnknownRate, reference.UnknownRate());
    }

    private static TrainingData Data(LabeledRow[] heldOut) =>
        TrainingData.Prepare(Train, heldOut, [], TrainingSettings.Default with { MinimumCount = 2, Pretrained = TrainingSettings.NoPretrained }, null);
}
