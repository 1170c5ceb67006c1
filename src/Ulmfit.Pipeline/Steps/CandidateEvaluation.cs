using System.Text.Json;
using Microsoft.Extensions.Logging;
using Ulmfit.Data;
using Ulmfit.Metrics;
using Ulmfit.Onnx;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Pipeline.Drift;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Pipeline.Serving;
using Ulmfit.Reports;
using Ulmfit.Storage;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Steps;

/// <summary>
/// Exports what a run has trained, measures it on the held-out rows with the very code that will answer, and compares it with the
/// champion on the same rows. Repeating it exports and measures nothing again; the comparison is with the champion of the moment.
/// </summary>
/// <remarks>
/// What it makes is a function of the run, so what it finds damaged of that it makes again. Where a step of the training is
/// damaged, it says so in its result, and the step is trained again.
/// </remarks>
public sealed partial class CandidateEvaluation
{
    private const string Producer = "serverless-ulmfit";

    // Of what length speed is told, and how long measuring it may take.
    private const int SpeedTokens = 64;
    private static readonly TimeSpan SpeedTime = TimeSpan.FromSeconds(1);

    private readonly TrainingWorkspace workspace;
    private readonly DatasetCatalog datasets;
    private readonly PretrainedModels pretrained;
    private readonly EpochStep epochs;
    private readonly RunRegistry runs;
    private readonly ModelRegistry registry;
    private readonly ModelCache cache;
    private readonly PipelineOptions options;
    private readonly DocumentStore documents;
    private readonly PayloadStore payloads;
    private readonly RunReports reports;
    private readonly ILogger logger;

    /// <summary>Makes the step.</summary>
    /// <param name="store">Where the candidate goes.</param>
    /// <param name="workspace">Brings the training together.</param>
    /// <param name="datasets">The data sets.</param>
    /// <param name="pretrained">Pretrained models.</param>
    /// <param name="epochs">The steps that trained it.</param>
    /// <param name="runs">The runs.</param>
    /// <param name="registry">Published models.</param>
    /// <param name="cache">Loaded models, for the champion.</param>
    /// <param name="options">When int8 may answer.</param>
    /// <param name="logger">Where scores are told.</param>
    public CandidateEvaluation(
        IBlobStore store, TrainingWorkspace workspace, DatasetCatalog datasets, PretrainedModels pretrained, EpochStep epochs, RunRegistry runs,
        ModelRegistry registry, ModelCache cache, PipelineOptions options, ILogger<CandidateEvaluation> logger)
    {
        documents = new DocumentStore(store);
        payloads = new PayloadStore(store);
        reports = new RunReports(store);
        this.workspace = workspace;
        this.datasets = datasets;
        this.pretrained = pretrained;
        this.epochs = epochs;
        this.runs = runs;
        this.registry = registry;
        this.cache = cache;
        this.options = options;
        this.logger = logger;
    }

    /// <summary>Evaluates a run whose directions are all trained.</summary>
    /// <param name="runId">The run's id.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <exception cref="PipelineException">The run's data or the champion is missing or damaged.</exception>
    public async Task<EvaluationResult> RunAsync(string runId, CancellationToken ct = default)
    {
        RunId id = RunId.Parse(runId);
        RunManifest run = await runs.GetAsync(id, ct).ConfigureAwait(false);
        DatasetVersion version = await datasets.GetVersionAsync(run.Dataset, run.DatasetVersion!.Value, ct).ConfigureAwait(false);
        DatasetRows rows = await datasets.ReadRowsAsync(version, ct).ConfigureAwait(false);
        bool reportLost = false;
        bool hasReport = await reports.FindOrDiscardAsync(
            id,
            damage =>
            {
                reportLost = true;
                LogLost(damage, runId);
            },
            ct).ConfigureAwait(false) is not null;
        Candidate? candidate = reportLost ? null : await FindCandidateAsync(id, ct).ConfigureAwait(false);
        if (candidate is null)
        {
            candidate = await MakeCandidateAsync(run, version, rows, ct).ConfigureAwait(false);
            hasReport = true;
        }
        if (candidate is null)
        {
            return new EvaluationResult(runId, false, "a step of the training is damaged or gone and is trained again", null, 0, 0, "") { TrainAgain = true };
        }
        ChampionScores? champion = await ScoreChampionAsync(run, rows, ct).ConfigureAwait(false);
        GateDecision decision = EvaluationGate.Decide(candidate.Scores, rows.Train.Count, candidate.Baseline, champion);
        await runs.UpdateAsync(
            id,
            current => current.WeightsDigest == candidate.WeightsDigest && current.ComparedWith == champion?.Version && current.Decision == decision.Reason ? current : current with
            {
                Metrics = candidate.Scores,
                WeightsDigest = candidate.WeightsDigest,
                ComparedWith = champion?.Version,
                ChampionMetrics = champion?.Scores,
                Decision = decision.Reason,
                HasReport = hasReport,
            },
            ct).ConfigureAwait(false);
        LogScores(runId, candidate.Scores.Rows, candidate.Scores.Accuracy, candidate.Scores.MacroF1, candidate.Baseline.Accuracy, candidate.Baseline.MacroF1);
        return new EvaluationResult(
            runId, decision.Accepted, decision.Reason, champion?.Version, candidate.Scores.Accuracy, candidate.Scores.MacroF1, candidate.WeightsDigest);
    }

