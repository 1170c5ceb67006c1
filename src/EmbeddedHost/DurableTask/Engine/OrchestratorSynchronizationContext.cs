namespace EmbeddedHost.Durable;

/// <summary>
/// Runs an orchestrator's continuations on the one thread that runs its turn. A continuation that comes from another thread means
/// that the orchestrator awaited something else than durable tasks; it is not run, and the turn is told.
/// </summary>
internal sealed class OrchestratorSynchronizationContext : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Callback, object? State)> queue = [];
    private int thread;
    private int foreignPosts;

    public bool IsOrchestratorThread => Volatile.Read(ref thread) == Environment.CurrentManagedThreadId;

    public bool HasForeignPosts => Volatile.Read(ref foreignPosts) > 0;

    /// <summary>Makes the calling thread the orchestrator's for the time of a call.</summary>
    public void Run(Action turn)
    {
        SynchronizationContext? previous = Current;
        SetSynchronizationContext(this);
        Volatile.Write(ref thread, Environment.CurrentManagedThreadId);
        try
        {
            turn();
        }
        finally
        {
            Volatile.Write(ref thread, 0);
            SetSynchronizationContext(previous);
        }
    }

    /// <summary>Runs the continuations that are ready.</summary>
    public void RunReady()
    {
        while (queue.TryDequeue(out (SendOrPostCallback Callback, object? State) ready))
        {
            ready.Callback(ready.State);
        }
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        if (IsOrchestratorThread)
        {
            queue.Enqueue((d, state));
        }
        else
        {
            Interlocked.Increment(ref foreignPosts);
        }
    }

    public override void Send(SendOrPostCallback d, object? state)
    {
        if (!IsOrchestratorThread)
        {
            throw new InvalidOperationException(OrchestratorContext.IllegalAwait);
        }

        d(state);
    }

    public override SynchronizationContext CreateCopy() => this;
}
