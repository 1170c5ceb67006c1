namespace Ulmfit.Onnx;

/// <summary>As much is waiting to be computed as <see cref="ClassificationWorkersOptions"/> allow, so the request was not taken.</summary>
/// <param name="message">What is full and what to do.</param>
/// <param name="retryAfter">After about what time there will be room, at the speed of the last seconds.</param>
public sealed class ClassifierBusyException(string message, TimeSpan retryAfter) : Exception(message)
{
    /// <summary>After about what time there will be room; at least a second.</summary>
    public TimeSpan RetryAfter { get; } = retryAfter;
}
