namespace Ulmfit.Onnx;

/// <summary>How many threads compute, and how much may wait for them. Changes no answer.</summary>
public sealed record ClassificationWorkersOptions
{
    /// <summary>Threads that compute, each a document or a batch at a time. One a core is best: more of them share caches and gain nothing.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>How many documents may wait or be computed before further requests are refused. A single request may be larger: it is taken while there is room for its first document.</summary>
    public int MaxDocuments { get; init; } = 1024;

    /// <summary>How many tokens may wait or be computed before further requests are refused. A single request may be larger, as above.</summary>
    public int MaxTokens { get; init; } = 131_072;

    internal ClassificationWorkersOptions Validated()
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(Workers);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxDocuments);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxTokens);
        return this;
    }
}
