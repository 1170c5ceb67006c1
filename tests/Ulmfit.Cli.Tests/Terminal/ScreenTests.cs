using Spectre.Console;
using Ulmfit.Cli.Terminal;
using Ulmfit.Training;

namespace Ulmfit.Cli.Tests.Terminal;

public sealed class ScreenTests
{
    private static readonly Lane Training = new("forward", "lm  epoch 1/2", "lm", 1, 10, 3, 0.001, 100);

    [Fact]
    public void Line_OutputIsAFile_IsNeverWrapped()
    {
        var recorded = new RecordedScreen(outputIsTerminal: false, errorIsTerminal: true, width: 20);
        string line = string.Join(' ', Enumerable.Repeat("word", 50));

        recorded.Screen.Line(line);

        Assert.Equal(line + Environment.NewLine, recorded.Output);
        Assert.Equal("", recorded.Error);
    }

    [Fact]
    public void Line_WithEscapes_SendsNoneToATerminal()
    {
        var recorded = new RecordedScreen(outputIsTerminal: true, errorIsTerminal: true);

        recorded.Screen.Line("a label \u001b[2J\u0007of somebody");

        Assert.DoesNotContain('\u001b', recorded.Output);
        Assert.Contains("of somebody", recorded.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Show_BothAreTerminals_LinesAppearAboveThePictureWhichIsGoneInTheEnd()
    {
        var recorded = new RecordedScreen(outputIsTerminal: true, errorIsTerminal: true);

        ProgressDisplay.Show(recorded.Screen, display =>
        {
            display.Report(new WorkProgress("training", [Training], 0.1, null));
            recorded.Screen.Line("an epoch has ended");
        });
        recorded.Screen.Line("result");

        Assert.Contains("an epoch has ended", recorded.Error, StringComparison.Ordinal);
        Assert.Contains("step 1/10", recorded.Error, StringComparison.Ordinal);
        Assert.EndsWith("\u001b[?25h", recorded.Error, StringComparison.Ordinal);
        Assert.Equal("result" + Environment.NewLine, recorded.Output);
    }

    [Fact]
    public void Show_OutputIsAFile_PictureAndLinesDoNotMix()
    {
        var recorded = new RecordedScreen(outputIsTerminal: false, errorIsTerminal: true);

        ProgressDisplay.Show(recorded.Screen, display =>
        {
            display.Report(new WorkProgress("training", [Training], 0.1, null));
            recorded.Screen.Line("an epoch has ended");
        });

        Assert.Equal("an epoch has ended" + Environment.NewLine, recorded.Output);
        Assert.Contains("step 1/10", recorded.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Show_WorkThatFails_LeavesTheCursorAsItWas()
    {
        var recorded = new RecordedScreen(outputIsTerminal: true, errorIsTerminal: true);

        Assert.Throws<OperationCanceledException>(() => ProgressDisplay.Show(recorded.Screen, _ => throw new OperationCanceledException()));

        Assert.Contains("\u001b[?25l", recorded.Error, StringComparison.Ordinal);
        Assert.EndsWith("\u001b[?25h", recorded.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Report_NoTerminal_IsALineEveryHalfMinuteAndTheObstacleAtOnce()
    {
        var recorded = new RecordedScreen(outputIsTerminal: false, errorIsTerminal: false);
        var clock = new HandClock();

        await ProgressDisplay.ShowAsync(recorded.Screen, clock, display =>
        {
            for (int second = 0; second < 65; second++)
            {
                clock.Advance(TimeSpan.FromSeconds(1));
                display.Report(new WorkProgress("training", [Training with { Step = second }], 0.5, TimeSpan.FromMinutes(3)) { Obstacle = second is > 40 and < 50 ? "the disk is full" : null });
            }

            return Task.FromResult(0);
        });

        Assert.Equal("", recorded.Output);
        Assert.Equal(
        [
            "training: forward  lm  epoch 1/2  step 29/10  loss 3.000  lr 1.0E-003  100 tokens/s  3 min left",
            "the disk is full",
            "training: going on",
            "training: forward  lm  epoch 1/2  step 59/10  loss 3.000  lr 1.0E-003  100 tokens/s  3 min left",
        ], recorded.Error.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void Add_ToAFile_IsTheLineThatScriptsRead()
    {
        var recorded = new RecordedScreen(outputIsTerminal: false, errorIsTerminal: false);

        new EpochTable(recorded.Screen).Add(Direction.Forward, Epoch(1, 0.5));

        Assert.Equal("forward   last-2          1/3    lr 1.0E-002  train loss 0.6000  held-out loss 0.5000  accuracy 81.2 %  2.0 s" + Environment.NewLine, recorded.Output);
    }

    [Fact]
    public void Add_ToATerminal_HasOneHeadingAndColumnsUnderIt()
    {
        var recorded = new RecordedScreen(outputIsTerminal: true, errorIsTerminal: true, width: 110);
        var table = new EpochTable(recorded.Screen);

        table.Add(Direction.Forward, Epoch(1, 0.5));
        table.Add(Direction.Forward, Epoch(2, 0.6) with { Restored = new RestoredEpoch("last-2", 1) });

        // Bold is no colour: the heading has it in any case.
        string[] lines = recorded.Output.Replace("\u001b[1m", "", StringComparison.Ordinal).Replace("\u001b[0m", "", StringComparison.Ordinal).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("direction  stage           epoch       lr  train loss  held-out  score                         time", lines[0].TrimEnd());
        Assert.Equal("forward    last-2            1/3   1.0e-2      0.6000    0.5000  accuracy 81.2 %, F1 0.800      2 s", lines[1].TrimEnd());
        Assert.Contains("goes on from last-2 1", lines[3], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, null, null, true)]
    [InlineData(true, null, null, false)]
    [InlineData(false, "1", null, false)]
    [InlineData(false, null, "dumb", false)]
    public void ConsoleOf_Environment_DecidesAboutColours(bool redirected, string? noColor, string? terminal, bool coloured)
    {
        // The variables of a process are its own: what the test finds there is put back.
        (string? colours, string? kind) = (Environment.GetEnvironmentVariable("NO_COLOR"), Environment.GetEnvironmentVariable("TERM"));
        try
        {
            Environment.SetEnvironmentVariable("NO_COLOR", noColor);
            Environment.SetEnvironmentVariable("TERM", terminal ?? "xterm-256color");
            using var writer = new StringWriter();
            IAnsiConsole console = Screen.ConsoleOf(writer, redirected);

            console.Write(new Spectre.Console.Text("words", new Style(Color.Red)));

            Assert.Equal(coloured, writer.ToString().Contains("\u001b[38", StringComparison.Ordinal) || writer.ToString().Contains("\u001b[31m", StringComparison.Ordinal) || writer.ToString().Contains("\u001b[91m", StringComparison.Ordinal));
            Assert.Contains("words", writer.ToString(), StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable("NO_COLOR", colours);
            Environment.SetEnvironmentVariable("TERM", kind);
        }
    }

    private static EpochMetrics Epoch(int epoch, double heldOut) => new("last-2", StageKind.Classifier, epoch, 3, 0.6, heldOut, null, 0.7, 0.8125, 0.01, 12, 2) { MacroF1 = 0.8 };

    private sealed class HandClock : TimeProvider
    {
        private long ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => ticks;

        public void Advance(TimeSpan time) => ticks += time.Ticks;
    }
}