    internal async Task<Candidate?> FindCandidateAsync(RunId run, CancellationToken ct) =>
        (await documents.ReadOrDiscardAsync<Candidate>(Containers.State, StatePaths.Candidate(run), damage => LogLost(damage, run.ToString()), ct).ConfigureAwait(false))?.Value;

    /// <summary>Forgets the model of a run because something of it is damaged; the evaluation makes it again.</summary>
    internal async Task SetAsideAsync(RunId run, CorruptBlobException damage, CancellationToken ct)
    {
        LogLost(damage, run.ToString());
        await documents.Blobs.DeleteAsync(Containers.State, StatePaths.Candidate(run), ct).ConfigureAwait(false);
    }

    // Null where a step of the training has to be made again first.
    private async Task<Candidate?> MakeCandidateAsync(RunManifest run, DatasetVersion version, DatasetRows rows, CancellationToken ct)
    {
        RunId id = run.GetId();
        TrainingSettings settings = TrainingWorkspace.SettingsOf(run);
        TrainingData data = await workspace.OpenDataAsync(run, ct).ConfigureAwait(false);
        var trained = new Dictionary<Direction, DirectionWeights>();
        var directions = new List<DirectionReport>();
        string engine = workspace.Engine.Name;
        foreach (Direction direction in settings.Directions.Each())
        {
            if (await epochs.FindAllAsync(id, direction, ct).ConfigureAwait(false) is not { } steps)
            {
                return null;
            }
            Checkpoint checkpoint;
            try
            {
                checkpoint = await epochs.ReadCheckpointAsync(id, steps[^1].Checkpoint, ct).ConfigureAwait(false);
            }
            catch (CorruptBlobException e)
            {
                await epochs.SetAsideAsync(id, direction, steps[^1], e, ct).ConfigureAwait(false);
                return null;
            }
            DirectionTraining training = await workspace.OpenAsync(run, direction, ct).ConfigureAwait(false);
            engine = steps[^1].Engine;
            directions.Add(DirectionReport.Of(direction, training.Plan, EpochsOf(steps)));
            trained.Add(direction, new DirectionWeights(training.ClassifierConfig, checkpoint.State.WeightsOnly()));
        }
        string weightsDigest = WeightsDigest.Of(trained.OrderBy(pair => pair.Key).Select(pair => pair.Value.Weights));
        var metadata = new OnnxModelMetadata(data.Labels, Producer, new Dictionary<string, string>
        {
            ["vocabularyDigest"] = data.Vocabulary.Digest,
            ["weightsDigest"] = weightsDigest,
            ["tokenizer"] = Tokenizer.Version,
        });
        DirectionWeights? forward = trained.GetValueOrDefault(Direction.Forward), backward = trained.GetValueOrDefault(Direction.Backward);
        Evaluated float32 = await EvaluateAsync(
            id, ModelFiles.Model, (stream, temperature) => OnnxClassifierWriter.Write(stream, forward, backward, metadata with { Temperature = temperature }), data, rows, ct).ConfigureAwait(false);
        Evaluated int8 = await EvaluateAsync(
            id, ModelFiles.Int8Model, (stream, temperature) => OnnxClassifierWriter.WriteInt8(stream, forward, backward, metadata with { Temperature = temperature }), data, rows, ct).ConfigureAwait(false);
        string serves = ModelVariant.Choose(float32.Scores, int8.Scores, options.Int8Tolerance);
        (_, _, IReadOnlyList<float[]> probabilities, CalibrationFit? calibration, Scores scores) = serves == ModelFiles.Int8Model ? int8 : float32;
        LogChoice(
            id.ToString(), serves, float32.Variant.Bytes / 1e6, float32.Scores.MacroF1, float32.Variant.Speed.MicrosecondsPerToken, float32.Variant.Speed.MicrosecondsPerTokenInBatches,
            int8.Variant.Bytes / 1e6, int8.Scores.MacroF1, int8.Variant.Speed.MicrosecondsPerToken, int8.Variant.Speed.MicrosecondsPerTokenInBatches);
        string prefix = StatePaths.Payloads(id);
        string labels = await payloads.PutAsync(prefix, JsonSerializer.SerializeToUtf8Bytes(data.Labels, SealedJson.Options), ct).ConfigureAwait(false);
        string vocabulary = await payloads.PutAsync(prefix, data.Vocabulary.ToJson(), ct).ConfigureAwait(false);

        // Before the candidate: a run that has one has its report.
        await reports.CreateAsync(
            id,
            new TrainingReport
            {
                Name = run.Dataset,
                Run = id.ToString(),
                StartedAt = run.StartedAt,
                Scores = [RowScores.Of(RowsKind.HeldOut, null, data.Labels, rows.HeldOut, probabilities, settings.Report.HardestExamples)],
                Calibration = calibration,
                Directions = directions,
                Data = ReportData.Of(version.Digest, data),
                Start = ReportStart.Of(settings, await workspace.FindStartDigestAsync(settings, ct).ConfigureAwait(false)),
                Settings = run.Settings,
                Engine = engine,
                Tokenizer = Tokenizer.Version,
                WeightsDigest = weightsDigest,
            },
            ct).ConfigureAwait(false);
        var candidate = new Candidate(
            id.ToString(), float32.Digest, labels, vocabulary, weightsDigest,
            [.. settings.Directions.Each().Select(StatePaths.NameOf)],
            engine,
            settings.From is null ? (await pretrained.LoadAsync(settings.Pretrained, ct).ConfigureAwait(false))?.Digest : null,
            scores,
            Scoring.OfMostFrequent(rows.Train, rows.HeldOut))
        {
            Int8Model = int8.Digest,
            Serves = serves,
            Variants = [float32.Variant, int8.Variant],
            Calibration = calibration,
            Reference = DriftReference.Of(data, rows.Train, probabilities),
        };
        if (calibration is not null)
        {
            LogCalibration(id.ToString(), calibration.Temperature, calibration.Rows, calibration.Before.ExpectedError, calibration.After.ExpectedError, calibration.CrossFitted?.ExpectedError, calibration.ErrorByChance);
        }
        await documents.CreateAsync(Containers.State, StatePaths.Candidate(id), candidate, ct).ConfigureAwait(false);
        return await FindCandidateAsync(id, ct).ConfigureAwait(false) ?? candidate;
    }

