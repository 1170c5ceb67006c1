using System.Collections.Concurrent;
using Ulmfit.Storage;

namespace Ulmfit.Pipeline.Runs;

/// <summary>
/// What the work on data sets is held up by: a storage that fails while a step is tried again and again. It is kept in memory and not
/// in the storage, which is what fails; another process knows nothing of it. Members may be called at once.
/// </summary>
public sealed class RunWaits
{
    private readonly ConcurrentDictionary<(string Dataset, string Step), RunWait> waits = new();
    private readonly TimeProvider time;

    /// <summary>Makes it.</summary>
    /// <param name="time">The clock.</param>
    public RunWaits(TimeProvider time) => this.time = time;

    /// <summary>Runs a step. A failure of the storage is noted until the step has been done, and thrown on.</summary>
    /// <typeparam name="T">What the step gives.</typeparam>
    /// <param name="dataset">The data set that the step is for.</param>
    /// <param name="step">The step.</param>
    /// <param name="work">Does it.</param>
    public async Task<T> WatchAsync<T>(string dataset, string step, Func<Task<T>> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        try
        {
            T result = await work().ConfigureAwait(false);
            waits.TryRemove((dataset, step), out _);
            return result;
        }
        catch (Exception e) when (StorageFailures.Of(e) is { } failure)
        {
            waits.AddOrUpdate(
                (dataset, step),
                _ => new RunWait(failure, e.Message, time.GetUtcNow()),
                (_, before) => before with { Failure = failure, Reason = e.Message });
            throw;
        }
        catch
        {
            waits.TryRemove((dataset, step), out _);
            throw;
        }
    }

    /// <summary>Forgets what a step was held up by: it is given up, and whoever tries it again notes it anew.</summary>
    internal void Clear(string dataset, string step) => waits.TryRemove((dataset, step), out _);

    /// <summary>What holds up a data set; null when nothing does.</summary>
    /// <param name="dataset">The data set.</param>
    public RunWait? Find(string dataset) =>
        waits.Where(wait => wait.Key.Dataset == dataset).Select(wait => wait.Value).MinBy(wait => wait.Since);
}

/// <summary>Why work does not go on. It is tried again, and goes on by itself when the cause is gone.</summary>
/// <param name="Failure">What kind of failure it is.</param>
/// <param name="Reason">What is wrong and what to do.</param>
/// <param name="Since">When the step failed first.</param>
public sealed record RunWait(StorageFailure Failure, string Reason, DateTimeOffset Since);
