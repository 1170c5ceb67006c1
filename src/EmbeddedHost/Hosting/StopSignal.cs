namespace EmbeddedHost;

/// <summary>Tells running invocations that the host stops.</summary>
internal sealed class StopSignal : IDisposable
{
    /// <summary>How long open HTTP requests may take to end by themselves before they are aborted, so that a page that listens does not hold up the stop.</summary>
    public static readonly TimeSpan RequestGrace = TimeSpan.FromSeconds(3);

    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _grace;

    public StopSignal(TimeProvider time) => _grace = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);

    /// <summary>Cancelled as soon as the host stops.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Cancelled when open requests have had their time.</summary>
    public CancellationToken RequestsEnd => _grace.Token;

    public void Raise()
    {
        _grace.CancelAfter(RequestGrace);
        _stopping.Cancel();
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _grace.Dispose();
    }
}
