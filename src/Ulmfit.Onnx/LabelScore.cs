namespace Ulmfit.Onnx;

/// <summary>A label with its probability.</summary>
/// <param name="Label">The label; null where none is certain enough for the threshold that was asked for.</param>
/// <param name="Score">Its probability, in [0, 1].</param>
public readonly record struct LabelScore(string? Label, float Score);
