using Google.Protobuf;
using Ulmfit.Onnx.Export;
using Ulmfit.Onnx.Schema;

namespace Ulmfit.Onnx;

/// <summary>The weights that an ONNX file holds.</summary>
/// <param name="Labels">Its labels in the order of its output.</param>
/// <param name="Forward">The classifier that reads from the first token on, if there is one.</param>
/// <param name="Backward">The classifier that reads from the last token back, if there is one.</param>
public sealed record OnnxClassifierWeights(IReadOnlyList<string> Labels, DirectionWeights? Forward, DirectionWeights? Backward);

/// <summary>Reads what <see cref="OnnxClassifierWriter"/> wrote back into weights, bit for bit, so that training can start at a published model.</summary>
public static class OnnxClassifierReader
{
    /// <summary>Reads a file.</summary>
    /// <param name="model">The ONNX file.</param>
    /// <exception cref="InvalidDataException">The bytes are no such model.</exception>
    public static OnnxClassifierWeights Read(ReadOnlyMemory<byte> model)
    {
        ModelProto parsed;
        try
        {
            parsed = ModelProto.Parser.ParseFrom(model.Span);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new InvalidDataException($"The file is no ONNX model: {e.Message}", e);
        }

        Dictionary<string, string> properties = parsed.MetadataProps.DistinctBy(property => property.Key, StringComparer.Ordinal)
            .ToDictionary(property => property.Key, property => property.Value, StringComparer.Ordinal);
        if (!properties.TryGetValue(OnnxMetadataKeys.Labels, out string? labels) || !properties.TryGetValue(OnnxMetadataKeys.Directions, out string? directions))
        {
            throw new InvalidDataException($"The ONNX file is no ULMFiT classifier: it lacks the metadata '{OnnxMetadataKeys.Labels}' and '{OnnxMetadataKeys.Directions}'.");
        }

        var constants = new GraphConstants(parsed.Graph);
        string[] names = directions.Split(',');
        return new OnnxClassifierWeights(
            ModelDescription.ParseLabels(labels),
            names.Contains(DirectionGraph.Forward, StringComparer.Ordinal) ? DirectionGraph.Read(constants, DirectionGraph.Forward) : null,
            names.Contains(DirectionGraph.Backward, StringComparer.Ordinal) ? DirectionGraph.Read(constants, DirectionGraph.Backward) : null);
    }
}
