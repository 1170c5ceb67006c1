namespace Ulmfit.Model;

/// <summary>
/// Architecture of a ULMFiT classifier: an AWD-LSTM encoder, concat pooling <c>[last, max, mean]</c> and a head of two
/// blocks of BatchNorm, dropout and a linear layer without bias, with ReLU after the first (Howard &amp; Ruder 2018, 3.3).
/// </summary>
/// <remarks>
/// A training batch of a single document has no variance: BatchNorm normalises it with the running statistics, as in
/// prediction, and leaves them as they are.
/// </remarks>
/// <param name="Encoder">The encoder.</param>
/// <param name="HeadHiddenSize">Width of the head's hidden layer; 50 in the paper.</param>
/// <param name="Classes">Number of classes, at least two.</param>
public sealed record ClassifierConfig(AwdLstmConfig Encoder, int HeadHiddenSize, int Classes)
{
    /// <summary>Epsilon of the head's BatchNorm layers (PyTorch's default).</summary>
    public const float BatchNormEpsilon = 1e-5f;

    /// <summary>Weight of a new batch in BatchNorm's running statistics (PyTorch's 0.1); the running variance takes the unbiased batch variance, as PyTorch's.</summary>
    public const float BatchNormMomentum = 0.1f;

    /// <summary>Tokens in a chunk of BPT3C, counted from the document's start: gradients go back through one chunk, the state runs on through all.</summary>
    public int ChunkLength { get; init; } = 72;

    /// <summary>
    /// Only the last this many tokens of a document are pooled; those before make the state. Gradients run to the start of
    /// a chunk that holds a pooled token, so the tokens before the pooled ones in that chunk are trained on too.
    /// </summary>
    public int MaxLength { get; init; } = 72 * 20;

    /// <summary>Width of the pooled vector: three times the embedding size.</summary>
    public int PooledSize => 3 * Encoder.EmbeddingSize;
}
