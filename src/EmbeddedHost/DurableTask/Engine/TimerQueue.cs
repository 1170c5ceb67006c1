namespace EmbeddedHost.Durable;

/// <summary>Runs callbacks at given times, all on one timer of the time provider. The callbacks must be short and not throw.</summary>
internal sealed class TimerQueue : IDisposable
{
    // A long wait is made of several: timers cannot be set further ahead than about 49 days, and do not follow the clock when it
    // is set or the machine has slept.
    private static readonly TimeSpan s_longestWait = TimeSpan.FromHours(1);

    private readonly Lock _lock = new();
    private readonly PriorityQueue<Action, DateTime> _queue = new();
    private readonly TimeProvider _clock;
    private readonly ITimer _timer;
    private bool _disposed;

    public TimerQueue(TimeProvider clock)
    {
        _clock = clock;
        _timer = clock.CreateTimer(_ => RunDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Add(DateTime due, Action callback)
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            _queue.Enqueue(callback, due);
            if (_queue.Peek() == callback)
            {
                Arm(due);
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _queue.Clear();
        }

        _timer.Dispose();
    }

    private void RunDue()
    {
        var due = new List<Action>();
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            DateTime now = _clock.GetUtcNow().UtcDateTime;
            while (_queue.TryPeek(out Action? callback, out DateTime at))
            {
                if (at > now)
                {
                    Arm(at);
                    break;
                }

                _queue.Dequeue();
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
        TimeSpan wait = due - _clock.GetUtcNow().UtcDateTime;
        wait = TimeSpan.FromMilliseconds(Math.Ceiling(Math.Clamp(wait.TotalMilliseconds, 0, s_longestWait.TotalMilliseconds)));
        _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }
}
