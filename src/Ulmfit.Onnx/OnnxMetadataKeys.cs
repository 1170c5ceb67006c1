namespace Ulmfit.Onnx;

/// <summary>Entries of a model's <c>metadata_props</c>.</summary>
public static class OnnxMetadataKeys
{
    /// <summary>The labels in the order of the output, as a JSON array of strings.</summary>
    public const string Labels = "ulmfit.labels";

    /// <summary>The directions in the graph: <c>forward</c>, <c>backward</c> or <c>forward,backward</c>.</summary>
    public const string Directions = "ulmfit.directions";

    /// <summary>Rows of the embedding: token ids lie in [0, this).</summary>
    public const string VocabularySize = "ulmfit.vocabulary_size";

    /// <summary>
    /// Digest of the vocabulary that the model was trained with. Not written by the writer, which sees no vocabulary:
    /// put it among <see cref="OnnxModelMetadata.Properties"/>, and <see cref="OnnxTextClassifier.Load"/> holds it
    /// against the vocabulary that it is given.
    /// </summary>
    public const string VocabularyDigest = "ulmfit.vocabulary_digest";

    /// <summary>
    /// The temperature T of the classifier, in invariant culture; absent for 1. The graph's output is <em>not</em> scaled:
    /// who reads it without <see cref="OnnxTextClassifier"/> gets calibrated probabilities by raising them to 1/T and dividing
    /// each row by its sum (<see cref="Metrics.TemperatureScaling"/>).
    /// </summary>
    public const string Temperature = "ulmfit.temperature";

    internal static bool IsReserved(string key) => key is Labels or Directions or VocabularySize or Temperature;
}
