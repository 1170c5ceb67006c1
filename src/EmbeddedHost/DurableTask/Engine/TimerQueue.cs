namespace EmbeddedHost.Durable;

/// <summary>
/// Runs callbacks after given times, all on one timer of the time provider. The callbacks must be short and not throw. Waiting is
/// measured by the provider's time stamps, so that a clock set back holds nothing up; a machine that has slept wakes to what is due.
/// </summary>
internal sealed class TimerQueue : IDisposable
{
    // A long wait is made of several: timers cannot be set further ahead than about 49 days, and stand still while the machine sleeps.
    private static readonly TimeSpan s_longestWait = TimeSpan.FromHours(1);

    // Time stamps of the finest frequency still hold this.
    private static readonly TimeSpan s_forEver = TimeSpan.FromDays(365 * 100);

    private readonly Lock gate = new();
    private readonly TimeProvider clock;
    private readonly ITimer timer;
    private PriorityQueue<Entry, long> queue = new();
    private bool disposed;

    public TimerQueue(TimeProvider clock)
    {
        this.clock = clock;
        timer = clock.CreateTimer(_ => RunDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Add(TimeSpan wait, Action callback)
    {
        wait = wait < TimeSpan.Zero ? TimeSpan.Zero : wait < s_forEver ? wait : s_forEver;
        lock (gate)
        {
            if (disposed)
            {
                return;
            }

            long stamp = clock.GetTimestamp() + (long)Math.Ceiling(wait.TotalSeconds * clock.TimestampFrequency);
            var entry = new Entry(callback, clock.GetUtcNow() + wait);
            queue.Enqueue(entry, stamp);
            if (queue.Peek() == entry)
            {
                Arm(wait);
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

            long stamp = clock.GetTimestamp();
            while (queue.TryPeek(out Entry? entry, out long at) && at <= stamp)
            {
                due.Add(queue.Dequeue().Callback);
            }

            // Time stamps may stand still while the machine sleeps; the clock does not.
            DateTimeOffset now = clock.GetUtcNow();
            if (queue.UnorderedItems.Any(waiting => waiting.Element.Due <= now))
            {
                due.AddRange(queue.UnorderedItems.Where(waiting => waiting.Element.Due <= now).OrderBy(waiting => waiting.Priority).Select(waiting => waiting.Element.Callback));
                queue = new PriorityQueue<Entry, long>(queue.UnorderedItems.Where(waiting => waiting.Element.Due > now));
            }

            if (queue.TryPeek(out _, out long next))
            {
                Arm(clock.GetElapsedTime(stamp, next));
            }
        }

        foreach (Action callback in due)
        {
            callback();
        }
    }

    // Rounded up to a whole millisecond: system timers drop the fraction and would come too early, again and again.
    private void Arm(TimeSpan wait) => timer.Change(
        TimeSpan.FromMilliseconds(Math.Ceiling(Math.Clamp(wait.TotalMilliseconds, 0, s_longestWait.TotalMilliseconds))), Timeout.InfiniteTimeSpan);

    private sealed record Entry(Action Callback, DateTimeOffset Due);
}
