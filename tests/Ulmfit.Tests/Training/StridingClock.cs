namespace Ulmfit.Tests.Training;

/// <summary>A clock that goes on by a random number of seconds whenever it is looked at; which ones follows from the seed.</summary>
internal sealed class StridingClock(int seed, int mostSeconds) : TimeProvider
{
    private readonly Random random = new(seed);
    private long seconds;

    public override long TimestampFrequency => 1;

    public override long GetTimestamp() => seconds += 1 + random.Next(mostSeconds);
}
