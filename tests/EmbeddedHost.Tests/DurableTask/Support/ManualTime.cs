namespace EmbeddedHost.Tests.DurableTask;

/// <summary>A clock that stands still until a test moves it, or that jumps to the next timer by itself.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<Timer> timers = [];
    private DateTimeOffset now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private TimeSpan setBack;

    /// <summary>Whether the clock jumps to whatever a timer is set to.</summary>
    public bool JumpsToTimers { get; init; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (gate)
        {
            return now - setBack;
        }
    }

    public override long GetTimestamp()
    {
        lock (gate)
        {
            return now.Ticks;
        }
    }

    /// <summary>Sets the clock back, as a person or a time server does. Time stamps and timers go on as before.</summary>
    public void SetBack(TimeSpan by)
    {
        lock (gate)
        {
            setBack += by;
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    public void Advance(TimeSpan by)
    {
        Timer[] due;
        lock (gate)
        {
            now += by;
            due = [.. timers.Where(timer => timer.Due <= now)];
            foreach (Timer timer in due)
            {
                timer.Due = null;
                timers.Remove(timer);
            }
        }

        foreach (Timer timer in due)
        {
            timer.Run();
        }
    }

    /// <summary>Waits until a timer is set that is due within a time from now, and moves the clock by that time.</summary>
    public async Task AdvanceOverTimerAsync(TimeSpan by)
    {
        await Eventually.TrueAsync(() =>
        {
            lock (gate)
            {
                return timers.Any(timer => timer.Due <= now + by);
            }
        });
        Advance(by);
    }

    private sealed class Timer(ManualTime clock, Action run) : ITimer
    {
        public DateTimeOffset? Due { get; set; }

        public Action Run => run;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock.gate)
            {
                clock.timers.Remove(this);
                Due = dueTime == Timeout.InfiniteTimeSpan ? null : clock.now + dueTime;
                if (Due is null)
                {
                    return true;
                }

                clock.timers.Add(this);
                if (clock.JumpsToTimers || dueTime <= TimeSpan.Zero)
                {
                    // Not on this thread: who sets a timer does not expect to be called back at once.
                    _ = Task.Run(() => clock.Advance(Max(Due - clock.now)));
                }
            }

            return true;
        }

        public void Dispose()
        {
            lock (clock.gate)
            {
                clock.timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private static TimeSpan Max(TimeSpan? by) => by > TimeSpan.Zero ? by.Value : TimeSpan.Zero;
    }
}
