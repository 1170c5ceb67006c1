using System.Text.Json;
using Spectre.Console;
using Ulmfit.Engine;
using Ulmfit.Onnx;
using Ulmfit.Training;

namespace Ulmfit.Cli;

/// <summary>A trained direction.</summary>
internal sealed record TrainedDirection(DirectionWeights Weights, IReadOnlyList<EpochMetrics> Epochs);

/// <summary>
/// A training run whose checkpoints lie in the output folder: the same command goes on from the last epoch that was
/// finished, with the bits that an undisturbed run would have given.
/// </summary>
internal sealed class ResumableRun(string directory, ITrainingEngine engine, TrainingData data, TrainingSettings settings, PretrainedModel? pretrained, EarlierModel? from, string dataDigest)
{
    private readonly string fingerprintPath = Path.Combine(directory, "training.json");

    public string DataDigest => dataDigest;

    public IReadOnlyDictionary<Direction, TrainedDirection> Train(CancellationToken cancellationToken)
    {
        // Settings that do not go with the data are refused here, before anything is written.
        Dictionary<Direction, DirectionTraining> trainings = settings.Directions.Each().ToDictionary(direction => direction, direction => new DirectionTraining(engine, data, settings, direction, pretrained, from));
        Directory.CreateDirectory(directory);
        CheckFingerprint();
        var trained = new Dictionary<Direction, TrainedDirection>();
        AnsiConsole.Progress().AutoClear(true).HideCompleted(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                foreach ((Direction direction, DirectionTraining training) in trainings)
                {
                    trained[direction] = Train(direction, training, context, cancellationToken);
                }
            });
        return trained;
    }

    /// <summary>Removes the checkpoints of a run whose model has been written.</summary>
    public void Finish()
    {
        foreach (Direction direction in settings.Directions.Each())
        {
            File.Delete(CheckpointPath(direction));
            File.Delete(EpochsPath(direction));
        }

        File.Delete(fingerprintPath);
    }

    private TrainedDirection Train(Direction direction, DirectionTraining training, ProgressContext context, CancellationToken cancellationToken)
    {
        (Checkpoint? checkpoint, List<EpochMetrics> epochs) = Resume(direction, training);
        ProgressTask task = context.AddTask(direction.ToString().ToLowerInvariant(), maxValue: training.Plan.TotalEpochs);
        task.Value = epochs.Count;
        var progress = new StepProgress(step =>
        {
            task.Value = epochs.Count + ((double)step.Step / step.Steps);
            task.Description = $"{direction.ToString().ToLowerInvariant()} {step.Stage} {step.Epoch}/{step.Epochs} loss {step.Loss:F3} {step.TokensPerSecond:F0} tokens/s";
        });
        while (!checkpoint.Finished)
        {
            using TrainingEpoch opened = Open(training, ref checkpoint);
            checkpoint = opened.Run(progress, cancellationToken);
            if (checkpoint.LastEpoch is EpochMetrics epoch)
            {
                epochs.Add(epoch);
                AnsiConsole.WriteLine(Reports.Line(direction, epoch));
            }

            // Epochs first: a checkpoint that is ahead of its metrics would lose a line of the table for good.
            ModelDirectory.WriteWhole(EpochsPath(direction), stream => JsonSerializer.Serialize(stream, epochs));
            ModelDirectory.WriteWhole(CheckpointPath(direction), checkpoint.Write);
        }

        task.Value = task.MaxValue;
        return new TrainedDirection(new DirectionWeights(training.ClassifierConfig, checkpoint.State.WeightsOnly()), epochs);
    }

    // Takes the checkpoint out of the caller's hands: it is as large as the network, which has its own copy for the whole epoch.
    private static TrainingEpoch Open(DirectionTraining training, ref Checkpoint? checkpoint)
    {
        TrainingEpoch epoch = training.Open(checkpoint!);
        checkpoint = null;
        return epoch;
    }

    private (Checkpoint Checkpoint, List<EpochMetrics> Epochs) Resume(Direction direction, DirectionTraining training)
    {
        if (!File.Exists(CheckpointPath(direction)))
        {
            return (training.Start(), []);
        }

        using FileStream stream = File.OpenRead(CheckpointPath(direction));
        var checkpoint = Checkpoint.Read(stream);
        List<EpochMetrics> epochs = JsonSerializer.Deserialize<List<EpochMetrics>>(File.ReadAllBytes(EpochsPath(direction))) ?? [];

        // Killed between the two files: the last line belongs to an epoch that is trained again.
        (int stage, int epoch, _) = checkpoint.Position;
        string[] names = [.. training.Plan.Stages.Select(planned => planned.Name)];
        epochs.RemoveAll(line => Array.IndexOf(names, line.Stage) > stage || (Array.IndexOf(names, line.Stage) == stage && line.Epoch > epoch));
        AnsiConsole.WriteLine($"{direction.ToString().ToLowerInvariant()}: going on after {epochs.Count} of {training.Plan.TotalEpochs} epochs");
        return (checkpoint, epochs);
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

    private string CheckpointPath(Direction direction) => Path.Combine(directory, $"checkpoint-{direction.ToString().ToLowerInvariant()}.safetensors");

    private string EpochsPath(Direction direction) => Path.Combine(directory, $"epochs-{direction.ToString().ToLowerInvariant()}.json");
}
