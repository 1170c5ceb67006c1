using Ulmfit.Generation;
using Ulmfit.Text;

namespace Ulmfit.Tests.Generation;

public sealed class TokenSamplerTests
{
    private static readonly Vocabulary Words = Vocabulary.FromTokens([.. SpecialTokens.All, "a", "b", "c", "xxfake", "d", "xxfake", "xxfake"]);

    private static readonly int A = Words.IdOf("a"), B = Words.IdOf("b"), C = Words.IdOf("c"), D = Words.IdOf("d");

    [Fact]
    public void Next_WithoutTemperature_IsTheLikeliestOfTheWords()
    {
        var sampler = new TokenSampler(new GenerationOptions { Temperature = 0 }, Words);
        float[] probabilities = Probabilities((SpecialTokens.UnknownId, 0.5f), (SpecialTokens.PaddingId, 0.2f), (B, 0.1f), (C, 0.1f), (A, 0.05f), (D + 1, 0.05f));

        Assert.Equal(B, sampler.Next(probabilities, mayEnd: true));
    }

    [Fact]
    public void Next_ManyTimes_DrawsInProportionAndNeverWhatStandsForNothing()
    {
        const int Draws = 20_000;
        float[] probabilities = Probabilities((SpecialTokens.UnknownId, 0.4f), (SpecialTokens.PaddingId, 0.1f), (A, 0.2f), (B, 0.1f), (C, 0.1f), (D + 1, 0.1f));
        Dictionary<int, int> counts = Count(new GenerationOptions { Temperature = 1, TopK = 0 }, probabilities, Draws);

        Assert.Equal([A, B, C], counts.Keys.Order());
        Assert.InRange(counts[A], Draws * 0.48, Draws * 0.52);
        Assert.InRange(counts[B], Draws * 0.235, Draws * 0.265);
    }

    [Fact]
    public void Next_AtATemperature_DrawsByThePower()
    {
        const int Draws = 20_000;
        Dictionary<int, int> counts = Count(new GenerationOptions { Temperature = 0.5, TopK = 0 }, Probabilities((A, 0.6f), (B, 0.2f)), Draws);

        Assert.InRange(counts[A], Draws * 0.89, Draws * 0.91);
    }

    [Fact]
    public void Next_OfTheLikeliestK_DrawsOnlyThem()
    {
        float[] probabilities = Probabilities((A, 0.1f), (B, 0.3f), (C, 0.1f), (D, 0.5f));

        Assert.Equal([B, D], Count(new GenerationOptions { Temperature = 1, TopK = 2 }, probabilities, 500).Keys.Order());
        Assert.Equal([A, B, D], Count(new GenerationOptions { Temperature = 1, TopK = 3 }, probabilities, 500).Keys.Order());
    }

    [Fact]
    public void Next_WithTheSameSeed_DrawsTheSame()
    {
        float[] probabilities = Probabilities((A, 0.3f), (B, 0.3f), (C, 0.4f));
        int[] Draw(ulong seed)
        {
            var sampler = new TokenSampler(new GenerationOptions { Seed = seed }, Words);
            return [.. Enumerable.Range(0, 50).Select(_ => sampler.Next(probabilities, mayEnd: true))];
        }

        Assert.Equal(Draw(3), Draw(3));
        Assert.NotEqual(Draw(3), Draw(4));
    }

    [Fact]
    public void Next_WhereTheTextMayNotEnd_DrawsNoEnd()
    {
        float[] probabilities = Probabilities((SpecialTokens.BeginningId, 0.6f), (SpecialTokens.EndId, 0.3f), (A, 0.1f));
        var sampler = new TokenSampler(new GenerationOptions { Temperature = 0 }, Words);

        Assert.Equal(A, sampler.Next(probabilities, mayEnd: false));
        Assert.True(TokenSampler.IsEnd(sampler.Next(probabilities, mayEnd: true)));
    }

    [Theory]
    [InlineData(-1, 0, 1)]
    [InlineData(1, -1, 1)]
    [InlineData(1, 0, -0.1)]
    [InlineData(1, 0, double.NaN)]
    [InlineData(1, 0, double.PositiveInfinity)]
    public void Validated_OptionsWithoutSense_AreRefused(int tokens, int top, double temperature) =>
        Assert.Throws<ArgumentException>(() => new GenerationOptions { Tokens = tokens, TopK = top, Temperature = temperature }.Validated());

    private static Dictionary<int, int> Count(GenerationOptions options, float[] probabilities, int draws)
    {
        var sampler = new TokenSampler(options, Words);
        return Enumerable.Range(0, draws).Select(_ => sampler.Next(probabilities, mayEnd: true)).CountBy(token => token).ToDictionary();
    }

    private static float[] Probabilities(params (int Token, float Probability)[] given)
    {
        var probabilities = new float[Words.Count];
        foreach ((int token, float probability) in given)
        {
            probabilities[token] = probability;
        }

        return probabilities;
    }
}
