using System.Text.Json;
using Ulmfit.Cli.Terminal;
using Ulmfit.Training;

namespace Ulmfit.Cli;

/// <summary>
/// Fine-tuned language models in a folder, each under the digest of all that it depends on: trainings that differ in the
/// classifier alone share one, with the bits that each would have given by itself.
/// </summary>
/// <param name="directory">The folder; it is made when there is something to keep.</param>
/// <param name="screen">Where it tells what it has found.</param>
internal sealed class LanguageModelCache(string directory, Screen screen)
{
    /// <summary>The state with which a training's classifier begins, and the epochs up to there; null where it is not known.</summary>
    /// <exception cref="InvalidDataException">A file is damaged.</exception>
    public (Checkpoint Checkpoint, IReadOnlyList<EpochMetrics> Epochs)? Find(DirectionTraining training)
    {
        if (training.LanguageModelFingerprint is not string fingerprint || !Contains(fingerprint))
        {
            return null;
        }

        string path = WeightsPath(fingerprint);
        using FileStream stream = File.OpenRead(path);
        var checkpoint = Checkpoint.Read(stream);
        Card? card = JsonSerializer.Deserialize<Card>(File.ReadAllBytes(CardPath(fingerprint)));
        if (card is null || checkpoint.Position != training.LanguageModelEnd || WeightsDigest.Of(checkpoint.State) != card.WeightsDigest)
        {
            throw new InvalidDataException($"'{path}' is damaged: its digest is not the one that was written beside it. Delete it to train that language model again.");
        }

        screen.Line($"language model {fingerprint[..12]} was trained before: going on with the classifier");
        return (checkpoint, card.Epochs);
    }

    /// <summary>Whether a language model is known.</summary>
    public bool Contains(string fingerprint) => File.Exists(WeightsPath(fingerprint));

    /// <summary>Keeps the state with which a training's classifier begins, unless it is known already.</summary>
    public void Keep(DirectionTraining training, Checkpoint checkpoint, IReadOnlyList<EpochMetrics> epochs)
    {
        if (training.LanguageModelFingerprint is string fingerprint && !Contains(fingerprint))
        {
            // The weights last: it is them that say that there is something.
            Directory.CreateDirectory(directory);
            var card = new Card(WeightsDigest.Of(checkpoint.State), epochs);
            ModelDirectory.WriteWhole(CardPath(fingerprint), stream => JsonSerializer.Serialize(stream, card));
            ModelDirectory.WriteWhole(WeightsPath(fingerprint), checkpoint.Write);
        }
    }

    private string WeightsPath(string fingerprint) => Path.Combine(directory, fingerprint + ".safetensors");

    private string CardPath(string fingerprint) => Path.Combine(directory, fingerprint + ".json");

    private sealed record Card(string WeightsDigest, IReadOnlyList<EpochMetrics> Epochs);
}
