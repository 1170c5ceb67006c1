using Ulmfit.Cpu;
using Ulmfit.Model;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Ulmfit.Tests.Training;

public sealed class RepresentativeTextsTests
{
    private static readonly string[] Texts = [.. SmallTraining.Rows(0, 60).Select(row => row.Text)];

    private static readonly PretrainedModel Pretrained = Made();

    [Theory]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(60)]
    public void Choose_AnyCount_GivesSoManyDifferentTexts(int count)
    {
        IReadOnlyList<int> chosen = Read(Texts, threads: 2).Choose(count, 1);

        Assert.Equal(count, chosen.Distinct().Count());
        Assert.All(chosen, text => Assert.InRange(text, 0, 59));
    }

    [Fact]
    public void Choose_FrequentAndRareKindsOfTexts_TakesOneOfEachAndTheMostFrequentFirst()
    {
        string[] kinds = ["I would like some apples please", "there is rain today", "tell me about plums"];
        string[] texts = [.. Enumerable.Repeat(kinds[1], 30), .. Enumerable.Repeat(kinds[0], 2), .. Enumerable.Repeat(kinds[2], 9)];

        Assert.Equal([0, 32, 30], Read(texts, threads: 2).Choose(3, 5));
    }

    [Fact]
    public void Choose_FewerKindsThanWanted_FillsUpWithFurtherTexts()
    {
        string[] texts = [.. Enumerable.Repeat(Texts[0], 5), .. Enumerable.Repeat(Texts[1], 4)];

        Assert.Equal([0, 5, 1, 2], Read(texts, threads: 1).Choose(4, 1));
    }

    [Fact]
    public void Choose_OnAnyNumberOfThreads_GivesTheSameAndAnotherSeedOthers()
    {
        RepresentativeTexts one = Read(Texts, threads: 1), two = Read(Texts, threads: 3);

        Assert.Equal(one.Choose(12, 7), two.Choose(12, 7));
        Assert.NotEqual(one.Choose(12, 7), one.Choose(12, 8));
    }

    [Fact]
    public void Choose_MoreThanThereAre_IsRefused()
    {
        RepresentativeTexts read = Read(Texts, threads: 1);

        Assert.Throws<ArgumentOutOfRangeException>(() => read.Choose(61, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => read.Choose(0, 1));
        Assert.Throws<ArgumentException>(() => Read([], threads: 1));
    }

    private static RepresentativeTexts Read(string[] texts, int threads)
    {
        using var engine = new CpuTrainingEngine(threads);
        return RepresentativeTexts.Read(engine, Pretrained, texts, TestContext.Current.CancellationToken);
    }

    private static PretrainedModel Made()
    {
        Vocabulary vocabulary = SmallTraining.Data.Vocabulary;
        return PretrainedModel.Of(vocabulary, WeightInitialization.LanguageModel(new AwdLstmConfig(vocabulary.Count, 16, 24, 2), 3), null);
    }
}
