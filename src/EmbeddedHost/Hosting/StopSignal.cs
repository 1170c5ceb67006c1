namespace EmbeddedHost;

/// <summary>Tells running invocations that the host stops.</summary>
internal sealed class StopSignal : IDisposable
{
    /// <summary>How long open HTTP requests may take to end by themselves before they are aborted, so that a page that listens does not hold up the stop.</summary>
    public static readonly TimeSpan RequestGrace = TimeSpan.FromSeconds(3);

    private readonly CancellationTokenSource stopping = new();
    private readonly CancellationTokenSource grace;

    public StopSignal(TimeProvider time) => grace = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);

    /// <summary>Cancelled as soon as the host stops.</summary>
    public CancellationToken Stopping => stopping.Token;

    /// <summary>Cancelled when open requests have had their time.</summary>
    public CancellationToken RequestsEnd => grace.Token;

    public void Raise()
    {
        grace.CancelAfter(RequestGrace);
        stopping.Cancel();
    }

    public void Dispose()
    {
        stopping.Dispose();
        grace.Dispose();
    }
}
