using System.Diagnostics;

namespace Ulmfit.Reliability.Load;

/// <summary>Looks at the host's resident memory every second.</summary>
internal sealed class MemorySampler(HostUnderTest host)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    // A single look may fall just before or just after a collection.
    private const int Looks = 10;

    private readonly List<long> samples = [];

    /// <summary>Bytes around the end of the first minute, as a median; null where there was no whole minute before.</summary>
    public long? AfterTheFirstMinute => samples.Count < 60 + (2 * Looks) ? null : Median(samples[60..(60 + Looks)]);

    /// <summary>Bytes at the end, as a median.</summary>
    public long? AtTheEnd => samples.Count < Looks ? null : Median(samples[^Looks..]);

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
