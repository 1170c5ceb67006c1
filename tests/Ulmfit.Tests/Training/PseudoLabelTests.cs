using Ulmfit.Cpu;
using Ulmfit.Training;

namespace Ulmfit.Tests.Training;

/// <summary>Which texts are trained on with the class that a classifier gave them, and what that changes.</summary>
public sealed class PseudoLabelTests
{
    // Class 0 so often, and class 1 so often: where these are the shares that the teachers give them, nothing is held back.
    private static int[] Labels(int zeros, int ones) => [.. Enumerable.Repeat(0, zeros), .. Enumerable.Repeat(1, ones)];

    [Fact]
    public void Choose_OneTeacher_TakesTheSurestHalfOfEachClassInTheOrderOfTheTexts()
    {
        float[][] teacher = [[0.6f, 0.4f], [0.9f, 0.1f], [0.3f, 0.7f], [0.7f, 0.3f], [0.2f, 0.8f], [0.8f, 0.2f], [0.55f, 0.45f], [0.45f, 0.55f]];

        Assert.Equal([new PseudoLabel(1, 0), new PseudoLabel(4, 1), new PseudoLabel(5, 0)], PseudoLabel.Choose([teacher], Labels(9, 7)));
    }

    [Fact]
    public void Choose_SeveralTeachers_GoesByTheMeanOfTheirProbabilities()
    {
        float[][] one = [[0.9f, 0.1f], [0.4f, 0.6f], [0.8f, 0.2f], [0.45f, 0.55f]], other = [[0.2f, 0.8f], [0.1f, 0.9f], [0.7f, 0.3f], [0.15f, 0.85f]];

        Assert.Equal([new PseudoLabel(1, 1), new PseudoLabel(2, 0)], PseudoLabel.Choose([one, other], Labels(37, 43)));
        Assert.Equal(PseudoLabel.Choose([one, other], [0, 1, 1]), PseudoLabel.Choose([other, one], [0, 1, 1]));
    }

    [Fact]
    public void Choose_EquallySureOfAll_TakesTheFirstTextsAndTheFirstClass() =>
        Assert.Equal([new PseudoLabel(0, 0), new PseudoLabel(1, 0)], PseudoLabel.Choose([[.. Enumerable.Repeat<float[]>([0.5f, 0.5f], 5)]], [0, 1]));

    [Fact]
    public void Choose_TeacherThatFavoursAClass_IsHeldToTheSharesOfTheLabelledTexts()
    {
        float[][] teacher = [[0.9f, 0.1f], [0.8f, 0.2f], [0.7f, 0.3f], [0.6f, 0.4f]];

        Assert.Equal([new PseudoLabel(0, 0), new PseudoLabel(1, 0)], PseudoLabel.Choose([teacher], Labels(3, 1)));
        Assert.Equal([new PseudoLabel(0, 0), new PseudoLabel(3, 1)], PseudoLabel.Choose([teacher], Labels(1, 1)));
    }

    [Fact]
    public void Choose_ManyTexts_LeavesOutNoneThatItIsSurerOfThanOfOneThatItTakes()
    {
        const int Texts = 500, Classes = 7;
        var random = new Random(5);
        float[][][] teachers = [.. Enumerable.Range(0, 3).Select(_ => Enumerable.Range(0, Texts).Select(_ => Enumerable.Range(0, Classes).Select(_ => random.NextSingle()).ToArray()).ToArray())];
        int[] labeled = [0, 1, 1, 2, 2, 2, 3, 4, 5, 6, 6];
        double MeanOf(int text, int label) => teachers.Average(teacher => (double)teacher[text][label]);
        double[] factors = [.. Enumerable.Range(0, Classes).Select(label => labeled.Count(one => one == label) / Enumerable.Range(0, Texts).Average(text => MeanOf(text, label)))];
        double AlignedOf(int text, int label) => MeanOf(text, label) * factors[label] / Enumerable.Range(0, Classes).Sum(one => MeanOf(text, one) * factors[one]);
        int[] labels = [.. Enumerable.Range(0, Texts).Select(text => Enumerable.Range(0, Classes).MaxBy(label => AlignedOf(text, label)))];

        IReadOnlyList<PseudoLabel> chosen = PseudoLabel.Choose(teachers, labeled);

        Assert.Equal(chosen.Select(label => label.Text).Distinct().Order(), chosen.Select(label => label.Text));
        Assert.All(chosen, label => Assert.Equal(labels[label.Text], label.Label));
        for (int label = 0; label < Classes; label++)
        {
            int[] taken = [.. chosen.Where(one => one.Label == label).Select(one => one.Text)], left = [.. Enumerable.Range(0, Texts).Where(text => labels[text] == label).Except(taken)];
            Assert.Equal((taken.Length + left.Length) / 2, taken.Length);
            Assert.True(taken.Length == 0 || taken.Min(text => AlignedOf(text, label)) >= left.Max(text => AlignedOf(text, label)));
        }
    }

    [Fact]
    public void Choose_NoTeachersOrOtherTexts_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => PseudoLabel.Choose([], [0, 1]));
        Assert.Throws<ArgumentException>(() => PseudoLabel.Choose([[[1f, 0f]], [[1f, 0f], [0f, 1f]]], [0, 1]));
        Assert.Throws<ArgumentException>(() => PseudoLabel.Choose([[[1f, 0f]]], []));
    }

    [Fact]
    public void WithPseudoLabels_SomeTexts_HasTheSameLanguageModelAndAClassifierOfMoreDocuments()
    {
        using var engine = new CpuTrainingEngine(1);
        TrainingData few = SmallTraining.Data.WithLabelsOf([0, 1, 2, 3]), more = few.WithPseudoLabels([new PseudoLabel(2, 1), new PseudoLabel(37, 0)]);
        DirectionTraining TrainingOn(TrainingData data) => new(engine, data, SmallTraining.Settings, Direction.Forward, null);

        Assert.Equal([.. few.Train, new Document(few.Unlabeled[2], 1), new Document(few.Unlabeled[37], 0)], more.Train);
        Assert.Equal(few.Unlabeled.Where((_, text) => text is not (2 or 37)), more.Unlabeled);
        Assert.Equal(few.LanguageModelTexts, more.LanguageModelTexts);
        Assert.Equal(TrainingOn(few).LanguageModelFingerprint, TrainingOn(more).LanguageModelFingerprint);
        Assert.NotEqual(TrainingOn(few).Fingerprint, TrainingOn(more).Fingerprint);
        Assert.NotEqual(TrainingOn(few.WithPseudoLabels([new PseudoLabel(2, 1), new PseudoLabel(37, 1)])).Fingerprint, TrainingOn(more).Fingerprint);
        Assert.Equal(TrainingOn(few).Fingerprint, TrainingOn(few.WithPseudoLabels([])).Fingerprint);
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(38, 0)]
    [InlineData(0, 2)]
    [InlineData(0, -1)]
    public void WithPseudoLabels_TextOrClassThatIsNotThere_IsRefused(int text, int label)
    {
        TrainingData few = SmallTraining.Data.WithLabelsOf([0, 1, 2, 3]);

        Assert.Equal(38, few.Unlabeled.Count);
        Assert.Throws<ArgumentException>(() => few.WithPseudoLabels([new PseudoLabel(text, label)]));
        Assert.Throws<ArgumentException>(() => few.WithPseudoLabels([new PseudoLabel(3, 0), new PseudoLabel(3, 1)]));
    }
}
