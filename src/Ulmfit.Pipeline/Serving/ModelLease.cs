using Ulmfit.Diagnostics;
using Ulmfit.Onnx;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Text;

namespace Ulmfit.Pipeline.Serving;

/// <summary>A loaded model, held for one request: it stays usable until this is disposed, whatever becomes champion meanwhile.</summary>
public sealed class ModelLease : IDisposable
{
    private readonly OnnxTextClassifier classifier;
    private readonly IDisposable hold;
    private readonly TimeProvider time;

    internal ModelLease(ModelCard card, ModelAttributes attributes, OnnxTextClassifier classifier, IDisposable hold, TimeProvider time)
    {
        Card = card;
        Attributes = attributes;
        this.classifier = classifier;
        this.hold = hold;
        this.time = time;
    }

    /// <summary>What the model is.</summary>
    public ModelCard Card { get; }

    /// <summary>The same for measurements.</summary>
    public ModelAttributes Attributes { get; }

    /// <summary>The labels in the order of the probabilities.</summary>
    public IReadOnlyList<string> Labels => classifier.Labels;

    /// <summary>SHA-256 of the ONNX file that answers.</summary>
    public string Digest => Card.Files[Card.Serves];

    /// <summary>Probabilities of the labels for each text: <c>[texts][labels]</c>.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="ct">Cancels the computation.</param>
    /// <exception cref="ClassifierBusyException">As much is waiting to be computed as may.</exception>
    public Task<float[][]> PredictAsync(IReadOnlyList<string> texts, CancellationToken ct = default) => PredictAsync(texts, tally: null, ct);

    /// <summary>The same, and counts the texts' tokens.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="tally">Gets the tokens of each text; null where nobody counts.</param>
    /// <param name="ct">Cancels the computation.</param>
    /// <exception cref="ClassifierBusyException">As much is waiting to be computed as may.</exception>
    public Task<float[][]> PredictAsync(IReadOnlyList<string> texts, TokenTally? tally, CancellationToken ct = default) =>
        classifier.PredictAsync(texts, tally, Attributes, ct);

    /// <summary>
    /// The same for the product's own work, which can wait: where others would be turned away, it comes again until there is room. It is
    /// no part of what is measured of serving.
    /// </summary>
    /// <param name="texts">The texts.</param>
    /// <param name="ct">Cancels the computation.</param>
    public Task<float[][]> PredictPatientlyAsync(IReadOnlyList<string> texts, CancellationToken ct = default) =>
        Patience.WaitAsync(() => classifier.PredictAsync(texts, ct), time, ct);

    /// <summary>How much each part of a text speaks for the label of the greatest probability, the first among equals.</summary>
    /// <param name="text">The text.</param>
    /// <param name="probabilities">What the model gave for it: <c>[labels]</c>.</param>
    /// <param name="budget">About as many tokens are computed at most.</param>
    /// <param name="ct">Cancels the computation.</param>
    /// <exception cref="TextTooLongException">The text is too long for the budget.</exception>
    /// <exception cref="ClassifierBusyException">As much is waiting to be computed as may.</exception>
    public Task<Explanation> ExplainAsync(string text, float[] probabilities, int budget, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(probabilities);
        return classifier.ExplainAsync(text, probabilities, Array.IndexOf(probabilities, probabilities.Max()), budget, ct);
    }

    /// <summary>The labels of the greatest probabilities, best first.</summary>
    /// <param name="probabilities">One row of a prediction: <c>[labels]</c>.</param>
    /// <param name="topK">How many at most, at least 1.</param>
    /// <param name="threshold">Where no label has so high a probability, the list begins with the label null and the best probability.</param>
    public IReadOnlyList<LabelScore> Rank(float[] probabilities, int topK, float threshold = 0) => classifier.Rank(probabilities, topK, threshold);

    /// <inheritdoc/>
    public void Dispose() => hold.Dispose();
}
