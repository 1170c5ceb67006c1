using System.Diagnostics;

namespace Ulmfit.Storage.Tests;

/// <summary>Waits for a condition.</summary>
internal static class Eventually
{
    /// <summary>Looks again and again until the condition holds; fails when it does not within a minute.</summary>
    public static async Task TrueAsync(Func<Task<bool>> condition, string what, CancellationToken ct)
    {
        for (var clock = Stopwatch.StartNew(); !await condition();)
        {
            Assert.True(clock.Elapsed < TimeSpan.FromMinutes(1), $"In vain waited for: {what}");
            await Task.Delay(20, ct);
        }
    }
}
