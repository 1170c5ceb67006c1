using Ulmfit.Text;

namespace Ulmfit.Tests.Text;

/// <summary>Where in a text its tokens come from.</summary>
public sealed class TokenLocatorTests
{
    private readonly Tokenizer tokenizer = new();

    [Theory]
    [InlineData("", "")]
    [InlineData("  \n ", "")]
    [InlineData("a small text", "a=a|small=small|text=text")]
    [InlineData("I LOVE London.", "I=i|LOVE=xxup love|London=xxmaj london|.=.")]
    [InlineData("don't", "do=do|n't=n't")]
    [InlineData("Don't!", "Do=xxmaj do|n't=n't|!=!")]
    [InlineData("so gooood!!!!", "so=so|g=g|oooo=xxrep 4 o|d=d|!!!!=xxrep 4 !")]
    [InlineData("no no no way", "no no no=xxwrep 3 no|way=way")]
    [InlineData("No No\tNo!", "No No\tNo=xxwrep 3 xxmaj no|!=!")]
    [InlineData("one\ntwo \n\n three", "one=one|\n=\n|two=two|\n\n=\n\n|three=three")]
    [InlineData("one<br />two", "one=one|<br />=\n|two=two")]
    [InlineData("Tom &amp; Jerry&#39;s", "Tom=xxmaj tom|&amp;=&|Jerry=xxmaj jerry|&#39;s='s")]
    [InlineData("wait... what", "wait=wait|...=…|what=what")]
    [InlineData("soft\u00ADware", "soft\u00ADware=software")]
    [InlineData("a <unk> b", "a=a|<unk>=xxunk|b=b")]
    [InlineData("xxbos xxmaj", "xx=xx|bos=bos|xx=xx|maj=maj")]
    [InlineData("and/or", "and=and|/=/|or=or")]
    [InlineData("2 @-@ 3", "2=2| @-@ =-|3=3")]
    [InlineData("😀😀 漢字", "😀=😀|😀=😀|漢=漢|字=字")]
    [InlineData("333 3 3", "333 3 3=xxrep xxwrep 4 3")]
    public void Locate_Text_FindsEachTokensPlace(string text, string expected)
    {
        LocatedText located = tokenizer.Locate(text);

        Assert.Equal(expected, string.Join('|', located.Words.Select(word =>
            $"{text[word.Start..word.End]}={string.Join(' ', located.Tokens.Skip(word.FirstToken).Take(word.TokenCount))}")));
    }

    [Fact]
    public void Locate_AdversarialText_PartsTheTokensAndLeavesNothingButSpaceBetweenTheWords()
    {
        var random = new RandomText(3);
        for (int round = 0; round < 20_000; round++)
        {
            AssertLaw(random.Next());
        }
    }

    [Fact]
    public void Locate_WordsWithEveryCharacter_PartsTheTokensAndLeavesNothingButSpaceBetweenTheWords()
    {
        for (int c = 0; c <= char.MaxValue; c++)
        {
            AssertLaw($"ab{(char)c} {(char)c}{(char)c}{(char)c} {(char)c}Ab. {(char)c} {(char)c} {(char)c}");
        }
    }

    private void AssertLaw(string text)
    {
        LocatedText located = tokenizer.Locate(text);
        Assert.Equal(tokenizer.Tokenize(text), located.Tokens);
        int token = 1;
        int end = 0;
        foreach (LocatedWord word in located.Words)
        {
            Assert.Equal(token, word.FirstToken);
            Assert.InRange(word.TokenCount, 1, located.Tokens.Count - token);
            Assert.InRange(word.Start, end, text.Length);
            Assert.InRange(word.End, word.Start + 1, text.Length);
            AssertNoWords(text[end..word.Start]);
            token += word.TokenCount;
            end = word.End;
        }

        Assert.Equal(located.Tokens.Count, token);
        AssertNoWords(text[end..]);
    }

    // What is between words is no word by itself either.
    private void AssertNoWords(string between) =>
        Assert.True(tokenizer.Tokenize(between).Count == 1, $"'{between}' was left out.");
}
