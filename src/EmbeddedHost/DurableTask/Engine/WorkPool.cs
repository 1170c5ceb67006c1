namespace EmbeddedHost.Durable;

/// <summary>Runs work in the order it came in, a bounded number at a time. The work must not throw.</summary>
internal sealed class WorkPool(int concurrency)
{
    private readonly Lock gate = new();
    private readonly Queue<Func<Task>> queue = [];
    private TaskCompletionSource? idle;
    private int running;
    private bool closed;

    /// <summary>Adds work; false when the pool takes no more.</summary>
    public bool TryAdd(Func<Task> work)
    {
        lock (gate)
        {
            if (closed)
            {
                return false;
            }

            queue.Enqueue(work);
            if (running < concurrency)
            {
                running++;
                _ = Task.Run(RunAsync);
            }

            return true;
        }
    }

    /// <summary>Takes no more work, and drops what has not begun unless it is to be done still.</summary>
    public void Close(bool finishQueued)
    {
        lock (gate)
        {
            closed = true;
            if (!finishQueued)
            {
                queue.Clear();
            }
        }
    }

    /// <summary>Ends when no work is running or waiting.</summary>
    public Task WhenIdleAsync()
    {
        lock (gate)
        {
            if (running == 0)
            {
                return Task.CompletedTask;
            }

            idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return idle.Task;
        }
    }

    private async Task RunAsync()
    {
        while (true)
        {
            Func<Task>? work;
            lock (gate)
            {
                if (!queue.TryDequeue(out work))
                {
                    if (--running == 0)
                    {
                        idle?.SetResult();
                        idle = null;
                    }

                    return;
                }
            }

            await work().ConfigureAwait(false);
        }
    }
}