    // The temperature is fitted to what the model says without one, and its file is written once it is known. Scaled with it, these are
    // the bits that the file answers with.
    private async Task<Evaluated> EvaluateAsync(RunId run, string file, Action<Stream, double> write, TrainingData data, DatasetRows rows, CancellationToken ct)
    {
        using var model = new MemoryStream();
        write(model, TemperatureScaling.None);
        IReadOnlyList<float[]> probabilities;
        ClassifierSpeed speed;
        OnnxPrecision precision;
        using (OnnxTextClassifier classifier = OnnxTextClassifier.Load(model.GetBuffer().AsMemory(0, (int)model.Length), data.Vocabulary, data.Labels))
        {
            precision = classifier.Precision;
            probabilities = await Scoring.PredictAsync(texts => classifier.PredictAsync(texts, ct), rows.HeldOut).ConfigureAwait(false);
            speed = await Task.Run(() => classifier.MeasureSpeed(SpeedTokens, SpeedTime, ct), ct).ConfigureAwait(false);
        }
        CalibrationFit? calibration = CalibrationFit.Calibrate(data.Labels, rows.HeldOut.Select(row => row.Label), probabilities);
        long bytes = 0;
        string digest = await payloads.PutAsync(
            StatePaths.Payloads(run),
            stream =>
            {
                write(stream, calibration?.Temperature ?? TemperatureScaling.None);
                bytes = stream.Length;
            },
            ct).ConfigureAwait(false);
        Scores scores = Scoring.Of(data.Labels, probabilities, rows.HeldOut);
        var variant = new ModelVariant(file, precision == OnnxPrecision.Int8 ? "int8" : "float32", bytes, scores.Accuracy, scores.MacroF1, speed);
        return new Evaluated(digest, variant, probabilities, calibration, scores);
    }

