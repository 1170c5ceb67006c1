using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Pipeline.Serving;
using Ulmfit.Reports;
using Ulmfit.Storage;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Steps;

/// <summary>
/// Publishes a run's model and makes it the champion, once: the version number is the run's by reservation, the card is the version's
/// commit, and the champion pointer remembers which runs it has taken.
/// </summary>
public sealed partial class ModelPublishing
{
    private readonly DatasetCatalog datasets;
    private readonly CandidateEvaluation evaluation;
    private readonly RunRegistry runs;
    private readonly ModelRegistry registry;
    private readonly ModelCache cache;
    private readonly PipelineOptions options;
    private readonly PayloadStore payloads;
    private readonly RunReports reports;
    private readonly TimeProvider time;
    private readonly ILogger logger;

    /// <summary>Makes the step.</summary>
    /// <param name="store">Where the candidate is.</param>
    /// <param name="datasets">The data sets.</param>
    /// <param name="evaluation">The step before.</param>
    /// <param name="runs">The runs.</param>
    /// <param name="registry">Published models.</param>
    /// <param name="cache">Loaded models: the new champion answers from now on.</param>
    /// <param name="options">The version of the code.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where the publication is told.</param>
    public ModelPublishing(
        IBlobStore store, DatasetCatalog datasets, CandidateEvaluation evaluation, RunRegistry runs, ModelRegistry registry, ModelCache cache,
        PipelineOptions options, TimeProvider time, ILogger<ModelPublishing> logger)
    {
        payloads = new PayloadStore(store);
        reports = new RunReports(store);
        this.datasets = datasets;
        this.evaluation = evaluation;
        this.runs = runs;
        this.registry = registry;
        this.cache = cache;
        this.options = options;
        this.time = time;
        this.logger = logger;
    }

    /// <summary>Publishes the model of a run that the evaluation accepted.</summary>
    /// <param name="evaluated">What the evaluation gave.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <exception cref="PipelineException">The run's data or the champion is damaged.</exception>
    public async Task<PublishResult> RunAsync(EvaluationResult evaluated, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(evaluated);
        RunId id = RunId.Parse(evaluated.Run);
        RunManifest run = await runs.GetAsync(id, ct).ConfigureAwait(false);
        if (run is { Status: RunStatus.Completed, ModelVersion: { } published })
        {
            return new PublishResult(evaluated.Run, PublishOutcome.Published, published);
        }
        string model = run.Dataset;
        // The pointer first: reservations are listed, and a listing may be behind.
        int? reserved = await registry.FindPromotedVersionAsync(model, evaluated.Run, ct).ConfigureAwait(false)
            ?? await registry.FindReservedVersionAsync(model, evaluated.Run, ct).ConfigureAwait(false);
        ModelCard? card = reserved is { } held ? await registry.FindCardAsync(model, held, ct).ConfigureAwait(false) : null;
        if (card is null)
        {
            if (run.Status.IsFinal() || await runs.IsCancelRequestedAsync(id, ct).ConfigureAwait(false))
            {
                await runs.FinishAsync(id, RunStatus.Canceled, ct: ct).ConfigureAwait(false);
                return new PublishResult(evaluated.Run, PublishOutcome.Canceled, null);
            }

            // The run may have lost its champion before anything is written: then there is no version yet that nobody asked for.
            int? champion = (await registry.FindChampionAsync(model, ct).ConfigureAwait(false))?.Value.Version;
            if (champion != evaluated.ComparedWith)
            {
                return new PublishResult(evaluated.Run, PublishOutcome.ChampionChanged, null);
            }
            ModelParts? parts = await FindPartsAsync(id, ct).ConfigureAwait(false);
            if (parts is null)
            {
                return new PublishResult(evaluated.Run, PublishOutcome.EvaluateAgain, null);
            }
            int next = await registry.ReserveVersionAsync(model, evaluated.Run, ct).ConfigureAwait(false);
            if ((await runs.GetAsync(id, ct).ConfigureAwait(false)).Status is RunStatus.Canceled or RunStatus.Failed)
            {
                // Another execution has ended the run since this one began: it comes back late.
                return new PublishResult(evaluated.Run, PublishOutcome.Canceled, null);
            }
            card = await WriteAsync(run, next, evaluated, parts, ct).ConfigureAwait(false);
        }
        int version = card.Version;
        if (!await registry.PromoteRunAsync(model, version, evaluated.Run, evaluated.ComparedWith, ct).ConfigureAwait(false))
        {
            return new PublishResult(evaluated.Run, PublishOutcome.ChampionChanged, null);
        }
        await cache.RefreshAsync(model, ct).ConfigureAwait(false);
        await runs.FinishAsync(id, RunStatus.Completed, current => current with { ModelVersion = version }, ct).ConfigureAwait(false);
        LogPublished(model, version, evaluated.Run, card.Metrics.Accuracy, card.Metrics.MacroF1, card.WeightsDigest, evaluated.Reason);
        return new PublishResult(evaluated.Run, PublishOutcome.Published, version);
    }

