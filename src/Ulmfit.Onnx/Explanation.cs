namespace Ulmfit.Onnx;

/// <summary>How much each part of a text spoke for a label (<see cref="OnnxTextClassifier.ExplainAsync"/>).</summary>
/// <param name="Label">The label.</param>
/// <param name="Parts">The parts in the order of the text. They do not overlap, and what lies between them is white space.</param>
public sealed record Explanation(string Label, IReadOnlyList<TextContribution> Parts)
{
    /// <summary>How it is found, by name: parts are left out.</summary>
    public const string Method = "occlusion";

    /// <summary>A text is not explained in fewer parts than this, or as many as it has words.</summary>
    public const int FewestParts = 8;
}

/// <summary>How much a part of a text spoke for a label.</summary>
/// <param name="Start">Where it begins in the text, in UTF-16 units.</param>
/// <param name="End">Where it ends: behind its last unit.</param>
/// <param name="Contribution">
/// By how much the label's log-odds, ln(p / (1 − p)), are greater with the part than without it: above 0 it speaks for the label, below 0
/// against it. Between −2 and 2 times <see cref="MostLogOdds"/>.
/// </param>
public readonly record struct TextContribution(int Start, int End, double Contribution)
{
    /// <summary>Log-odds are kept between this and its negative: beyond it, float32 has no probabilities.</summary>
    public const double MostLogOdds = 50;
}
