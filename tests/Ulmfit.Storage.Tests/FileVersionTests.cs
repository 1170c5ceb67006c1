using Ulmfit.Storage.Folder;

namespace Ulmfit.Storage.Tests;

public sealed class FileVersionTests
{
    private const long Nanosecond = 1;
    private const long Millisecond = 1_000_000 * Nanosecond;
    private const long Second = 1000 * Millisecond;

    // A moment with a fraction of a second that only a clock with nanoseconds gives.
    private const long Changed = (1_700_000_000 * Second) + 123_456_789;

    [Theory]
    [InlineData(0, false)]
    [InlineData(10 * Millisecond, false)]
    [InlineData(-10 * Millisecond, false)]
    [InlineData(21 * Millisecond, true)]
    [InlineData(3600 * Second, true)]
    [InlineData(-3600 * Second, true)]
    public void IsSettled_OfAFileWrittenInPlace_WhenTheKernelsClockHasTicked(long age, bool expected) =>
        AssertSettled(expected, new FileVersion(EntryKind.File, 1, 1, Changed, Changed), Changed + age, within: TimeSpan.FromMilliseconds(31));

    [Theory]
    [InlineData(500 * Millisecond, false)]
    [InlineData(1999 * Millisecond, false)]
    [InlineData(2 * Second, true)]
    public void IsSettled_OnAFileSystemOfWholeSeconds_AfterTwoOfThem(long age, bool expected) =>
        AssertSettled(expected, new FileVersion(EntryKind.File, 1, 1, 1_700_000_000 * Second, 1_700_000_000 * Second), (1_700_000_000 * Second) + age, within: TimeSpan.FromSeconds(2));

    [Fact]
    public void IsSettled_OfAVersionOfTheStoresOwn_AtOnce() =>
        AssertSettled(true, new FileVersion(EntryKind.File, 1, 1, Changed - 100, Changed), Changed, within: TimeSpan.Zero);

    private static void AssertSettled(bool expected, FileVersion version, long now, TimeSpan within)
    {
        var settled = version.IsSettled(DateTimeOffset.UnixEpoch.AddTicks(now / TimeSpan.NanosecondsPerTick), out var wait);

        Assert.Equal(expected, settled);
        Assert.InRange(wait, settled ? TimeSpan.Zero : TimeSpan.FromTicks(1), settled ? TimeSpan.Zero : within);
    }
}
