using System.Text.Json;
using Ulmfit.Metrics;
using Ulmfit.Onnx;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Ulmfit.Cli;

/// <summary>What is known of a trained model: <c>card.json</c>.</summary>
internal sealed record CliModelCard(
    string WeightsDigest, TrainingSettings Settings, string Engine, string Tokenizer, string DataDigest, int TrainRows, int HeldOutRows,
    ClassificationMetrics? HeldOut, CalibrationFit? Calibration, IReadOnlyDictionary<string, IReadOnlyList<EpochMetrics>> Epochs);

/// <summary>A model in a folder: <c>model.onnx</c>, <c>labels.json</c>, <c>vocabulary.json</c>, <c>card.json</c>, as in the pipeline's <c>models</c> container.</summary>
internal static class ModelDirectory
{
    private const string Model = "model.onnx";
    private const string Labels = "labels.json";
    private const string VocabularyFile = "vocabulary.json";
    private const string Card = "card.json";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static void Save(string directory, DirectionWeights? forward, DirectionWeights? backward, TrainingData data, CliModelCard card)
    {
        Directory.CreateDirectory(directory);
        WriteWhole(Path.Combine(directory, VocabularyFile), data.Vocabulary.Save);
        WriteWhole(Path.Combine(directory, Labels), stream => JsonSerializer.Serialize(stream, data.Labels, Json));
        WriteWhole(Path.Combine(directory, Model), stream => OnnxClassifierWriter.Write(stream, forward, backward, MetadataOf(data) with { Temperature = card.Calibration?.Temperature ?? TemperatureScaling.None }));
        WriteWhole(Path.Combine(directory, Card), stream => JsonSerializer.Serialize(stream, card with { Epochs = card.Epochs.ToDictionary(pair => pair.Key, pair => WithoutCurves(pair.Value)) }, Json));
    }

    /// <summary>The classifier of a folder.</summary>
    /// <param name="directory">The folder.</param>
    /// <param name="precision">In what its encoder computes; the folder's file is float32 in any case.</param>
    public static OnnxTextClassifier Load(string directory, OnnxPrecision precision = OnnxPrecision.Float32)
    {
        string model = Path.Combine(directory, Model);
        if (!File.Exists(model))
        {
            throw new UsageException($"'{directory}' holds no {Model}: name a folder that 'ulmfit train --out' wrote.");
        }

        var vocabulary = Vocabulary.Load(Path.Combine(directory, VocabularyFile));
        string[] labels = JsonSerializer.Deserialize<string[]>(File.ReadAllBytes(Path.Combine(directory, Labels)), Json)
            ?? throw new InvalidDataException($"'{Path.Combine(directory, Labels)}' holds no labels.");
        byte[] file = File.ReadAllBytes(model);
        return OnnxTextClassifier.Load(precision == OnnxPrecision.Int8 ? InInt8(file) : file, vocabulary, labels);
    }

    /// <summary>The model as a start for another training.</summary>
    public static EarlierModel LoadEarlier(string directory)
    {
        string model = Path.Combine(directory, Model);
        if (!File.Exists(model))
        {
            throw new UsageException($"'{directory}' holds no {Model} to start at: name a folder that 'ulmfit train --out' wrote.");
        }

        OnnxClassifierWeights weights = OnnxClassifierReader.Read(File.ReadAllBytes(model));
        return EarlierModel.Of(Vocabulary.Load(Path.Combine(directory, VocabularyFile)), weights.Labels, weights.Forward?.Weights, weights.Backward?.Weights);
    }

    /// <summary>The classifier of weights that were just trained, before anything is written to a folder and a temperature is known.</summary>
    public static OnnxTextClassifier Load(DirectionWeights? forward, DirectionWeights? backward, TrainingData data)
    {
        using var model = new MemoryStream();
        OnnxClassifierWriter.Write(model, forward, backward, MetadataOf(data));
        return OnnxTextClassifier.Load(model.ToArray(), data.Vocabulary, data.Labels);
    }

    /// <summary>Writes beside the file and renames, so that an interruption leaves the old file or the new one.</summary>
    public static void WriteWhole(string path, Action<Stream> write)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
        {
            Directory.CreateDirectory(folder);
        }

        string temporary = path + ".tmp";
        using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write))
        {
            write(stream);
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }

    private static byte[] InInt8(byte[] file)
    {
        OnnxClassifierWeights weights = OnnxClassifierReader.Read(file);
        using var int8 = new MemoryStream();
        OnnxClassifierWriter.WriteInt8(
            int8, weights.Forward, weights.Backward, new OnnxModelMetadata(weights.Labels, "serverless-ulmfit", new Dictionary<string, string>()) { Temperature = weights.Temperature });
        return int8.ToArray();
    }

    // The report has the curves; the card is for reading.
    private static IReadOnlyList<EpochMetrics> WithoutCurves(IReadOnlyList<EpochMetrics> epochs) => [.. epochs.Select(epoch => epoch with { Curve = [] })];

    private static OnnxModelMetadata MetadataOf(TrainingData data) => new(data.Labels, "serverless-ulmfit", new Dictionary<string, string> { [OnnxMetadataKeys.VocabularyDigest] = data.Vocabulary.Digest });
}
