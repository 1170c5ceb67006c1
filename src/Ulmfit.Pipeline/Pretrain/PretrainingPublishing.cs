using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Ulmfit.Model;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Storage;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Pretrain;

/// <summary>Puts a finished language model where trainings look for it, and lets go of its checkpoints.</summary>
public sealed partial class PretrainingPublishing
{
    private const string CardFile = "card.json";
    private const string ReadmeFile = "README.md";

    private readonly IBlobStore store;
    private readonly PretrainingRegistry registry;
    private readonly PretrainingWorkspace workspace;
    private readonly PretrainingStep steps;
    private readonly PayloadStore payloads;
    private readonly ILogger logger;

    /// <summary>Makes the step.</summary>
    /// <param name="store">Where models go.</param>
    /// <param name="registry">The pretrainings.</param>
    /// <param name="workspace">What was trained on.</param>
    /// <param name="steps">What was trained.</param>
    /// <param name="logger">Where perplexities are told.</param>
    public PretrainingPublishing(IBlobStore store, PretrainingRegistry registry, PretrainingWorkspace workspace, PretrainingStep steps, ILogger<PretrainingPublishing> logger)
    {
        this.store = store;
        payloads = new PayloadStore(store);
        this.registry = registry;
        this.workspace = workspace;
        this.steps = steps;
        this.logger = logger;
    }

    /// <summary>Publishes; doing it again changes nothing.</summary>
    /// <param name="name">The name of the model.</param>
    /// <param name="ct">Cancels the call; the next one goes on.</param>
    /// <exception cref="PipelineException">A direction is not finished, or something is damaged.</exception>
    public async Task RunAsync(string name, CancellationToken ct = default)
    {
        PretrainingManifest manifest = await registry.GetAsync(name, ct).ConfigureAwait(false);
        if (!manifest.Status.IsFinal())
        {
            await WriteAsync(manifest, ct).ConfigureAwait(false);
            manifest = await registry.FinishAsync(name, RunStatus.Completed, ct: ct).ConfigureAwait(false);
            LogPublished(name, string.Join(", ", manifest.Order.Directions.Each().Select(direction =>
                string.Create(CultureInfo.InvariantCulture, $"{StatePaths.NameOf(direction)} {manifest.Of(direction)?.Perplexity:0.00}"))));
        }
        await workspace.CloseAsync(name, ct).ConfigureAwait(false);
        if (manifest.Status == RunStatus.Completed)
        {
            await steps.DeletePayloadsAsync(name, ct).ConfigureAwait(false);
        }
    }

    private async Task WriteAsync(PretrainingManifest manifest, CancellationToken ct)
    {
        string name = manifest.Name;
        byte[] words = await payloads.GetAsync(
            StatePaths.PretrainingPayloads(name), manifest.Vocabulary ?? throw new PipelineException($"The pretraining '{name}' has not begun."), ct).ConfigureAwait(false);
        Vocabulary vocabulary;
        using (var content = new MemoryStream(words, writable: false))
        {
            vocabulary = Vocabulary.Load(content);
        }
        await PutAsync(name, PretrainedLibrary.VocabularyFile, words, ct).ConfigureAwait(false);
        PretrainedCard? card = null;
        foreach (Direction direction in manifest.Order.Directions.Each().Reverse())
        {
            IReadOnlyList<PretrainingStepManifest> trained = await steps.StepsAsync(name, direction, ct).ConfigureAwait(false);
            if (trained is not [.., { Finished: true } last])
            {
                throw new PipelineException($"The {StatePaths.NameOf(direction)} model of the pretraining '{name}' is not finished.");
            }
            StateDict weights = (await steps.ReadCheckpointAsync(name, last.Checkpoint, ct).ConfigureAwait(false)).State.WeightsOnly();
            await using FileStream file = TemporaryFile.Create();
            Safetensors.Write(file, weights, new Dictionary<string, string> { ["tokenizer"] = Tokenizer.Version, ["vocabulary"] = vocabulary.Digest }, half: true);
            await file.FlushAsync(ct).ConfigureAwait(false);
            file.Position = 0;
            string fileDigest = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, ct).ConfigureAwait(false));
            card = (card ?? CardOf(manifest, vocabulary, weights)).With(
                direction,
                DirectionCard.Of($"PUT /api/pretrained/{name} {manifest.Order.ToRequest()}", manifest.MadeFrom!, true, weights, fileDigest, file.Length, [.. trained.Select(step => step.Metrics)]));
            if (direction == Direction.Forward)
            {
                await PutAsync(name, CardFile, card.ToJson(), ct).ConfigureAwait(false);
                await PutAsync(name, ReadmeFile, Encoding.UTF8.GetBytes(card.ToMarkdown()), ct).ConfigureAwait(false);
            }

            // The forward weights last of all: with them the model is there.
            file.Position = 0;
            await store.PutAsync(Containers.Pretrained, $"{name}/{(direction == Direction.Forward ? PretrainedLibrary.ForwardFile : PretrainedLibrary.BackwardFile)}", file, ct).ConfigureAwait(false);
        }
    }

    private static PretrainedCard CardOf(PretrainingManifest manifest, Vocabulary vocabulary, StateDict weights) =>
        PretrainedCard.Of(manifest.Name, vocabulary, PretrainedModel.Of(vocabulary, weights, null).Config, manifest.Corpus!, manifest.HeldOut!) with
        {
            Source = manifest.Order.Source,
            License = manifest.Order.License,
        };

    private Task<BlobInfo> PutAsync(string name, string file, byte[] content, CancellationToken ct) => store.PutAsync(Containers.Pretrained, $"{name}/{file}", content, ct);

    [LoggerMessage(65, LogLevel.Information, "Pretrained model {Name} is published; held-out perplexity {Perplexities}. Settings choose it with \"pretrained\": \"{Name}\".")]
    private partial void LogPublished(string name, string perplexities);
}
