using Ulmfit.Cli.Terminal;

namespace Ulmfit.Cli.Tests.Terminal;

public sealed class LossTraceTests
{
    [Fact]
    public void ToText_FewerLossesThanColumns_HasOneEach() => Assert.Equal("█▅▁", Of(3, 2, 1.0).ToText(20, unicode: true));

    [Fact]
    public void ToText_ALineThatFallsForLong_FallsFromTheTopToTheBottom()
    {
        string text = Of([.. Enumerable.Range(0, 100_000).Select(i => 10.0 - (i * 1e-4))]).ToText(16, unicode: true);

        Assert.Equal(16, text.Length);
        Assert.Equal(('█', '▁'), (text[0], text[^1]));
        Assert.Equal(string.Concat(text.OrderDescending()), text);
    }

    [Fact]
    public void ToText_LossesThatAreEqual_AreALevelLine() => Assert.Single(Of(2, 2, 2, 2).ToText(8, unicode: true).Distinct());

    [Fact]
    public void ToText_TerminalWithoutBlocks_HasLettersAlone() => Assert.All(Of(5, 4, 3, 2).ToText(8, unicode: false), c => Assert.True(char.IsAscii(c)));

    [Fact]
    public void ToText_OneLoss_IsNoCurve() => Assert.Equal("", Of(5).ToText(8, unicode: true));

    private static LossTrace Of(params double[] losses)
    {
        var trace = new LossTrace();
        foreach (double loss in losses)
        {
            trace.Add(loss);
        }

        return trace;
    }
}
