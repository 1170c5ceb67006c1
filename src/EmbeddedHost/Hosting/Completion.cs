namespace EmbeddedHost;

/// <summary>Waiting at the stop.</summary>
internal static class Completion
{
    /// <summary>Waits for a task to end, whichever way, as long as the stop has time.</summary>
    /// <param name="task">What runs.</param>
    /// <param name="cancellationToken">Fires when the time is over.</param>
    public static async Task WaitAsync(Task task, CancellationToken cancellationToken)
    {
        try
        {
            await task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Either the task ended by the stop, or the stop's time is over and the process ends with it.
        }
    }
}
