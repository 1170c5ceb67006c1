namespace Ulmfit.Model;

/// <summary>
/// Architecture of an AWD-LSTM (Merity et al. 2017): an embedding and <see cref="Layers"/> LSTM layers, of which the last
/// projects back to the embedding size so that the decoder can be tied to the embedding, unless
/// <see cref="ProjectsToEmbedding"/> is false.
/// </summary>
/// <param name="VocabularySize">Rows of the embedding and of the tied decoder.</param>
/// <param name="EmbeddingSize">Width of the embedding and, where it projects back, of the last layer's output.</param>
/// <param name="HiddenSize">Width of the other layers.</param>
/// <param name="Layers">Number of LSTM layers, at least one.</param>
public sealed record AwdLstmConfig(int VocabularySize, int EmbeddingSize, int HiddenSize, int Layers)
{
    /// <summary>Whether the last layer is as wide as the embedding, as a tied decoder needs it; a plain LSTM's is as wide as its others.</summary>
    public bool ProjectsToEmbedding { get; init; } = true;

    /// <summary>Width of the last layer's output.</summary>
    public int OutputSize => OutputSizeOf(Layers - 1);

    /// <summary>Input width of layer <paramref name="layer"/>.</summary>
    public int InputSizeOf(int layer) => layer == 0 ? EmbeddingSize : HiddenSize;

    /// <summary>Output width of layer <paramref name="layer"/>.</summary>
    public int OutputSizeOf(int layer) => layer == Layers - 1 && ProjectsToEmbedding ? EmbeddingSize : HiddenSize;

    /// <summary>This configuration, if its sizes make sense.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public AwdLstmConfig Validated()
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(VocabularySize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(EmbeddingSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(HiddenSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(Layers);
        return this;
    }
}
