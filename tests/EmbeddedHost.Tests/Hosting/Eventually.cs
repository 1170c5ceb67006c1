using System.Diagnostics;

namespace EmbeddedHost.Tests.Hosting;

/// <summary>Waits for a condition.</summary>
internal static class Eventually
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    /// <summary>Looks again and again until the condition holds; fails when it does not in time.</summary>
    public static async Task TrueAsync(Func<bool> condition, string what) =>
        await TrueAsync(() => Task.FromResult(condition()), what);

    /// <summary>Looks again and again until the condition holds; fails when it does not in time.</summary>
    public static async Task TrueAsync(Func<Task<bool>> condition, string what)
    {
        for (var clock = Stopwatch.StartNew(); !await condition();)
        {
            Assert.True(clock.Elapsed < s_limit, $"In vain waited for: {what}");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }
}
