namespace Ulmfit.Onnx;

/// <summary>A label with its probability.</summary>
/// <param name="Label">The label.</param>
/// <param name="Score">Its probability, in [0, 1].</param>
public readonly record struct LabelScore(string Label, float Score);
