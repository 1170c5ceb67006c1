using System.Diagnostics;

namespace Ulmfit.Pipeline.Tests.Support;

/// <summary>Waits for a condition.</summary>
internal static class Wait
{
    public static Task UntilAsync(Func<bool> condition, string what, TimeSpan? atMost = null) =>
        UntilAsync(() => Task.FromResult(condition()), what, atMost);

    public static async Task UntilAsync(Func<Task<bool>> condition, string what, TimeSpan? atMost = null)
    {
        TimeSpan limit = atMost ?? TimeSpan.FromSeconds(60);
        long began = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < limit, $"Waited {limit.TotalSeconds} s in vain: {what}.");
            await Task.Delay(TimeSpan.FromMilliseconds(5), TestContext.Current.CancellationToken);
        }
    }
}
