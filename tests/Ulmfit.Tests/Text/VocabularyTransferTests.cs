using Ulmfit.Text;

namespace Ulmfit.Tests.Text;

public sealed class VocabularyTransferTests
{
    [Fact]
    public void TransferRows_KnownAndNewWords_KeepsRowsAndUsesTheMean()
    {
        Vocabulary old = Vocabulary.FromTokens([.. SpecialTokens.All, "good", "film", "xxfake"]);
        Vocabulary target = Vocabulary.FromTokens([.. SpecialTokens.All, "film", "bad", "xxfake", "xxfake"]);
        var transfer = new VocabularyTransfer(old, target);

        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 10, -1, -1, -1], transfer.SourceRow);
        Assert.Equal(10, transfer.KnownCount);

        float[] rows = [.. Enumerable.Range(0, 24).Select(i => (float)i)];
        float[] moved = transfer.TransferRows(rows, 2);
        Assert.Equal([20f, 21f], moved[18..20]);
        Assert.Equal([11f, 12f], moved[20..22]);
        Assert.Equal([11f, 12f], moved[22..24]);

        float[] bias = transfer.TransferRows([.. Enumerable.Range(0, 12).Select(i => (float)i)], 1);
        Assert.Equal(10f, bias[9]);
        Assert.Equal(5.5f, bias[10]);
    }

    [Fact]
    public void TransferRows_TokensInAnotherOrder_AreMatchedByName()
    {
        Vocabulary target = Vocabulary.FromTokens([.. SpecialTokens.All, "a"]);
        var transfer = new VocabularyTransfer(["a", "xxmaj", "xxup", "xxunk"], target);

        Assert.Equal([3, -1, -1, -1, -1, -1, -1, 2, 1, 0], transfer.SourceRow);
    }

    [Fact]
    public void TransferRows_ManyRows_TakesTheMeanInDoublePrecision()
    {
        // In single precision the small values would be lost beside the large one.
        string[] words = [.. SpecialTokens.All, .. Enumerable.Range(0, 100_000).Select(i => $"w{i}")];
        var transfer = new VocabularyTransfer(Vocabulary.FromTokens(words), Vocabulary.FromTokens([.. SpecialTokens.All, "new"]));
        float[] rows = [1e8f, .. Enumerable.Repeat(1f, words.Length - 1)];

        Assert.Equal((float)((1e8 + words.Length - 1) / words.Length), transfer.TransferRows(rows, 1)[9]);
    }

    [Fact]
    public void TransferRows_WrongLength_SaysWhatWasExpected()
    {
        Vocabulary vocabulary = Vocabulary.FromTokens(SpecialTokens.All);
        var error = Assert.Throws<ArgumentException>(() => new VocabularyTransfer(vocabulary, vocabulary).TransferRows(new float[5], 2));

        Assert.Contains("9 rows of 2 values were expected, 5 values were given", error.Message, StringComparison.Ordinal);
    }
}
