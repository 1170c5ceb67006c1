using Ulmfit.Text;

namespace Ulmfit.Tests.Text;

public sealed class DetokenizerTests
{
    public static TheoryData<string> Prose => new()
    {
        "The cat sat on the mat.",
        "I don't think so, but it's fine; isn't it?",
        "He said \"hello there\" and left (for good).",
        "NASA and the USA went to the Moon in 1969.",
        "It costs $5, or 10% more [see #7].",
        "First line\nsecond line\n\nAnother paragraph: yes!",
        "The well-known and/or high-priced thing; AC/DC played.",
        "The dogs' bowls aren't Tom's.",
        "I can't, won't and cannot do it, and I'm gonna say so.",
        "Good!!!! That was no no no good.",
        "Mr. Smith came at 5 o'clock :)",
        "They'll've gone – he thinks.",
        "'stop', she said, 'now'.",
        "Élan vital",
    };

    [Theory]
    [MemberData(nameof(Prose))]
    public void ToText_OfTheTokensOfProse_IsTheProse(string text)
    {
        IReadOnlyList<string> tokens = new Tokenizer().Tokenize(text);

        string read = Detokenizer.ToText(tokens);

        Assert.Equal(text, read);
        Assert.Equal(tokens, new Tokenizer().Tokenize(read));
    }

    public static TheoryData<string, string> Tokens => new()
    {
        { "", "" },
        { "xxbos xxpad xxpad", "" },
        { "xxbos xxmaj", "" },
        { "xxup do n't", "DON'T" },
        { "xxup nasa 's probe", "NASA's probe" },
        { "a xxunk word", "a <unk> word" },
        { "i think i am", "I think I am" },
        { "xxrep 4 z", "zzzz" },
        { "well xxrep 3 .", "well..." },
        { "xxrep 1000000000 !", new string('!', 100) },
        { "xxrep many !", "many!" },
        { "xxrep 4", "4" },
        { "xxrep 4 xxmaj the", "4 The" },
        { "xxwrep 3 ha", "ha ha ha" },
        { "xxwrep 3 xxmaj ha", "Ha Ha Ha" },
        { "xxwrep 3 xxmaj", "" },
        { "xxwrep 99999999999999 ha", "99999999999999 ha" },
        { "xxfld 1 text xxfake xxeos", "1 text" },
        { ", first", ", first" },
        { "xxmaj 😀 xxmaj élan", "😀 Élan" },
    };

    [Theory]
    [MemberData(nameof(Tokens))]
    public void ToText_OfAnyTokens_IsATextWithoutSpecialOnes(string tokens, string expected) =>
        Assert.Equal(expected, Detokenizer.ToText(tokens.Split(' ', StringSplitOptions.RemoveEmptyEntries)));

    [Fact]
    public void ToText_OfRandomTokens_NamesNoSpecialToken()
    {
        string[] tokens = [.. SpecialTokens.All, SpecialTokens.Filler, "\n", "\n\n", "\"", "'", "-", "/", "(", ")", "3", "100", "the", "i", "'s", "n't", "can", "not", ".", "€", "😀"];
        var random = new Random(1);
        for (int i = 0; i < 2000; i++)
        {
            string text = Detokenizer.ToText([.. Enumerable.Range(0, random.Next(30)).Select(_ => tokens[random.Next(tokens.Length)])]);
            Assert.DoesNotContain("xx", text, StringComparison.Ordinal);
            Assert.DoesNotContain("  ", text, StringComparison.Ordinal);
        }
    }
}
