namespace Ulmfit.Pipeline.Steps;

/// <summary>Beside a training: tells people where it is, and stops it when it is called off.</summary>
/// <typeparam name="TProgress">What the training reports.</typeparam>
/// <param name="time">The clock.</param>
/// <param name="stop">Stops the training.</param>
internal abstract class StepWatch<TProgress>(TimeProvider time, CancellationTokenSource stop) : IProgress<TProgress>, IDisposable
    where TProgress : struct
{
    private static readonly TimeSpan PollEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LogEvery = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource ended = new();
    private readonly Lock gate = new();
    private TProgress? latest;

    /// <summary>Whether the training was called off, or has ended otherwise.</summary>
    public bool IsOver { get; private set; }

    /// <summary>The newest report.</summary>
    protected TProgress? Latest
    {
        get
        {
            lock (gate)
            {
                return latest;
            }
        }
    }

    /// <inheritdoc/>
    public void Report(TProgress value)
    {
        lock (gate)
        {
            latest = value;
        }
    }

    /// <summary>Watches until <see cref="EndAsync"/>, or until the training is over.</summary>
    public async Task RunAsync()
    {
        long logged = time.GetTimestamp();
        using var timer = new PeriodicTimer(PollEvery, time);
        try
        {
            while (await timer.WaitForNextTickAsync(ended.Token).ConfigureAwait(false))
            {
                try
                {
                    if (await IsOverAsync(ended.Token).ConfigureAwait(false))
                    {
                        IsOver = true;
                        await stop.CancelAsync().ConfigureAwait(false);
                        return;
                    }
                    bool log = time.GetElapsedTime(logged) >= LogEvery;
                    if (await NoteAsync(log, ended.Token).ConfigureAwait(false) && log)
                    {
                        logged = time.GetTimestamp();
                    }
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException or PipelineException)
                {
                    OnLost(e);
                }
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
        }
    }

    /// <summary>Ends watching.</summary>
    /// <param name="pump">What <see cref="RunAsync"/> returned.</param>
    public async Task EndAsync(Task pump)
    {
        await ended.CancelAsync().ConfigureAwait(false);
        await pump.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose() => ended.Dispose();

    /// <summary>Whether the training is to stop.</summary>
    protected abstract Task<bool> IsOverAsync(CancellationToken ct);

    /// <summary>Writes down where the training is, and logs it if asked to; false while there is nothing to tell.</summary>
    protected abstract Task<bool> NoteAsync(bool log, CancellationToken ct);

    /// <summary>Tells that progress could not be written; training goes on.</summary>
    protected abstract void OnLost(Exception exception);
}