    /// <summary>What the evaluation left of a run's model, read and checked; null where it has to be made again.</summary>
    private async Task<ModelParts?> FindPartsAsync(RunId id, CancellationToken ct)
    {
        if (await evaluation.FindCandidateAsync(id, ct).ConfigureAwait(false) is not { } candidate)
        {
            return null;
        }
        string prefix = StatePaths.Payloads(id);
        try
        {
            var files = new Dictionary<string, byte[]>
            {
                [ModelFiles.Model] = await payloads.GetAsync(prefix, candidate.Model, ct).ConfigureAwait(false),
                [ModelFiles.Labels] = await payloads.GetAsync(prefix, candidate.Labels, ct).ConfigureAwait(false),
                [ModelFiles.Vocabulary] = await payloads.GetAsync(prefix, candidate.Vocabulary, ct).ConfigureAwait(false),
            };
            if (candidate.Int8Model is { } int8)
            {
                files[ModelFiles.Int8Model] = await payloads.GetAsync(prefix, int8, ct).ConfigureAwait(false);
            }
            if (await reports.FindAsync(id, ct).ConfigureAwait(false) is { } report)
            {
                files[ModelFiles.Report] = report.ToJson();
                files[ModelFiles.ReportPage] = ReportHtml.Of(report);
            }
            return new ModelParts(candidate, files);
        }
        catch (CorruptBlobException e)
        {
            await evaluation.SetAsideAsync(id, e, ct).ConfigureAwait(false);
            return null;
        }
    }

    private async Task<ModelCard> WriteAsync(RunManifest run, int version, EvaluationResult evaluated, ModelParts parts, CancellationToken ct)
    {
        Candidate candidate = parts.Candidate;
        DatasetVersion data = await datasets.GetVersionAsync(run.Dataset, run.DatasetVersion!.Value, ct).ConfigureAwait(false);
        TrainingSettings settings = TrainingWorkspace.SettingsOf(run);
        var card = new ModelCard
        {
            Model = run.Dataset,
            Version = version,
            CreatedAt = time.GetUtcNow(),
            Run = candidate.Run,
            DatasetVersion = data.Version,
            DatasetDigest = data.Digest,
            Drops = data.Drops,
            TrainRows = data.Train.Rows,
            Settings = SettingsJson.Of(settings),
            Seed = settings.Seed,
            Pretrained = settings.From is null ? settings.Pretrained : TrainingSettings.NoPretrained,
            PretrainedDigest = candidate.PretrainedDigest,
            Engine = candidate.Engine,
            CodeVersion = options.CodeVersion,
            TokenizerVersion = Tokenizer.Version,
            Directions = candidate.Directions,
            WeightsDigest = candidate.WeightsDigest,
            Files = parts.Files.ToDictionary(file => file.Key, file => Convert.ToHexStringLower(SHA256.HashData(file.Value))),
            Serves = candidate.Serves,
            Variants = candidate.Variants,
            Metrics = candidate.Scores,
            Calibration = candidate.Calibration,
            Reference = candidate.Reference,
            ComparedWith = evaluated.ComparedWith,
            ChampionMetrics = run.ChampionMetrics,
        };
        return await registry.PublishAsync(card, parts.Files, ct).ConfigureAwait(false);
    }

    private sealed record ModelParts(Candidate Candidate, IReadOnlyDictionary<string, byte[]> Files);

    [LoggerMessage(30, LogLevel.Information, "Model {Model} version {Version} published by {Run}: held-out accuracy {Accuracy:0.0000}, macro-F1 {MacroF1:0.0000}; weights {WeightsDigest}; {Reason}.")]
    private partial void LogPublished(string model, int version, string run, double accuracy, double macroF1, string weightsDigest, string reason);
}
