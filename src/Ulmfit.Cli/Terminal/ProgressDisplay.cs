using System.Globalization;

namespace Ulmfit.Cli.Terminal;

/// <summary>What a person sees of a long work: on a terminal a picture that changes in place; elsewhere a line on standard error now and then.</summary>
internal sealed class ProgressDisplay
{
    private static readonly TimeSpan FrameEvery = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LineEvery = TimeSpan.FromSeconds(30);

    private readonly Screen screen;
    private readonly TimeProvider time;
    private readonly ProgressView view;
    private readonly Action? refresh;
    private long shown;
    private string? obstacle;

    private ProgressDisplay(Screen screen, TimeProvider time, ProgressView view, Action? refresh)
    {
        (this.screen, this.time, this.view, this.refresh) = (screen, time, view, refresh);
        shown = time.GetTimestamp();
    }

    /// <summary>Does work that tells how far it is.</summary>
    public static void Show(Screen screen, Action<ProgressDisplay> work) => ShowAsync(
        screen,
        TimeProvider.System,
        display =>
        {
            work(display);
            return Task.FromResult(true);
        }).GetAwaiter().GetResult();

    /// <summary>Does work that tells how far it is.</summary>
    /// <param name="screen">Where it is told.</param>
    /// <param name="time">The clock.</param>
    /// <param name="work">The work.</param>
    public static Task<T> ShowAsync<T>(Screen screen, TimeProvider time, Func<ProgressDisplay, Task<T>> work)
    {
        var view = new ProgressView();
        return screen.IsLive
            ? screen.DrawAsync(view, refresh => work(new ProgressDisplay(screen, time, view, refresh)))
            : work(new ProgressDisplay(screen, time, view, null));
    }

    /// <summary>Tells how far the work is. May be called as often as there is something new.</summary>
    public void Report(WorkProgress progress)
    {
        view.Update(progress);
        TimeSpan since = time.GetElapsedTime(shown);
        if (refresh is not null)
        {
            if (since >= FrameEvery)
            {
                shown = time.GetTimestamp();
                refresh();
            }

            return;
        }

        // What holds the work up is told when it begins, and not every time.
        if (progress.Obstacle != obstacle)
        {
            obstacle = progress.Obstacle;
            screen.Note(obstacle ?? $"{progress.Name}: going on");
        }

        if (since >= LineEvery)
        {
            shown = time.GetTimestamp();
            foreach (Lane lane in progress.Lanes)
            {
                screen.Note(LineOf(progress, lane));
            }
        }
    }

    private static string LineOf(WorkProgress progress, Lane lane) => string.Create(
        CultureInfo.InvariantCulture,
        $"{progress.Name}: {lane.Name}  {lane.Place}  step {lane.Step}/{lane.Steps}  loss {lane.Loss:F3}  lr {lane.LearningRate:E1}  {lane.TokensPerSecond:F0} tokens/s  {RemainingWork.Text(progress.Left)} left");
}
