using System.Diagnostics;

namespace Ulmfit.Reliability.Load;

/// <summary>Looks at the host's resident memory every second.</summary>
internal sealed class MemorySampler(HostUnderTest host)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    // Memory goes up and down with the steps of the training and with collections: a minute has some of each.
    private const int Looks = 60;

    private readonly List<long> samples = [];

    /// <summary>Bytes after the first minute, as the median of the second; null where there are not two minutes more.</summary>
    public long? AfterTheFirstMinute => samples.Count < 3 * Looks ? null : Median(samples[Looks..(2 * Looks)]);

    /// <summary>Bytes at the end, as the median of the last minute.</summary>
    public long? AtTheEnd => samples.Count == 0 ? null : Median(samples.TakeLast(Looks));

    /// <summary>The most bytes seen.</summary>
    public long? Most => samples.Count == 0 ? null : samples.Max();

    /// <summary>Looks until it is told to stop.</summary>
    public async Task RunAsync(Action<TimeSpan, long> tell, CancellationToken stop)
    {
        long began = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(Every);
        try
        {
            while (!host.HasEnded && await timer.WaitForNextTickAsync(stop))
            {
                long bytes = host.ResidentBytes;
                samples.Add(bytes);
                tell(Stopwatch.GetElapsedTime(began), bytes);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    private static long Median(IEnumerable<long> values)
    {
        long[] ordered = [.. values.Order()];
        return ordered[ordered.Length / 2];
    }
}
