namespace Ulmfit.Onnx;

/// <summary>How an <see cref="OnnxTextClassifier"/> uses the machine.</summary>
public sealed record OnnxClassifierOptions
{
    /// <summary>Threads that compute, of a classifier that has its own; see <see cref="ClassificationWorkersOptions.Workers"/>. Changes no answer.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>
    /// Threads of ONNX Runtime within one run. 1, the default, computes on the worker's own thread, which is the least work
    /// in all. More may answer a long document sooner. Each number is batch-invariant for itself; that different numbers give
    /// the same bits was seen but is not promised.
    /// </summary>
    public int IntraOpThreads { get; init; } = 1;

    /// <summary>
    /// Longest document in tokens, at least 2: it bounds the time of a request. A longer one loses its middle: its first ⌈n/2⌉
    /// and last ⌊n/2⌋ tokens stay, since the forward direction pools the end of a document and the backward direction its
    /// beginning.
    /// </summary>
    public int MaxTokens { get; init; } = 1 << 18;

    internal OnnxClassifierOptions Validated()
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(Workers);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(IntraOpThreads);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxTokens, 2);
        return this;
    }
}
