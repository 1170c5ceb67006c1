using Ulmfit.Text;

namespace Ulmfit.Tests.Text;

public sealed class TokenTallyTests
{
    [Fact]
    public void Add_Texts_CountsTokensWordsAndThoseThatNobodyKnows()
    {
        var vocabulary = Vocabulary.FromTokens([.. SpecialTokens.All, "good", "bad"]);
        var tally = new TokenTally();

        Parallel.For(0, 100, _ => tally.Add(vocabulary.Encode(["xxbos", "xxmaj", "good", "bad", "worse"])));

        Assert.Equal((500, 300, 100), (tally.Tokens, tally.Words, tally.UnknownWords));
    }
}
