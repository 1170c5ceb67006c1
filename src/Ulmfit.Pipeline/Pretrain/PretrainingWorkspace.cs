using System.Text.Json;
using Ulmfit.Engine;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Pipeline.Steps;
using Ulmfit.Storage;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Pretrain;

/// <summary>
/// Brings a pretraining together out of storage. Its corpus stays in memory as token ids until it ends, because its steps follow each
/// other in one process as a rule; another process brings the same, or refuses to go on.
/// </summary>
public sealed class PretrainingWorkspace : IDisposable
{
    private readonly PayloadStore payloads;
    private readonly ITrainingEngine engine;
    private readonly PretrainedModels pretrained;
    private readonly PretrainingCorpus corpus;
    private readonly PretrainingRegistry registry;
    private readonly TimeProvider clock;
    private readonly SemaphoreSlim gate = new(1, 1);
    private readonly Dictionary<string, (string Mark, PretrainingData Data)> kept = new(StringComparer.Ordinal);

    /// <summary>Makes a workspace.</summary>
    /// <param name="store">Where the vocabulary goes.</param>
    /// <param name="engine">What trains.</param>
    /// <param name="pretrained">Models to start from.</param>
    /// <param name="corpus">The texts.</param>
    /// <param name="registry">The pretrainings.</param>
    /// <param name="clock">What slices are measured with.</param>
    public PretrainingWorkspace(IBlobStore store, ITrainingEngine engine, PretrainedModels pretrained, PretrainingCorpus corpus, PretrainingRegistry registry, TimeProvider clock)
    {
        payloads = new PayloadStore(store);
        this.engine = engine;
        this.pretrained = pretrained;
        this.corpus = corpus;
        this.registry = registry;
        this.clock = clock;
    }

    /// <summary>The training of a direction. The first call of all notes what it is made from; every later one is held against that.</summary>
    /// <param name="manifest">The pretraining.</param>
    /// <param name="direction">The direction.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <exception cref="PipelineException">Something that it needs is missing, damaged, or another than when it began.</exception>
    /// <exception cref="TrainingSettingsException">The settings do not fit the start.</exception>
    public async Task<Pretraining> OpenAsync(PretrainingManifest manifest, Direction direction, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        PretrainedModel? start = await pretrained.LoadAsync(manifest.Order.Start, ct).ConfigureAwait(false);
        PretrainingSettings settings = SettingsOf(manifest, start);
        PretrainingData data = await DataAsync(manifest, settings, ct).ConfigureAwait(false);
        var training = new Pretraining(engine, data, settings, direction, start) { Clock = clock };
        PretrainingManifest noted = manifest.MadeFrom is null ? await NoteAsync(manifest, settings, data, training, ct).ConfigureAwait(false) : manifest;
        return noted.MadeFrom is { } made && Pretraining.Differences(made, training.MadeFrom) is { Count: > 0 } differing
            ? throw new PipelineException(
                $"The pretraining '{manifest.Name}' cannot go on, because it began with something else: {string.Join("; ", differing)}. Put back what it began with and send the same order again, or order another under a new name.")
            : training;
    }

    /// <summary>Lets go of the corpus of a pretraining that has ended.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="ct">Cancels the call.</param>
    public async Task CloseAsync(string name, CancellationToken ct = default)
    {
        await gate.WaitAsync(ct).ConfigureAwait(false);
        kept.Remove(name);
        gate.Release();
    }

    /// <inheritdoc/>
    public void Dispose() => gate.Dispose();

    private async Task<PretrainingManifest> NoteAsync(PretrainingManifest manifest, PretrainingSettings settings, PretrainingData data, Pretraining training, CancellationToken ct)
    {
        static string Named(IReadOnlyList<string> files) => string.Join(", ", files.Select(file => $"{Containers.Unlabeled}/{file}"));
        string vocabulary = await payloads.PutAsync(StatePaths.PretrainingPayloads(manifest.Name), data.Vocabulary.ToJson(), ct).ConfigureAwait(false);
        return await registry.UpdateAsync(
            manifest.Name,
            found => found.MadeFrom is not null ? found : found with
            {
                Settings = JsonSerializer.Deserialize<JsonElement>(settings.ToJson()),
                Corpus = TextCard.OfCorpus(data, Named(manifest.Files)),
                HeldOut = TextCard.OfHeldOut(data, Named(manifest.Files), manifest.HeldOutFiles is { } heldOut ? Named(heldOut) : null),
                Vocabulary = vocabulary,
                MadeFrom = training.MadeFrom,
            },
            ct).ConfigureAwait(false);
    }

    private static PretrainingSettings SettingsOf(PretrainingManifest manifest, PretrainedModel? start) =>
        manifest.Settings is { } begunWith ? PretrainingSettings.Parse(begunWith.GetRawText()) : manifest.Order.GetSettings(start);

    private async Task<PretrainingData> DataAsync(PretrainingManifest manifest, PretrainingSettings settings, CancellationToken ct)
    {
        IReadOnlyList<string> all = [.. manifest.Files, .. manifest.HeldOutFiles ?? []];
        await gate.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            string mark = await corpus.MarkAsync(all, ct).ConfigureAwait(false);
            if (kept.TryGetValue(manifest.Name, out (string Mark, PretrainingData Data) last) && last.Mark == mark)
            {
                return last.Data;
            }
            kept.Remove(manifest.Name);
            PretrainingData data = await Task.Factory.StartNew(() => Prepare(manifest, settings, ct), ct, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);

            // The text is read three times; had it changed in between, ids and digest would be of different texts.
            if (await corpus.MarkAsync(all, ct).ConfigureAwait(false) != mark)
            {
                throw new IOException($"The corpus of the pretraining '{manifest.Name}' changed while it was read.");
            }
            kept[manifest.Name] = (mark, data);
            return data;
        }
        finally
        {
            gate.Release();
        }
    }

    private PretrainingData Prepare(PretrainingManifest manifest, PretrainingSettings settings, CancellationToken ct)
    {
        try
        {
            return PretrainingData.Prepare(
                corpus.Documents(manifest.Files, ct), manifest.HeldOutFiles is null ? null : corpus.Documents(manifest.HeldOutFiles, ct), settings, Environment.ProcessorCount, ct);
        }
        catch (Exception e) when (Cause(e) is InvalidDataException or PipelineException)
        {
            throw new PipelineException($"{Cause(e).Message} Mend the file and send the same order again.", e);
        }
    }

    // The threads that count and encode wrap what the reader throws.
    private static Exception Cause(Exception exception) => exception is AggregateException { InnerExceptions: [var inner, ..] } ? Cause(inner) : exception;
}
