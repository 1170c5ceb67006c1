namespace EmbeddedHost.Durable;

/// <summary>Runs work in the order it came in, a bounded number at a time. The work must not throw.</summary>
internal sealed class WorkPool(int concurrency)
{
    private readonly Lock _lock = new();
    private readonly Queue<Func<Task>> _queue = [];
    private TaskCompletionSource? _idle;
    private int _running;
    private bool _closed;

    /// <summary>Adds work; false when the pool takes no more.</summary>
    public bool TryAdd(Func<Task> work)
    {
        lock (_lock)
        {
            if (_closed)
            {
                return false;
            }

            _queue.Enqueue(work);
            if (_running < concurrency)
            {
                _running++;
                _ = Task.Run(RunAsync);
            }

            return true;
        }
    }

    /// <summary>Takes no more work, and drops what has not begun unless it is to be done still.</summary>
    public void Close(bool finishQueued)
    {
        lock (_lock)
        {
            _closed = true;
            if (!finishQueued)
            {
                _queue.Clear();
            }
        }
    }

    /// <summary>Ends when no work is running or waiting.</summary>
    public Task WhenIdleAsync()
    {
        lock (_lock)
        {
            if (_running == 0)
            {
                return Task.CompletedTask;
            }

            _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _idle.Task;
        }
    }

    private async Task RunAsync()
    {
        while (true)
        {
            Func<Task>? work;
            lock (_lock)
            {
                if (!_queue.TryDequeue(out work))
                {
                    if (--_running == 0)
                    {
                        _idle?.SetResult();
                        _idle = null;
                    }

                    return;
                }
            }

            await work().ConfigureAwait(false);
        }
    }
}
