namespace EmbeddedHost.Tests.DurableTask;

/// <summary>Waits for a condition that no event tells of.</summary>
internal static class Eventually
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    public static async Task TrueAsync(Func<bool> condition)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < s_patience, "The awaited condition did not come true.");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    public static async Task TrueAsync(Func<Task<bool>> condition)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < s_patience, "The awaited condition did not come true.");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }
}
