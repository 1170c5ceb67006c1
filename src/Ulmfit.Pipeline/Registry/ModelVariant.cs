using Ulmfit.Onnx;

namespace Ulmfit.Pipeline.Registry;

/// <summary>A file of a version that can answer for it.</summary>
/// <param name="File">Its name among the version's files.</param>
/// <param name="Precision">What the weights of its encoder are: <c>float32</c> or <c>int8</c>.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Accuracy">The share of held-out rows that it gets right.</param>
/// <param name="MacroF1">The mean of the classes' F1 on the held-out rows.</param>
/// <param name="Speed">How fast it was where it was evaluated; no part of the choice.</param>
public sealed record ModelVariant(string File, string Precision, long Bytes, double Accuracy, double MacroF1, ClassifierSpeed Speed)
{
    /// <summary>The file that is to answer: int8, unless its macro-F1 on the held-out rows is lower than float32's by more than is tolerated.</summary>
    /// <param name="float32">The float32 variant's scores.</param>
    /// <param name="int8">The int8 variant's scores on the same rows.</param>
    /// <param name="tolerance">By how much it may be lower; null where float32 is to answer in any case.</param>
    internal static string Choose(Scores float32, Scores int8, double? tolerance) =>
        tolerance is { } allowed && int8.Rows > 0 && float32.MacroF1 - int8.MacroF1 <= allowed ? ModelFiles.Int8Model : ModelFiles.Model;
}
