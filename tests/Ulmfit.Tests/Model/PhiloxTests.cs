using Ulmfit.Model;

namespace Ulmfit.Tests.Model;

public sealed class PhiloxTests
{
    // The known-answer vectors of philox4x32-10 that come with Random123 (kat_vectors).
    [Theory]
    [InlineData(0x00000000u, 0x00000000u, 0x00000000u, 0x00000000u, 0x00000000u, 0x00000000u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void Block_KnownAnswerVector_GivesItsWords(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint w0, uint w1, uint w2, uint w3)
    {
        var key = new RandomKey(k0 | ((ulong)k1 << 32), (int)(c2 >> 16), (int)(c2 & 0xFFFF), (int)c1);
        var random = new Philox(key, (RandomPurpose)(c3 & 0xFF), (int)(c3 >> 8));

        Assert.Equal((w0, w1, w2, w3), random.Block(c0));
    }

    [Fact]
    public void Word_AnyIndex_IsThatWordOfItsBlock()
    {
        var random = new Philox(new RandomKey(7, 1, 2, 3), RandomPurpose.WeightDrop, 2);
        (uint w0, uint w1, uint w2, uint w3) = random.Block(5);

        Assert.Equal([w0, w1, w2, w3], Enumerable.Range(20, 4).Select(index => random.Word(index)));
    }

    [Fact]
    public void Uniform_ManyDraws_HasTheMomentsOfAUniform()
    {
        var random = new Philox(new RandomKey(1, 0, 0, 0), RandomPurpose.Initialisation);
        double[] draws = [.. Enumerable.Range(0, 100_000).Select(index => (double)random.Uniform(index))];

        Assert.All(draws, draw => Assert.InRange(draw, 0, 1 - 1e-9));
        Assert.Equal(0.5, draws.Average(), 0.005);
        Assert.Equal(1.0 / 12, draws.Average(draw => (draw - 0.5) * (draw - 0.5)), 0.002);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(0.25f)]
    [InlineData(0.5f)]
    [InlineData(0.9f)]
    public void DropThreshold_Rate_DropsThatShare(float rate)
    {
        var random = new Philox(new RandomKey(3, 0, 0, 0), RandomPurpose.InputDropout);
        uint threshold = Philox.DropThreshold(rate);

        Assert.Equal(rate, Enumerable.Range(0, 100_000).Count(index => random.Word(index) < threshold) / 100_000.0, 0.01);
    }

    [Fact]
    public void Streams_OfDifferentKeysAndPurposes_Differ()
    {
        var key = new RandomKey(1, 2, 3, 4);
        Philox[] streams =
        [
            new(key, RandomPurpose.Shuffle), new(key, RandomPurpose.BpttLength), new(key, RandomPurpose.Shuffle, 1), new(key with { Seed = 2 }, RandomPurpose.Shuffle),
            new(key with { Stage = 3 }, RandomPurpose.Shuffle), new(key with { Epoch = 4 }, RandomPurpose.Shuffle), new(key with { Step = 5 }, RandomPurpose.Shuffle),
        ];

        Assert.Equal(streams.Length, streams.Select(stream => stream.Block(0)).Distinct().Count());
    }
}
