namespace Ulmfit.Pipeline.Uncertain;

/// <summary>A served text of which the model was not sure.</summary>
/// <param name="Text">The text.</param>
/// <param name="Margin">By how much the best label's probability was above the second's: 0 is a draw.</param>
/// <param name="Entropy">Of the probabilities, in nats.</param>
/// <param name="Predictions">The best labels, best first.</param>
/// <param name="Version">The version that answered.</param>
/// <param name="ServedAt">When it answered, last.</param>
public sealed record UncertainText(
    string Text, double Margin, double Entropy, IReadOnlyList<UncertainLabel> Predictions, int Version, DateTimeOffset ServedAt);

/// <summary>A label that a text might have.</summary>
/// <param name="Label">The label.</param>
/// <param name="Score">Its probability.</param>
public sealed record UncertainLabel(string Label, double Score);

/// <summary>Uncertain texts, the most uncertain first.</summary>
/// <param name="Texts">The texts.</param>
/// <param name="Next">What to ask for to get those behind; null at the end.</param>
public sealed record UncertainPage(IReadOnlyList<UncertainText> Texts, string? Next);