    private async Task<ChampionScores?> ScoreChampionAsync(RunManifest run, DatasetRows rows, CancellationToken ct)
    {
        if (await registry.FindChampionAsync(run.Dataset, ct).ConfigureAwait(false) is not { } pointer)
        {
            return null;
        }
        int version = pointer.Value.Version;
        using ModelLease lease = await cache.AcquireVersionAsync(run.Dataset, version, ct).ConfigureAwait(false)
            ?? throw new CorruptBlobException($"{Containers.Models}/{ModelFiles.ChampionOf(run.Dataset)}", $"it names version {version}, which does not exist");
        IReadOnlyList<float[]> probabilities = await Scoring.PredictAsync(texts => lease.PredictPatientlyAsync(texts, ct), rows.HeldOut).ConfigureAwait(false);
        return new ChampionScores(version, Scoring.Of(lease.Labels, probabilities, rows.HeldOut), lease.Card.TrainRows);
    }

    // An epoch may have been cut into steps, of which it measures only its last.
    private static IEnumerable<EpochMetrics> EpochsOf(IReadOnlyList<StepManifest> steps)
    {
        double seconds = 0;
        foreach (StepManifest step in steps)
        {
            seconds += step.Seconds;
            if (step.Metrics is { } epoch)
            {
                yield return epoch with { Seconds = seconds };
                seconds = 0;
            }
        }
    }

    // A file of the candidate, what it says of the held-out rows, and what that is worth.
    private sealed record Evaluated(string Digest, ModelVariant Variant, IReadOnlyList<float[]> Probabilities, CalibrationFit? Calibration, Scores Scores);

    [LoggerMessage(23, LogLevel.Information, "{Run}: {Serves} answers; float32 {Float32Size:0.0} MB, macro-F1 {Float32F1:0.0000}, {Float32Alone:0.#} µs a token alone and {Float32Together:0.#} in batches; int8 {Int8Size:0.0} MB, {Int8F1:0.0000}, {Int8Alone:0.#} and {Int8Together:0.#}.")]
    private partial void LogChoice(
        string run, string serves, double float32Size, double float32F1, double float32Alone, double float32Together, double int8Size, double int8F1, double int8Alone, double int8Together);

    [LoggerMessage(21, LogLevel.Error, "{Run}: what the evaluation left is damaged; it is made again.")]
    private partial void LogLost(Exception exception, string run);

    [LoggerMessage(22, LogLevel.Information, "{Run}: temperature {Temperature:0.####}, fitted to {Rows} held-out rows: expected calibration error {Before:P2} without, {After:P2} with it, {CrossFitted:P2} on rows that it was not fitted to; {ByChance:P2} by chance.")]
    private partial void LogCalibration(string run, double temperature, int rows, double before, double after, double? crossFitted, double byChance);

    [LoggerMessage(20, LogLevel.Information, "{Run}: on {Rows} held-out rows accuracy {Accuracy:0.0000}, macro-F1 {MacroF1:0.0000} (always the most frequent class: {BaselineAccuracy:0.0000}, {BaselineMacroF1:0.0000}).")]
    private partial void LogScores(string run, int rows, double accuracy, double macroF1, double baselineAccuracy, double baselineMacroF1);
}
