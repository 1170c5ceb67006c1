using System.Diagnostics;
using System.Text.Json;
using Ulmfit.Cli.Terminal;
using Ulmfit.Engine;
using Ulmfit.Training;

namespace Ulmfit.Cli;

/// <summary>
/// A training run whose checkpoints lie in the output folder: the same command goes on from the last epoch that was
/// finished, with the bits that an undisturbed run would have given.
/// </summary>
internal sealed class ResumableRun(string directory, ITrainingEngine engine, TrainingData data, TrainingSettings settings, PretrainedModel? pretrained, EarlierModel? from, string dataDigest)
{
    private readonly string fingerprintPath = Path.Combine(directory, "training.json");

    // Settings that do not go with the data are refused here, before anything is written.
    private readonly ResumableDirection[] directions =
        [.. settings.Directions.Each().Select(direction => new ResumableDirection(directory, direction, new DirectionTraining(engine, data, settings, direction, pretrained, from)))];

    private readonly double languageModelTokens = data.LanguageModelTexts.Sum(text => (double)text.Length);
    private readonly double classifierTokens = data.Train.Sum(document => (double)document.Tokens.Length);

    public string DataDigest => dataDigest;

    /// <summary>When the first of the commands began that belong to this training.</summary>
    public DateTimeOffset StartedAt { get; private set; }

    public IReadOnlyDictionary<Direction, TrainedDirection> Train(Screen screen, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(directory);
        CheckFingerprint();
        StartedAt = File.GetLastWriteTimeUtc(fingerprintPath);
        var trained = new Dictionary<Direction, TrainedDirection>();
        var table = new EpochTable(screen);
        RemainingWork work = Planned();
        ProgressDisplay.Show(screen, display =>
        {
            foreach (ResumableDirection direction in directions)
            {
                trained[direction.Direction] = Train(direction, screen, display, table, work, cancellationToken);
            }
        });
        return trained;
    }

    /// <summary>Removes the checkpoints of a run whose model has been written.</summary>
    public void Finish()
    {
        foreach (ResumableDirection direction in directions)
        {
            direction.Delete();
        }

        File.Delete(fingerprintPath);
    }

    private TrainedDirection Train(ResumableDirection direction, Screen screen, ProgressDisplay display, EpochTable table, RemainingWork work, CancellationToken cancellationToken)
    {
        var kinds = direction.Plan.Stages.ToDictionary(stage => stage.Name, stage => stage.Kind);
        var left = new Dictionary<StageKind, int>
        {
            [StageKind.LanguageModel] = direction.Plan.EpochsOf(StageKind.LanguageModel), [StageKind.Classifier] = direction.Plan.EpochsOf(StageKind.Classifier),
        };
        var clock = Stopwatch.StartNew();
        TrainedDirection trained = direction.Train(
            screen,
            (_, step) =>
            {
                StageKind kind = kinds[step.Stage];
                RemainingWork now = work.With(kind, TokensOf(kind) * step.Step / step.Steps, clock.Elapsed.TotalSeconds);
                display.Report(new WorkProgress("training", [Lane.Of(direction.Direction, kind, step)], now.Done, now.Estimate()));
            },
            epoch =>
            {
                work.Train(epoch.Kind, TokensOf(epoch.Kind), epoch.Seconds);
                clock.Restart();
                table.Add(direction.Direction, epoch);
            },
            cancellationToken);

        // What early stopping has saved.
        foreach ((StageKind kind, int planned) in left)
        {
            work.Plan(kind, -TokensOf(kind) * Math.Max(0, planned - trained.Epochs.Count(epoch => epoch.Kind == kind)));
        }

        return trained;
    }

    private RemainingWork Planned()
    {
        var work = new RemainingWork();
        foreach (ResumableDirection direction in directions)
        {
            int done = direction.FinishedEpochs(), languageModel = direction.Plan.EpochsOf(StageKind.LanguageModel), classifier = direction.Plan.EpochsOf(StageKind.Classifier);
            work.Plan(StageKind.LanguageModel, TokensOf(StageKind.LanguageModel) * Math.Max(0, languageModel - done));
            work.Plan(StageKind.Classifier, TokensOf(StageKind.Classifier) * Math.Max(0, classifier - Math.Max(0, done - languageModel)));
        }

        return work;
    }

    private double TokensOf(StageKind kind) => kind == StageKind.LanguageModel ? languageModelTokens : classifierTokens;

    private void CheckFingerprint()
    {
        string fingerprint = JsonSerializer.Serialize(new { dataDigest, settings, pretrained = pretrained?.Digest, from = from?.Digest, engine = engine.Name });
        if (!File.Exists(fingerprintPath))
        {
            ModelDirectory.WriteWhole(fingerprintPath, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(fingerprint)));
        }
        else if (File.ReadAllText(fingerprintPath) != fingerprint)
        {
            throw new UsageException($"'{directory}' holds an unfinished training on other data or with other settings. Repeat that command to finish it, delete the folder, or choose another --out.");
        }
    }
}
