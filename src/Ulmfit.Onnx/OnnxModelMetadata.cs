using Ulmfit.Metrics;

namespace Ulmfit.Onnx;

/// <summary>What an ONNX file says of itself beside its graph.</summary>
/// <param name="Labels">Name of each class, in the order of the output; distinct.</param>
/// <param name="Producer">What made the file, for <c>producer_name</c>.</param>
/// <param name="Properties">
/// Further entries of <c>metadata_props</c>, such as the digest of the vocabulary; written in ordinal order of their keys.
/// Those keys of <see cref="OnnxMetadataKeys"/> that the writer fills in itself are refused.
/// </param>
public sealed record OnnxModelMetadata(IReadOnlyList<string> Labels, string Producer, IReadOnlyDictionary<string, string> Properties)
{
    /// <summary>What its probabilities are scaled with to be calibrated; 1 for not at all. See <see cref="OnnxMetadataKeys.Temperature"/>.</summary>
    public double Temperature { get; init; } = TemperatureScaling.None;
}
