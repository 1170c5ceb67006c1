using Microsoft.DurableTask;

namespace EmbeddedHost.Durable;

/// <summary>The events of one execution: who waits for them, and those that nobody has waited for yet.</summary>
internal sealed class ExternalEvents(DataConverter converter)
{
    private readonly Dictionary<string, Stack<Waiter>> waiters = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<EventRaised> buffer = [];

    public bool HasWaiters => waiters.Values.Any(stack => stack.Any(waiter => !waiter.IsDone));

    public Task<T> WaitAsync<T>(string name, CancellationToken cancellationToken)
    {
        if (!waiters.TryGetValue(name, out Stack<Waiter>? stack))
        {
            waiters[name] = stack = new Stack<Waiter>();
        }

        Trim(stack);
        if (stack.TryPeek(out Waiter? other) && other.Type != typeof(T))
        {
            throw new ArgumentException(
                $"Events with the same name must have the same type argument. Expected {other.Type.FullName} but was requested {typeof(T).FullName}.");
        }

        var waiter = new Waiter<T>();
        int buffered = buffer.FindIndex(raised => string.Equals(raised.Name, name, StringComparison.OrdinalIgnoreCase));
        if (buffered >= 0)
        {
            string? payload = buffer[buffered].Input;
            buffer.RemoveAt(buffered);
            waiter.Complete(payload, converter);
        }
        else
        {
            stack.Push(waiter);
            waiter.CancelWith(cancellationToken);
        }

        return waiter.Task;
    }

    /// <summary>Gives an event to the newest waiter, or keeps it. A waiter that was cancelled takes none.</summary>
    public void Raise(EventRaised raised)
    {
        if (waiters.TryGetValue(raised.Name, out Stack<Waiter>? stack))
        {
            Trim(stack);
            if (stack.TryPop(out Waiter? newest))
            {
                newest.Complete(raised.Input, converter);
                return;
            }
        }

        buffer.Add(raised);
    }

    /// <summary>Takes out the events that nobody has waited for.</summary>
    public IReadOnlyList<EventRaised> TakeBuffered()
    {
        EventRaised[] buffered = [.. buffer];
        buffer.Clear();
        return buffered;
    }

    private static void Trim(Stack<Waiter> stack)
    {
        while (stack.TryPeek(out Waiter? newest) && newest.IsDone)
        {
            stack.Pop();
        }
    }

    private abstract class Waiter
    {
        public abstract Type Type { get; }

        public abstract bool IsDone { get; }

        public abstract void Complete(string? payload, DataConverter converter);
    }

    private sealed class Waiter<T> : Waiter
    {
        private readonly TaskCompletionSource<T> source = new();

        public override Type Type => typeof(T);

        public override bool IsDone => source.Task.IsCompleted;

        public Task<T> Task => source.Task;

        public void CancelWith(CancellationToken cancellationToken) =>
            cancellationToken.Register(() => source.TrySetCanceled(cancellationToken));

        public override void Complete(string? payload, DataConverter converter)
        {
            try
            {
                source.TrySetResult(converter.Deserialize<T>(payload)!);
            }
#pragma warning disable CA1031 // Whatever the payload's converter throws is the waiter's to see.
            catch (Exception e)
#pragma warning restore CA1031
            {
                source.TrySetException(e);
            }
        }
    }
}
