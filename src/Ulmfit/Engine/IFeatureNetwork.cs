namespace Ulmfit.Engine;

/// <summary>An encoder that is only read: it gives a document's pooled states, and nothing in it is trained.</summary>
public interface IFeatureNetwork : IDisposable
{
    /// <summary>
    /// Concat pooling of documents, without dropout: of the last layer's outputs over a document's pooled tokens the last, the
    /// maximum and the mean. A document's bits depend neither on the others nor on its place among them.
    /// </summary>
    /// <param name="documents">Token ids, each at least one token long, in any order.</param>
    /// <param name="features">Filled with <c>[documents, 3·output]</c>.</param>
    /// <exception cref="ArgumentException">A document is empty, a token is none, or the features do not hold the documents.</exception>
    void Pool(IReadOnlyList<int[]> documents, Span<float> features);
}
