namespace Ulmfit.Model;

/// <summary>
/// Architecture of a classifier: an LSTM encoder, what is taken of its states, and a head. By default ULMFiT's, with concat
/// pooling and a head of two blocks (Howard &amp; Ruder 2018, 3.3); see <see cref="HeadKind"/>.
/// </summary>
/// <remarks>
/// A training batch of a single document has no variance: BatchNorm normalises it with the running statistics, as in
/// prediction, and leaves them as they are.
/// </remarks>
/// <param name="Encoder">The encoder.</param>
/// <param name="HeadHiddenSize">Width of the head's hidden layer; 50 in the paper, 0 of a head that has none.</param>
/// <param name="Classes">Number of classes, at least two.</param>
public sealed record ClassifierConfig(AwdLstmConfig Encoder, int HeadHiddenSize, int Classes)
{
    /// <summary>Epsilon of the head's BatchNorm layers (PyTorch's default).</summary>
    public const float BatchNormEpsilon = 1e-5f;

    /// <summary>Weight of a new batch in BatchNorm's running statistics (PyTorch's 0.1); the running variance takes the unbiased batch variance, as PyTorch's.</summary>
    public const float BatchNormMomentum = 0.1f;

    /// <summary>How the classes come from the encoder's states.</summary>
    public HeadKind Head { get; init; } = HeadKind.ConcatPooling;

    /// <summary>Tokens in a chunk of BPT3C, counted from the document's start: gradients go back through one chunk, the state runs on through all.</summary>
    public int ChunkLength { get; init; } = 72;

    /// <summary>
    /// Only the last this many tokens of a document are pooled; those before make the state. Gradients run to the start of
    /// a chunk that holds a pooled token, so the tokens before the pooled ones in that chunk are trained on too. Of no
    /// consequence to a head that takes the last state alone.
    /// </summary>
    public int MaxLength { get; init; } = 72 * 20;

    /// <summary>Width of what the head gets of a document: three times the encoder's output, or the last state.</summary>
    public int PooledSize => (Head == HeadKind.LastState ? 1 : 3) * Encoder.OutputSize;

    /// <summary>Width of the output layer: a logit a class, but one alone for two classes with <see cref="HeadKind.LastState"/>.</summary>
    public int Logits => Head == HeadKind.LastState && Classes == 2 ? 1 : Classes;

    /// <summary>A classifier with a head of <see cref="HeadKind.LastState"/>.</summary>
    public static ClassifierConfig LastState(AwdLstmConfig encoder, int classes) => new(encoder, 0, classes) { Head = HeadKind.LastState };

    /// <summary>A classifier with <see cref="HeadKind.Features"/>.</summary>
    public static ClassifierConfig Features(AwdLstmConfig encoder, int classes) => new(encoder, 0, classes) { Head = HeadKind.Features };

    /// <summary>This configuration, if its sizes make sense.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is too small, or the head has a hidden layer that its kind does not have.</exception>
    public ClassifierConfig Validated()
    {
        Encoder.Validated();
        ArgumentOutOfRangeException.ThrowIfLessThan(Classes, 2);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(ChunkLength);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxLength);
        if (Head != HeadKind.ConcatPooling)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(HeadHiddenSize, 0);
        }
        else
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(HeadHiddenSize);
        }

        return this;
    }
}
