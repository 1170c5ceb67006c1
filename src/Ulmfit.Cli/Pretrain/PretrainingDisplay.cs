using System.Diagnostics;
using System.Globalization;
using Spectre.Console;
using Ulmfit.Training;

namespace Ulmfit.Cli.Pretrain;

/// <summary>What a person sees of a pretraining: a bar on a terminal; in a file, a line now and then.</summary>
internal sealed class PretrainingDisplay
{
    private static readonly TimeSpan LineEvery = TimeSpan.FromSeconds(30);

    private readonly ProgressContext? live;
    private ProgressTask? task;
    private string name = "";
    private int first;
    private long begun;
    private long written;

    private PretrainingDisplay(ProgressContext? live) => this.live = live;

    public static void Show(Action<PretrainingDisplay> work)
    {
        if (Console.IsOutputRedirected)
        {
            work(new PretrainingDisplay(null));
            return;
        }

        AnsiConsole.Progress().AutoClear(true).HideCompleted(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context => work(new PretrainingDisplay(context)));
    }

    /// <summary>A line that stays; in a file it is not wrapped.</summary>
    public static void Write(string line)
    {
        if (Console.IsOutputRedirected)
        {
            Console.WriteLine(line);
        }
        else
        {
            AnsiConsole.WriteLine(line);
        }
    }

    public void Begin(Direction direction, int step, int steps)
    {
        name = direction.ToString().ToLowerInvariant();
        first = step;
        begun = written = Stopwatch.GetTimestamp();
        task?.StopTask();
        task = live?.AddTask(name, maxValue: steps);
        task?.Increment(step);
    }

    public void Report(PretrainingProgress progress)
    {
        string where = string.Create(
            CultureInfo.InvariantCulture,
            $"{name,-8}  step {progress.Step}/{progress.Steps}  epoch {progress.Epochs:F2}  loss {progress.Loss:F3}  lr {progress.LearningRate:E1}  {progress.TokensPerSecond:F0} tokens/s");
        if (task is not null)
        {
            task.Value = progress.Step;
            task.Description = where;
        }
        else if (Stopwatch.GetElapsedTime(written) >= LineEvery)
        {
            written = Stopwatch.GetTimestamp();
            Write($"{where}  {Duration(Stopwatch.GetElapsedTime(begun) / (progress.Step - first) * (progress.Steps - progress.Step))} left");
        }
    }

    /// <summary>The line of a checkpoint.</summary>
    public void Report(PretrainingMetrics metrics) => Write(string.Create(
        CultureInfo.InvariantCulture,
        $"{name,-8}  step {metrics.Step}/{metrics.Steps}  epoch {metrics.Epochs:F2}  train loss {metrics.TrainLoss:F4}  held-out perplexity {metrics.Perplexity:F2}  lr {metrics.LearningRate:E1}  {metrics.Seconds:F1} s  checkpoint"));

    private static string Duration(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours} h {time.Minutes} min")
        : string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalMinutes} min {time.Seconds} s");
}
