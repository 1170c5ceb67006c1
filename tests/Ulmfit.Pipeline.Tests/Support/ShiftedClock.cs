namespace Ulmfit.Pipeline.Tests.Support;

/// <summary>The system's clock, put forward as a test wants it.</summary>
internal sealed class ShiftedClock : TimeProvider
{
    private long ticks;

    /// <summary>Puts it forward.</summary>
    public void Advance(TimeSpan by) => Interlocked.Add(ref ticks, by.Ticks);

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Interlocked.Read(ref ticks));
}
