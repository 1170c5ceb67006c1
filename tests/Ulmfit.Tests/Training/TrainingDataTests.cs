using Ulmfit.Data;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Ulmfit.Tests.Training;

public sealed class TrainingDataTests
{
    private static readonly TrainingSettings Settings = TrainingSettings.Default with { MinimumCount = 2, MaximumVocabulary = 400 };

    [Fact]
    public void Prepare_ManyTexts_GivesTheVocabularyAndIdsOfTokenizingOneByOne()
    {
        LabeledRow[] train = Rows(0, 700), heldOut = Rows(700, 150);
        string[] unlabeled = [.. Rows(850, 90).Select(row => row.Text)];
        TrainingData data = TrainingData.Prepare(train, heldOut, unlabeled, Settings, null);

        var tokenizer = new Tokenizer();
        IReadOnlyList<string> Tokens(string text) => tokenizer.Tokenize(text);
        var vocabulary = Vocabulary.Build(
            train.Select(row => row.Text).Concat(unlabeled).Select(Tokens), new VocabularyOptions { MinimumCount = 2, MaximumSize = 400 });
        Assert.Equal(vocabulary.Tokens, data.Vocabulary.Tokens);
        Assert.Equal(train.Select(row => vocabulary.Encode(Tokens(row.Text))), data.Train.Select(document => document.Tokens));
        Assert.Equal(heldOut.Select(row => vocabulary.Encode(Tokens(row.Text))), data.HeldOut.Select(document => document.Tokens));
        Assert.Equal(train.Select(row => row.Text).Concat(unlabeled).Select(text => vocabulary.Encode(Tokens(text))), data.LanguageModelTexts);
        Assert.Equal(data.LanguageModelTexts.Skip(train.Length), data.Unlabeled);
        Assert.Equal(train.Select(row => row.Label), data.Train.Select(document => data.Labels[document.Label]));
    }

    [Fact]
    public void Prepare_WordThatOnlyTheHeldOutRowsHave_IsUnknown()
    {
        LabeledRow[] heldOut = [.. Enumerable.Range(0, 5).Select(i => new LabeledRow($"heldword {i}", "even", i + 1))];
        TrainingData data = TrainingData.Prepare(Rows(0, 20), heldOut, ["unlabelword", "unlabelword"], Settings, null);

        Assert.False(data.Vocabulary.Contains("heldword"));
        Assert.True(data.Vocabulary.Contains("unlabelword"));
        Assert.Equal(SpecialTokens.UnknownId, data.HeldOut[0].Tokens[1]);
    }

    [Fact]
    public void Prepare_PretrainedVocabulary_JoinsWhole()
    {
        var pretrained = Vocabulary.FromTokens([.. SpecialTokens.All, "zebra", "the", SpecialTokens.Filler]);
        TrainingData data = TrainingData.Prepare(Rows(0, 20), [], [], Settings, pretrained);

        Assert.True(data.Vocabulary.Contains("zebra"));
        Assert.DoesNotContain(SpecialTokens.Filler, data.Vocabulary.Tokens);
    }

    private static LabeledRow[] Rows(int first, int count) => [.. Enumerable.Range(first, count).Select(i => new LabeledRow(
        $"Text {i} isn't the {i % 37}th of word{i % 60}, WORD{i * 7919 % 300} or <br /> sooo good!!! {string.Join(' ', Enumerable.Range(0, i % 20).Select(k => $"w{i * k % 90}"))}",
        i % 2 == 0 ? "even" : "odd", i + 1))];
}
