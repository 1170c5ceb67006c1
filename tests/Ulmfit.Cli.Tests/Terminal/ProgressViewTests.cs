using Spectre.Console;
using Ulmfit.Cli.Terminal;

namespace Ulmfit.Cli.Tests.Terminal;

public sealed class ProgressViewTests
{
    [Fact]
    public void Render_TwoLanes_ShowsStageBarsLossAndTimeLeft()
    {
        var view = new ProgressView();
        foreach (double loss in (double[])[4, 3, 2, 1])
        {
            view.Update(new WorkProgress("tickets-3", [Forward(loss), Forward(loss) with { Name = "backward", Place = "lm  epoch 2/6", Step = 0 }], 0.25, TimeSpan.FromMinutes(12.5)));
        }

        string[] lines = Render(view, 80);

        Assert.Equal(
        [
            "forward  last-2  epoch 3/6",
            "  " + new string('█', 20) + new string('░', 20) + "  step 5/10",
            "  loss 1.0000 █▆▃▁  lr 2.1e-3  12,431 tokens/s",
            "backward  lm  epoch 2/6",
            "  " + new string('░', 40) + "  step 0/10",
            "  loss 1.0000 █▆▃▁  lr 2.1e-3  12,431 tokens/s",
            "tickets-3  " + new string('█', 10) + new string('░', 30) + "  25 %  12 min left",
        ], lines);
    }

    [Theory]
    [InlineData(20)]
    [InlineData(41)]
    [InlineData(80)]
    [InlineData(300)]
    public void Render_AnyWidth_NeverExceedsIt(int width)
    {
        var view = new ProgressView();
        for (int i = 0; i < 500; i++)
        {
            view.Update(new WorkProgress("a comparison of some length, seed 42", [Forward(1.0 / (i + 1))], 0.999, TimeSpan.FromHours(30)) { Obstacle = "waiting: the disk\nis full" });
        }

        string[] lines = Render(view, width);

        Assert.All(lines, line => Assert.True(line.Length <= width, $"'{line}' has {line.Length} characters, the terminal {width}."));
        Assert.Equal(5, lines.Length);
    }

    [Fact]
    public void Render_NextPhase_BeginsANewCurve()
    {
        var view = new ProgressView();
        foreach (double loss in (double[])[9, 8, 7])
        {
            view.Update(new WorkProgress("training", [Forward(loss)], null, null));
        }

        view.Update(new WorkProgress("training", [Forward(0.5) with { Phase = "classifier" }], null, null));

        Assert.DoesNotContain(Render(view, 80)[2], character => character is >= '▁' and <= '█');
    }

    [Fact]
    public void Render_NothingKnownYet_IsOneLine() => Assert.Equal(["…"], Render(new ProgressView(), 80));

    [Fact]
    public void Render_LossThatIsNotFinite_DrawsTheOthers()
    {
        var view = new ProgressView();
        foreach (double loss in (double[])[2, double.NaN, double.PositiveInfinity, 1])
        {
            view.Update(new WorkProgress("training", [Forward(loss)], double.NaN, null));
        }

        Assert.Contains("█▁", Render(view, 80)[2], StringComparison.Ordinal);
    }

    private static Lane Forward(double loss) => new("forward", "last-2  epoch 3/6", "lm", 5, 10, loss, 0.0021, 12_431);

    private static string[] Render(ProgressView view, int width)
    {
        using var writer = new StringWriter();
        IAnsiConsole console = RecordedScreen.ConsoleOf(writer, terminal: false, width);
        console.Write(view);
        return [.. writer.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.TrimEnd())];
    }
}
