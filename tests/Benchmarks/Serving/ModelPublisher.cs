using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Ulmfit.Model;
using Ulmfit.Onnx;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Storage;
using Ulmfit.Text;
using Ulmfit.Training;

namespace ServingBenchmark;

/// <summary>Publishes models as the pipeline does, without a training: how fast a model answers does not depend on what it has learnt.</summary>
/// <param name="data">The host's data folder.</param>
internal sealed class ModelPublisher(string data)
{
    // TREC's coarse classes.
    private static readonly string[] Labels = ["ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM"];

    private readonly ModelRegistry registry = new(new FolderBlobStore(data), TimeProvider.System);

    /// <summary>Publishes a model and makes it champion.</summary>
    public async Task<PublishedModel> PublishAsync(BenchmarkModel model, CancellationToken ct)
    {
        (Vocabulary vocabulary, DirectionWeights forward, DirectionWeights? backward) = Weights(model);
        using var onnx = new MemoryStream();
        var metadata = new OnnxModelMetadata(Labels, "benchmark", new Dictionary<string, string>());
        if (model.Precision == OnnxPrecision.Int8)
        {
            OnnxClassifierWriter.WriteInt8(onnx, forward, backward, metadata);
        }
        else
        {
            OnnxClassifierWriter.Write(onnx, forward, backward, metadata);
        }
        var files = new Dictionary<string, byte[]>
        {
            [ModelFiles.Model] = onnx.ToArray(),
            [ModelFiles.Labels] = JsonSerializer.SerializeToUtf8Bytes(Labels),
            [ModelFiles.Vocabulary] = vocabulary.ToJson(),
        };
        using JsonDocument settings = JsonDocument.Parse("{}");
        const string Run = "benchmark-1";
        var card = new ModelCard
        {
            Model = model.Name,
            Version = await registry.ReserveVersionAsync(model.Name, Run, ct),
            CreatedAt = DateTimeOffset.UnixEpoch,
            Run = Run,
            DatasetVersion = 1,
            DatasetDigest = "none",
            Drops = [],
            TrainRows = 0,
            Settings = settings.RootElement.Clone(),
            Seed = 1,
            Pretrained = TrainingSettings.NoPretrained,
            Engine = "none",
            CodeVersion = "benchmark",
            TokenizerVersion = Tokenizer.Version,
            Directions = model.Backward ? ["forward", "backward"] : ["forward"],
            WeightsDigest = "none",
            Files = files.ToDictionary(file => file.Key, file => Convert.ToHexStringLower(SHA256.HashData(file.Value))),
            Metrics = new Scores(0, 0, 0, []),
        };
        card = await registry.PublishAsync(card, files, ct);
        await registry.PromoteAsync(model.Name, card.Version, expected: null, ct);
        return new PublishedModel(model, vocabulary, files[ModelFiles.Model]);
    }

    private static (Vocabulary Vocabulary, DirectionWeights Forward, DirectionWeights? Backward) Weights(BenchmarkModel model)
    {
        PretrainedModel english = PretrainedLibrary.Shipped.Open(PretrainedLibrary.English);
        if (model.Size == NetworkSize.EnSmall)
        {
            var config = new ClassifierConfig(english.Config, 50, Labels.Length);
            return (english.Vocabulary, Of(english.Forward), model.Backward ? Of(english.WeightsOf(Direction.Backward)) : null);

            DirectionWeights Of(StateDict encoder)
            {
                StateDict weights = AwdLstmNames.EncoderForClassifier(encoder);
                foreach ((string name, Tensor tensor) in WeightInitialization.Head(config, 1))
                {
                    weights.Add(name, tensor);
                }
                return new DirectionWeights(config, weights);
            }
        }

        const int BaseVocabulary = 30_000;
        Vocabulary vocabulary = model.Size == NetworkSize.Base ? Enlarged(english.Vocabulary, BaseVocabulary) : english.Vocabulary;
        AwdLstmConfig encoder = model.Size == NetworkSize.Base ? new(vocabulary.Count, 400, 1152, 3) : new(vocabulary.Count, 8, 12, 2);
        var random = new ClassifierConfig(encoder, 50, Labels.Length);
        return (
            vocabulary,
            new DirectionWeights(random, WeightInitialization.Classifier(random, 1)),
            model.Backward ? new DirectionWeights(random, WeightInitialization.Classifier(random, 2)) : null);
    }

    private static Vocabulary Enlarged(Vocabulary vocabulary, int count) => Vocabulary.FromTokens(
        vocabulary.Tokens.Where(token => token != SpecialTokens.Filler)
            .Concat(Enumerable.Range(0, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"word{i}")).Where(word => !vocabulary.Contains(word)))
            .Take(count));
}

/// <summary>A model in the registry.</summary>
/// <param name="Model">Which.</param>
/// <param name="Vocabulary">Its vocabulary.</param>
/// <param name="Onnx">Its ONNX file.</param>
internal sealed record PublishedModel(BenchmarkModel Model, Vocabulary Vocabulary, byte[] Onnx);
