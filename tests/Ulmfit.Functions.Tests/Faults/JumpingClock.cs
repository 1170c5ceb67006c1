namespace Ulmfit.Functions.Tests.Faults;

/// <summary>A clock that nobody waits for: it jumps to whatever a timer is set to.</summary>
internal sealed class JumpingClock : TimeProvider
{
    private readonly Lock gate = new();
    private DateTimeOffset now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (gate)
        {
            return now;
        }
    }

    public override long GetTimestamp() => GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new JumpTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    private void JumpTo(DateTimeOffset due)
    {
        lock (gate)
        {
            now = due > now ? due : now;
        }
    }

    private sealed class JumpTimer(JumpingClock clock, Action run) : ITimer
    {
        private int setting;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            int own = Interlocked.Increment(ref setting);
            if (dueTime != Timeout.InfiniteTimeSpan)
            {
                DateTimeOffset due = clock.GetUtcNow() + dueTime;

                // Not on this thread: who sets a timer does not expect to be called back at once.
                _ = Task.Run(() =>
                {
                    if (Volatile.Read(ref setting) == own)
                    {
                        clock.JumpTo(due);
                        run();
                    }
                });
            }
            return true;
        }

        public void Dispose() => Interlocked.Increment(ref setting);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>A wall clock that jumps back and forth by up to a year at every look. Timers and durations are the system's.</summary>
internal sealed class ErraticClock(FaultPlan plan) : TimeProvider
{
    private int looks;

    public override DateTimeOffset GetUtcNow() =>
        new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero) + TimeSpan.FromSeconds(plan.Draw("clock", Interlocked.Increment(ref looks), 365 * 86_400));
}
