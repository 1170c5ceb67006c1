using Ulmfit.Onnx.Export;

namespace Ulmfit.Onnx;

/// <summary>The weights that an ONNX file holds.</summary>
/// <param name="Labels">Its labels in the order of its output.</param>
/// <param name="Forward">The classifier that reads from the first token on, if there is one.</param>
/// <param name="Backward">The classifier that reads from the last token back, if there is one.</param>
/// <param name="Temperature">What its probabilities are scaled with; 1 for not at all.</param>
public sealed record OnnxClassifierWeights(IReadOnlyList<string> Labels, DirectionWeights? Forward, DirectionWeights? Backward, double Temperature);

/// <summary>Reads what <see cref="OnnxClassifierWriter"/> wrote in float32 back into weights, bit for bit, so that training can start at a published model.</summary>
public static class OnnxClassifierReader
{
    /// <summary>Reads a file.</summary>
    /// <param name="model">The ONNX file.</param>
    /// <exception cref="InvalidDataException">The bytes are no such model, or one of int8.</exception>
    public static OnnxClassifierWeights Read(ReadOnlyMemory<byte> model)
    {
        var file = new OnnxFile(OnnxFile.BytesOf(model));
        var description = ModelDescription.Of(file);
        var constants = new GraphConstants(file);
        return new OnnxClassifierWeights(
            description.Labels,
            description.Directions.Contains(DirectionGraph.Forward, StringComparer.Ordinal) ? DirectionGraph.Read(constants, DirectionGraph.Forward) : null,
            description.Directions.Contains(DirectionGraph.Backward, StringComparer.Ordinal) ? DirectionGraph.Read(constants, DirectionGraph.Backward) : null,
            description.Temperature);
    }
}
