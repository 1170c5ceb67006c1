using System.Security.Cryptography;
using System.Text.Json;
using Ulmfit.Model;
using Ulmfit.Onnx;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Text;

namespace Ulmfit.Pipeline.Tests.Support;

/// <summary>Untrained but real models: other seeds answer differently.</summary>
internal static class TinyModels
{
    public static readonly string[] Labels = ["bad", "good"];

    /// <summary>Publishes a version as the pipeline does, without making it champion: with two files that can answer if it is to serve int8.</summary>
    public static Task<ModelCard> PublishAsync(ModelRegistry registry, string model, ulong seed, string run, CancellationToken ct, string serves = ModelFiles.Model) =>
        PublishAsync(registry, model, seed, run, givesNumbers: true, ct, serves);

    /// <summary>The same, of a model whose every file is as it should be and whose answers may be no numbers all the same.</summary>
    public static async Task<ModelCard> PublishAsync(
        ModelRegistry registry, string model, ulong seed, string run, bool givesNumbers, CancellationToken ct, string serves = ModelFiles.Model)
    {
        var vocabulary = Vocabulary.Build([["good", "bad", "fine", "late", "row"], ["good", "bad", "fine", "late", "row"]]);
        var config = new ClassifierConfig(new AwdLstmConfig(vocabulary.Count, 8, 12, 2), 6, Labels.Length);
        StateDict weights = AwdLstmNames.EncoderForClassifier(WeightInitialization.LanguageModel(config.Encoder, seed));
        foreach ((string name, Tensor tensor) in WeightInitialization.Head(config, seed))
        {
            weights.Add(name, tensor);
        }
        if (!givesNumbers)
        {
            // The root of a variance below zero.
            weights[AwdLstmNames.RunningVariance(1)].Data.AsSpan().Fill(-1);
        }
        using var onnx = new MemoryStream();
        var metadata = new OnnxModelMetadata(Labels, "tests", new Dictionary<string, string>());
        OnnxClassifierWriter.Write(onnx, new DirectionWeights(config, weights), null, metadata);
        var files = new Dictionary<string, byte[]>
        {
            [ModelFiles.Model] = onnx.ToArray(),
            [ModelFiles.Labels] = JsonSerializer.SerializeToUtf8Bytes(Labels),
            [ModelFiles.Vocabulary] = vocabulary.ToJson(),
        };
        if (serves == ModelFiles.Int8Model)
        {
            using var int8 = new MemoryStream();
            OnnxClassifierWriter.WriteInt8(int8, new DirectionWeights(config, weights), null, metadata);
            files[ModelFiles.Int8Model] = int8.ToArray();
        }
        using JsonDocument settings = JsonDocument.Parse("{}");
        var card = new ModelCard
        {
            Model = model,
            Version = await registry.ReserveVersionAsync(model, run, ct),
            CreatedAt = DateTimeOffset.UnixEpoch,
            Run = run,
            DatasetVersion = 1,
            DatasetDigest = "d",
            Drops = [],
            TrainRows = 10,
            Settings = settings.RootElement.Clone(),
            Seed = seed,
            Pretrained = "none",
            Engine = "none",
            CodeVersion = "tests",
            TokenizerVersion = Tokenizer.Version,
            Directions = ["forward"],
            WeightsDigest = "w",
            Files = files.ToDictionary(file => file.Key, file => Convert.ToHexStringLower(SHA256.HashData(file.Value))),
            Metrics = new Scores(0.5, 0.5, 10, []),
            Serves = serves,
        };
        return await registry.PublishAsync(card, files, ct);
    }
}
