using Ulmfit.Onnx;

namespace Ulmfit.Pipeline.Serving;

/// <summary>Waits where a request would be turned away.</summary>
internal static class Patience
{
    /// <summary>Tries a computation until there is room for it.</summary>
    /// <param name="computation">The computation.</param>
    /// <param name="time">The clock.</param>
    /// <param name="ct">Gives up.</param>
    public static async Task<T> WaitAsync<T>(Func<Task<T>> computation, TimeProvider time, CancellationToken ct)
    {
        while (true)
        {
            TimeSpan later;
            try
            {
                return await computation().ConfigureAwait(false);
            }
            catch (ClassifierBusyException e)
            {
                later = e.RetryAfter;
            }
            await Task.Delay(later, time, ct).ConfigureAwait(false);
        }
    }
}
