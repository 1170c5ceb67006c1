namespace EmbeddedHost.Durable;

/// <summary>Tells those who watch an instance of its next change. Keeps nothing of instances that nobody watches.</summary>
internal sealed class ChangeSignals
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Signal> signals = new(StringComparer.Ordinal);
    private Exception? end;

    /// <summary>Watches an instance from now on. Begin to watch before looking at the instance, so that no change is missed.</summary>
    public Watch Begin(string instanceId)
    {
        lock (gate)
        {
            if (!signals.TryGetValue(instanceId, out Signal? signal))
            {
                signal = new Signal(new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
                if (end is not null)
                {
                    signal.Source.SetException(end);
                    return new Watch(this, instanceId, signal);
                }

                signals.Add(instanceId, signal);
            }

            signal.Watches++;
            return new Watch(this, instanceId, signal);
        }
    }

    public void Changed(string instanceId)
    {
        lock (gate)
        {
            if (signals.Remove(instanceId, out Signal? signal))
            {
                signal.Source.SetResult();
            }
        }
    }

    /// <summary>Ends every watch, and those to come, with an exception.</summary>
    public void End(Exception exception)
    {
        lock (gate)
        {
            end = exception;
            foreach (Signal signal in signals.Values)
            {
                signal.Source.SetException(exception);
            }

            signals.Clear();
        }
    }

    private void Stop(string instanceId, Signal signal)
    {
        lock (gate)
        {
            if (--signal.Watches == 0 && signals.TryGetValue(instanceId, out Signal? current) && current == signal)
            {
                signals.Remove(instanceId);
            }
        }
    }

    /// <summary>One watch of an instance, until its next change.</summary>
    public readonly struct Watch(ChangeSignals signals, string instanceId, Signal signal) : IDisposable
    {
        /// <summary>Ends at the change.</summary>
        public Task Change => signal.Source.Task;

        public void Dispose() => signals.Stop(instanceId, signal);
    }

    public sealed class Signal(TaskCompletionSource source)
    {
        public TaskCompletionSource Source => source;

        public int Watches { get; set; }
    }
}
