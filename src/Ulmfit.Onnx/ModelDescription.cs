using System.Globalization;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using Ulmfit.Metrics;
using Ulmfit.Text;

namespace Ulmfit.Onnx;

/// <summary>What a model says of itself in <c>metadata_props</c>.</summary>
/// <param name="Labels">Its labels in the order of its output.</param>
/// <param name="VocabularySize">Rows of its embedding.</param>
/// <param name="VocabularyDigest">Digest of its vocabulary, if it was written with one.</param>
/// <param name="Temperature">What its probabilities are scaled with; 1 for models without.</param>
internal sealed record ModelDescription(IReadOnlyList<string> Labels, int VocabularySize, string? VocabularyDigest, double Temperature)
{
    /// <exception cref="InvalidDataException">The model lacks what <see cref="OnnxClassifierWriter"/> writes.</exception>
    public static ModelDescription Of(InferenceSession session)
    {
        Dictionary<string, string> properties = session.ModelMetadata.CustomMetadataMap;
        if (!properties.TryGetValue(OnnxMetadataKeys.Labels, out string? labels)
            || !properties.TryGetValue(OnnxMetadataKeys.VocabularySize, out string? size)
            || !int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out int vocabularySize)
            || !session.InputMetadata.ContainsKey(OnnxClassifierWriter.TokensInput)
            || !session.InputMetadata.ContainsKey(OnnxClassifierWriter.LengthsInput)
            || !session.OutputMetadata.ContainsKey(OnnxClassifierWriter.ProbabilitiesOutput))
        {
            throw new InvalidDataException($"The ONNX file is no ULMFiT classifier: it lacks the metadata '{OnnxMetadataKeys.Labels}' and '{OnnxMetadataKeys.VocabularySize}' or has other inputs and outputs.");
        }

        double temperature = TemperatureScaling.None;
        if (properties.TryGetValue(OnnxMetadataKeys.Temperature, out string? text)
            && !(double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out temperature) && TemperatureScaling.IsValid(temperature)))
        {
            throw new InvalidDataException($"The metadata '{OnnxMetadataKeys.Temperature}' is '{text}', but a number in [{TemperatureScaling.Lowest}, {TemperatureScaling.Highest}] was expected.");
        }

        return new ModelDescription(ParseLabels(labels), vocabularySize, properties.GetValueOrDefault(OnnxMetadataKeys.VocabularyDigest), temperature);
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

    /// <exception cref="InvalidDataException">They are no JSON array of strings.</exception>
    internal static string[] ParseLabels(string json)
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
