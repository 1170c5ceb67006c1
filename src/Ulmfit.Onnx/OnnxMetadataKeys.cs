namespace Ulmfit.Onnx;

/// <summary>The entries of <c>metadata_props</c> that <see cref="OnnxClassifierWriter"/> writes into every model.</summary>
public static class OnnxMetadataKeys
{
    /// <summary>The labels in the order of the output, as a JSON array of strings.</summary>
    public const string Labels = "ulmfit.labels";

    /// <summary>The directions in the graph: <c>forward</c>, <c>backward</c> or <c>forward,backward</c>.</summary>
    public const string Directions = "ulmfit.directions";

    /// <summary>Rows of the embedding: token ids lie in [0, this).</summary>
    public const string VocabularySize = "ulmfit.vocabulary_size";

    internal static bool IsReserved(string key) => key is Labels or Directions or VocabularySize;
}
