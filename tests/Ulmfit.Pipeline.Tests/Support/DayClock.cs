namespace Ulmfit.Pipeline.Tests.Support;

/// <summary>A clock whose day the test sets.</summary>
internal sealed class DayClock(DateOnly day) : TimeProvider
{
    private DateTimeOffset now = new(day, new TimeOnly(23, 59), TimeSpan.Zero);

    public DateOnly Today => DateOnly.FromDateTime(now.UtcDateTime);

    public override DateTimeOffset GetUtcNow() => now;

    public void Advance(int days) => now = now.AddDays(days);
}
