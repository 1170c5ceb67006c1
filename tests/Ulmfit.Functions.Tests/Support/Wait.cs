using System.Diagnostics;

namespace Ulmfit.Functions.Tests.Support;

/// <summary>Waits for a condition.</summary>
internal static class Wait
{
    public static Task UntilAsync(Func<Task<bool>> condition, string what, TimeSpan? atMost = null) => UntilAsync(condition, () => what, atMost);

    public static async Task UntilAsync(Func<Task<bool>> condition, Func<string> what, TimeSpan? atMost = null)
    {
        TimeSpan limit = atMost ?? TimeSpan.FromSeconds(60);
        long began = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(began) > limit)
            {
                Assert.Fail($"Waited {limit.TotalSeconds} s in vain: {what()}.");
            }
            await Task.Delay(TimeSpan.FromMilliseconds(50), TestContext.Current.CancellationToken);
        }
    }
}
