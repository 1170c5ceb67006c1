using System.Globalization;
using System.Text.Json;
using Ulmfit.Metrics;
using Ulmfit.Onnx.Export;
using Ulmfit.Text;

namespace Ulmfit.Onnx;

/// <summary>What a model says of itself in <c>metadata_props</c>.</summary>
/// <param name="Labels">Its labels in the order of its output.</param>
/// <param name="Directions">The directions that it reads in, at least one.</param>
/// <param name="VocabularySize">Rows of its embedding.</param>
/// <param name="VocabularyDigest">Digest of its vocabulary, if it was written with one.</param>
/// <param name="Temperature">What its probabilities are scaled with; 1 for models without.</param>
internal sealed record ModelDescription(IReadOnlyList<string> Labels, IReadOnlyList<string> Directions, int VocabularySize, string? VocabularyDigest, double Temperature)
{
    /// <exception cref="InvalidDataException">The model lacks what <see cref="OnnxClassifierWriter"/> writes.</exception>
    public static ModelDescription Of(OnnxFile file)
    {
        if (!file.Metadata.TryGetValue(OnnxMetadataKeys.Labels, out string? labels)
            || !file.Metadata.TryGetValue(OnnxMetadataKeys.Directions, out string? directions)
            || !file.Metadata.TryGetValue(OnnxMetadataKeys.VocabularySize, out string? size)
            || !int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out int vocabularySize)
            || directions is not (DirectionGraph.Forward or DirectionGraph.Backward or DirectionGraph.Forward + "," + DirectionGraph.Backward))
        {
            throw new InvalidDataException(
                $"The ONNX file is no ULMFiT classifier: it lacks one of the metadata '{OnnxMetadataKeys.Labels}', '{OnnxMetadataKeys.Directions}' and '{OnnxMetadataKeys.VocabularySize}', or one of them is not what is written there.");
        }

        double temperature = TemperatureScaling.None;
        if (file.Metadata.TryGetValue(OnnxMetadataKeys.Temperature, out string? text)
            && !(double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out temperature) && TemperatureScaling.IsValid(temperature)))
        {
            throw new InvalidDataException($"The metadata '{OnnxMetadataKeys.Temperature}' is '{text}', but a number in [{TemperatureScaling.Lowest}, {TemperatureScaling.Highest}] was expected.");
        }

        return new ModelDescription(ParseLabels(labels), directions.Split(','), vocabularySize, file.Metadata.GetValueOrDefault(OnnxMetadataKeys.VocabularyDigest), temperature);
    }

    /// <exception cref="InvalidDataException">They are not the model's.</exception>
    public void CheckFits(Vocabulary vocabulary, IReadOnlyList<string> labels)
    {
        if (!Labels.SequenceEqual(labels, StringComparer.Ordinal))
        {
            throw new InvalidDataException($"The model has the labels [{string.Join(", ", Labels)}], but [{string.Join(", ", labels)}] were given.");
        }

        if (vocabulary.Count != VocabularySize)
        {
            throw new InvalidDataException($"The model knows {VocabularySize} tokens, but the vocabulary has {vocabulary.Count}.");
        }

        if (VocabularyDigest is not null && VocabularyDigest != vocabulary.Digest)
        {
            throw new InvalidDataException($"The model was trained with the vocabulary {VocabularyDigest}, but {vocabulary.Digest} was given.");
        }
    }

    private static string[] ParseLabels(string json)
    {
        try
        {
            return JsonSerializer.Deserialize<string[]>(json) ?? throw new InvalidDataException($"The metadata '{OnnxMetadataKeys.Labels}' is null.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"The metadata '{OnnxMetadataKeys.Labels}' is no JSON array of strings: {e.Message}", e);
        }
    }
}
