using Ulmfit.Onnx;
using Ulmfit.Pipeline.Registry;

namespace Ulmfit.Pipeline.Serving;

/// <summary>A loaded model, held for one request: it stays usable until this is disposed, whatever becomes champion meanwhile.</summary>
public sealed class ModelLease : IDisposable
{
    private readonly IDisposable hold;

    internal ModelLease(ModelCard card, OnnxTextClassifier classifier, IDisposable hold)
    {
        Card = card;
        Classifier = classifier;
        this.hold = hold;
    }

    /// <summary>What the model is.</summary>
    public ModelCard Card { get; }

    /// <summary>The classifier.</summary>
    public OnnxTextClassifier Classifier { get; }

    /// <summary>SHA-256 of the ONNX file.</summary>
    public string Digest => Card.Files[ModelFiles.Model];

    /// <inheritdoc/>
    public void Dispose() => hold.Dispose();
}
