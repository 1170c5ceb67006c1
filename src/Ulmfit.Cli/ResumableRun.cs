using System.Text.Json;
using Spectre.Console;
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

    public string DataDigest => dataDigest;

    /// <summary>When the first of the commands began that belong to this training.</summary>
    public DateTimeOffset StartedAt { get; private set; }

    public IReadOnlyDictionary<Direction, TrainedDirection> Train(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(directory);
        CheckFingerprint();
        StartedAt = File.GetLastWriteTimeUtc(fingerprintPath);
        var trained = new Dictionary<Direction, TrainedDirection>();
        AnsiConsole.Progress().AutoClear(true).HideCompleted(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                foreach (ResumableDirection direction in directions)
                {
                    trained[direction.Direction] = Train(direction, context, cancellationToken);
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

    private static TrainedDirection Train(ResumableDirection direction, ProgressContext context, CancellationToken cancellationToken)
    {
        ProgressTask task = context.AddTask(direction.Direction.Name(), maxValue: direction.Plan.TotalEpochs);
        TrainedDirection trained = direction.Train(
            (finished, step) =>
            {
                task.Value = finished + ((double)step.Step / step.Steps);
                task.Description = Reports.StepLine(direction.Direction, step);
            },
            _ => { },
            cancellationToken);
        task.Value = task.MaxValue;
        return trained;
    }

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
