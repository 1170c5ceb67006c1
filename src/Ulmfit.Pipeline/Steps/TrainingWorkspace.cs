using System.Security.Cryptography;
using System.Text;
using Ulmfit.Engine;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Steps;

/// <summary>
/// Brings a direction's training together out of storage. The data of the last run stays in memory, tokenised, because a run's steps
/// follow each other in one process as a rule; what is kept is a function of the run's manifest, so another process brings the same.
/// </summary>
public sealed class TrainingWorkspace : IDisposable
{
    private readonly ITrainingEngine engine;
    private readonly DatasetCatalog datasets;
    private readonly PretrainedModels pretrained;
    private readonly EarlierModels earlier;
    private readonly TimeProvider clock;
    private readonly SemaphoreSlim gate = new(1, 1);
    private (string Key, TrainingData Data)? last;

    /// <summary>Makes a workspace.</summary>
    /// <param name="engine">What trains.</param>
    /// <param name="datasets">Where rows come from.</param>
    /// <param name="pretrained">Where pretrained models come from.</param>
    /// <param name="earlier">Where published models to start at come from.</param>
    /// <param name="clock">What slices of epochs are measured with.</param>
    public TrainingWorkspace(ITrainingEngine engine, DatasetCatalog datasets, PretrainedModels pretrained, EarlierModels earlier, TimeProvider clock)
    {
        this.engine = engine;
        this.datasets = datasets;
        this.pretrained = pretrained;
        this.earlier = earlier;
        this.clock = clock;
    }

    /// <summary>What trains.</summary>
    public ITrainingEngine Engine => engine;

    /// <summary>The settings that a run has begun with.</summary>
    /// <param name="run">The run.</param>
    /// <exception cref="PipelineException">It has not begun.</exception>
    public static TrainingSettings SettingsOf(RunManifest run)
    {
        ArgumentNullException.ThrowIfNull(run);
        return run.Settings is { } settings
            ? TrainingSettings.Parse(settings.GetRawText())
            : throw new PipelineException($"The run '{run.GetId()}' has not begun: it has no settings.");
    }

    /// <summary>The training of a direction of a run.</summary>
    /// <param name="run">The run.</param>
    /// <param name="direction">The direction.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <exception cref="PipelineException">Something that the training needs is missing or damaged.</exception>
    public async Task<DirectionTraining> OpenAsync(RunManifest run, Direction direction, CancellationToken ct = default)
    {
        TrainingSettings settings = SettingsOf(run);
        Start start = await StartAsync(settings, ct).ConfigureAwait(false);
        TrainingData data = await DataAsync(run, settings, start, ct).ConfigureAwait(false);
        try
        {
            return new DirectionTraining(engine, data, settings, direction, start.Pretrained, start.Earlier) { Clock = clock };
        }
        catch (InvalidDataException e)
        {
            throw new PipelineException($"The run '{run.GetId()}' cannot start at '{settings.From ?? settings.Pretrained}': {e.Message}", e);
        }
    }

    /// <summary>The data of a run, tokenised.</summary>
    /// <param name="run">The run.</param>
    /// <param name="ct">Cancels the call.</param>
    public async Task<TrainingData> OpenDataAsync(RunManifest run, CancellationToken ct = default)
    {
        TrainingSettings settings = SettingsOf(run);
        return await DataAsync(run, settings, await StartAsync(settings, ct).ConfigureAwait(false), ct).ConfigureAwait(false);
    }

    /// <summary>The digest of what a run's training starts at; null for random weights.</summary>
    internal async Task<string?> FindStartDigestAsync(TrainingSettings settings, CancellationToken ct) => (await StartAsync(settings, ct).ConfigureAwait(false)).Digest;

    /// <inheritdoc/>
    public void Dispose() => gate.Dispose();

    private async Task<Start> StartAsync(TrainingSettings settings, CancellationToken ct) =>
        await earlier.LoadAsync(settings.From, ct).ConfigureAwait(false) is { } model
            ? new Start(null, model)
            : new Start(await pretrained.LoadAsync(settings.Pretrained, ct).ConfigureAwait(false), null);

    private async Task<TrainingData> DataAsync(RunManifest run, TrainingSettings settings, Start start, CancellationToken ct)
    {
        DatasetVersion version = await datasets.GetVersionAsync(run.Dataset, run.DatasetVersion!.Value, ct).ConfigureAwait(false);
        string key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{version.Digest} {start.Digest} {settings.ToJson()}")));
        await gate.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (last is { } kept && kept.Key == key)
            {
                return kept.Data;
            }
            DatasetRows rows = await datasets.ReadRowsAsync(version, ct).ConfigureAwait(false);
            TrainingData data = await Task.Run(
                () => TrainingData.Prepare(rows.Train, rows.HeldOut, rows.Unlabeled, settings, start.Vocabulary), ct).ConfigureAwait(false);
            last = (key, data);
            return data;
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>What a run's training starts at: one of the two, or neither.</summary>
    private sealed record Start(PretrainedModel? Pretrained, EarlierModel? Earlier)
    {
        public string? Digest => Earlier?.Digest ?? Pretrained?.Digest;

        public Vocabulary? Vocabulary => Earlier?.Vocabulary ?? Pretrained?.Vocabulary;
    }
}
