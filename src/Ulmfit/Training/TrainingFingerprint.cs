using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Training;

/// <summary>
/// Digests of what trained weights depend on. They may differ where the weights are the same, never the other way round:
/// settings go in whole, but for what is known to make no difference.
/// </summary>
internal static class TrainingFingerprint
{
    private const string Version = "serverless-ulmfit training 2";

    /// <summary>Of all text as training sees it.</summary>
    public static string OfData(TrainingData data) => Of(
        data.Vocabulary.Digest, data.Labels, OfDocuments(data.Train), OfDocuments(data.HeldOut), OfTokens(data.LanguageModelTexts));

    /// <summary>Of one direction's whole training.</summary>
    /// <param name="engine">What trains.</param>
    /// <param name="data">What is trained on.</param>
    /// <param name="settings">How.</param>
    /// <param name="direction">In which direction the model reads.</param>
    /// <param name="stages">Its stages: what the settings leave to defaults shows in them.</param>
    /// <param name="start">What it starts at.</param>
    public static string OfTraining(ITrainingEngine engine, TrainingData data, TrainingSettings settings, Direction direction, IReadOnlyList<Stage> stages, string start)
    {
        // Names of what the digests of data and start stand for, and how the work is cut up.
        TrainingSettings decisive = settings with
        {
            Directions = Directions.Both, Pretrained = TrainingSettings.NoPretrained, From = null, HeldOutFraction = 0.1, MinimumCount = 1, MaximumVocabulary = 60_000,
            TextColumn = null, LabelColumn = null, SliceMinutes = null, SliceSteps = null, Report = new ReportSettings(),
        };
        return Of(Version, NameOf(engine), direction, stages, start, data.Digest, decisive);
    }

    /// <summary>Of one direction's language-model stages.</summary>
    /// <param name="engine">What trains.</param>
    /// <param name="settings">How.</param>
    /// <param name="stages">The language-model stages.</param>
    /// <param name="batch">Lanes of a batch.</param>
    /// <param name="encoder">The architecture.</param>
    /// <param name="texts">What is trained on, in the direction of reading.</param>
    /// <param name="heldOut">What is measured on: the measurements decide when to stop early.</param>
    /// <param name="seed">The direction's seed.</param>
    /// <param name="start">What it starts at.</param>
    public static string OfLanguageModel(
        ITrainingEngine engine, TrainingSettings settings, IEnumerable<Stage> stages, int batch, AwdLstmConfig encoder,
        IReadOnlyList<int[]> texts, IReadOnlyList<Document> heldOut, ulong seed, string start)
    {
        // The stages and the batch say what these members come to, so that one that was left out equals its default.
        LanguageModelSettings decisive = settings.LanguageModel with
        {
            FineTune = null, Epochs = null, FrozenEpochs = 0, LearningRate = null, Discriminative = null, DiscriminativeFactor = null, Batch = null,
            Schedule = settings.LanguageModel.Schedule ?? settings.Schedule ?? ScheduleKind.SlantedTriangular,
        };
        return Of(Version, NameOf(engine), start, stages, batch, encoder, OfTokens(texts), OfTokens(heldOut.Select(document => document.Tokens)), seed, decisive);
    }

    private static string NameOf(ITrainingEngine engine) => $"{engine.Name} {engine.GetType().Assembly.GetName().Version}";

    private static string Of(params object[] parts) => WeightsDigest.OfText(JsonSerializer.Serialize(parts));

    private static string OfDocuments(IReadOnlyList<Document> documents) =>
        OfTokens(documents.Select(document => document.Tokens).Append([.. documents.Select(document => document.Label)]));

    private static string OfTokens(IEnumerable<int[]> documents)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (int[] tokens in documents)
        {
            hash.AppendData(BitConverter.GetBytes(tokens.Length));
            hash.AppendData(MemoryMarshal.AsBytes(tokens.AsSpan()));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
