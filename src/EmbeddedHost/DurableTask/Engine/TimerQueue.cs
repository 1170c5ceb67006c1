namespace EmbeddedHost.Durable;

/// <summary>Runs callbacks at given times, all on one timer of the time provider. The callbacks must be short and not throw.</summary>
internal sealed class TimerQueue : IDisposable
{
    // A long wait is made of several: timers cannot be set further ahead than about 49 days, and do not follow the clock when it
    // is set or the machine has slept.
    private static readonly TimeSpan s_longestWait = TimeSpan.FromHours(1);

    private readonly Lock gate = new();
    private readonly PriorityQueue<Action, DateTime> queue = new();
    private readonly TimeProvider clock;
    private readonly ITimer timer;
    private bool disposed;

    public TimerQueue(TimeProvider clock)
    {
        this.clock = clock;
        timer = clock.CreateTimer(_ => RunDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Add(DateTime due, Action callback)
    {
        lock (gate)
        {
            if (disposed)
            {
                return;
            }

            queue.Enqueue(callback, due);
            if (queue.Peek() == callback)
            {
                Arm(due);
            }
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
            queue.Clear();
        }

        timer.Dispose();
    }

    private void RunDue()
    {
        var due = new List<Action>();
        lock (gate)
        {
            if (disposed)
            {
                return;
            }

            DateTime now = clock.GetUtcNow().UtcDateTime;
            while (queue.TryPeek(out Action? callback, out DateTime at))
            {
                if (at > now)
                {
                    Arm(at);
                    break;
                }

                queue.Dequeue();
                due.Add(callback);
            }
        }

        foreach (Action callback in due)
        {
            callback();
        }
    }

    // Rounded up to a whole millisecond: system timers drop the fraction and would come too early, again and again.
    private void Arm(DateTime due)
    {
        TimeSpan wait = due - clock.GetUtcNow().UtcDateTime;
        wait = TimeSpan.FromMilliseconds(Math.Ceiling(Math.Clamp(wait.TotalMilliseconds, 0, s_longestWait.TotalMilliseconds)));
        timer.Change(wait, Timeout.InfiniteTimeSpan);
    }
}
