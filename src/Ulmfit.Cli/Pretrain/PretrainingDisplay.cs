using System.Diagnostics;
using System.Globalization;
using Ulmfit.Cli.Terminal;
using Ulmfit.Training;

namespace Ulmfit.Cli.Pretrain;

/// <summary>What a person sees of a pretraining: the picture of its progress, and a line for each checkpoint.</summary>
/// <param name="screen">Where lines go.</param>
/// <param name="display">Where the picture is.</param>
/// <param name="directions">How many directions are trained, one after another.</param>
internal sealed class PretrainingDisplay(Screen screen, ProgressDisplay display, int directions)
{
    private int begun;
    private string name = "";
    private int first;
    private long since;

    /// <summary>A line that stays.</summary>
    public void Write(string line) => screen.Line(line);

    /// <summary>A direction begins, or goes on after so many steps.</summary>
    public void Begin(Direction direction, int step)
    {
        begun++;
        name = direction.Name();
        first = step;
        since = Stopwatch.GetTimestamp();
    }

    /// <summary>After every step.</summary>
    public void Report(PretrainingProgress progress)
    {
        TimeSpan step = Stopwatch.GetElapsedTime(since) / Math.Max(1, progress.Step - first);
        int later = directions - begun;
        display.Report(new WorkProgress(
            "pretraining",
            [new Lane(name, string.Create(CultureInfo.InvariantCulture, $"epoch {progress.Epochs:F2}"), name, progress.Step, progress.Steps, progress.Loss, progress.LearningRate, progress.TokensPerSecond)],
            (begun - 1 + ((double)progress.Step / progress.Steps)) / directions,
            step * (progress.Steps - progress.Step + ((double)later * progress.Steps))));
    }

    /// <summary>The line of a checkpoint.</summary>
    public void Report(PretrainingMetrics metrics) => Write(string.Create(
        CultureInfo.InvariantCulture,
        $"{name,-8}  step {metrics.Step}/{metrics.Steps}  epoch {metrics.Epochs:F2}  train loss {metrics.TrainLoss:F4}  held-out perplexity {metrics.Perplexity:F2}  lr {metrics.LearningRate:E1}  {metrics.Seconds:F1} s  checkpoint"));
}
