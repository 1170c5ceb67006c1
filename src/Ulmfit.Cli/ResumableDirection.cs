using System.Diagnostics;
using System.Text.Json;
using Ulmfit.Cli.Terminal;
using Ulmfit.Onnx;
using Ulmfit.Training;

namespace Ulmfit.Cli;

/// <summary>A trained direction.</summary>
internal sealed record TrainedDirection(DirectionWeights Weights, StagePlan Plan, IReadOnlyList<EpochMetrics> Epochs);

/// <summary>
/// The training of one direction whose checkpoint lies in a folder: it goes on from the last epoch that was finished, with
/// the bits that an undisturbed training would have given; a finished one is read.
/// </summary>
/// <param name="directory">The folder; it must exist when training begins.</param>
/// <param name="direction">The direction.</param>
/// <param name="training">What is trained.</param>
/// <param name="languageModels">Where language models that were fine-tuned before are found, and this one is kept; null for nowhere.</param>
internal sealed class ResumableDirection(string directory, Direction direction, DirectionTraining training, LanguageModelCache? languageModels = null)
{
    private string CheckpointPath => Path.Combine(directory, $"checkpoint-{direction.Name()}.safetensors");

    private string EpochsPath => Path.Combine(directory, $"epochs-{direction.Name()}.json");

    /// <summary>The direction.</summary>
    public Direction Direction => direction;

    /// <summary>The stages.</summary>
    public StagePlan Plan => training.Plan;

    /// <summary>Trains what is left.</summary>
    /// <param name="screen">Where it tells from where it goes on.</param>
    /// <param name="onStep">Told the number of finished epochs and the step after every step.</param>
    /// <param name="onEpoch">Told after every epoch that is trained now.</param>
    /// <param name="cancellationToken">Checked before every step.</param>
    public TrainedDirection Train(Screen screen, Action<int, TrainingProgress> onStep, Action<EpochMetrics> onEpoch, CancellationToken cancellationToken)
    {
        (Checkpoint? checkpoint, List<EpochMetrics> epochs) = Resume(screen);
        var progress = new StepProgress(step => onStep(epochs.Count, step));
        var clock = new Stopwatch();
        while (!checkpoint.Finished)
        {
            if (checkpoint.Position == training.LanguageModelEnd)
            {
                languageModels?.Keep(training, checkpoint, epochs);
            }

            // An epoch may be cut into slices, of which it times only its last.
            clock.Start();
            using TrainingEpoch opened = Open(ref checkpoint);
            checkpoint = opened.Run(progress, cancellationToken);
            clock.Stop();
            if (checkpoint.LastEpoch is EpochMetrics last)
            {
                EpochMetrics epoch = last with { Seconds = clock.Elapsed.TotalSeconds };
                clock.Reset();
                epochs.Add(epoch);
                onEpoch(epoch);
            }

            // Epochs first: a checkpoint that is ahead of its metrics would lose a line of the table for good.
            ModelDirectory.WriteWhole(EpochsPath, stream => JsonSerializer.Serialize(stream, epochs));
            ModelDirectory.WriteWhole(CheckpointPath, checkpoint.Write);
        }

        return new TrainedDirection(new DirectionWeights(training.ClassifierConfig, checkpoint.State.WeightsOnly()), Plan, epochs);
    }

    /// <summary>How many epochs were finished by a training that was begun in the folder.</summary>
    public int FinishedEpochs() => File.Exists(EpochsPath) ? JsonSerializer.Deserialize<List<EpochMetrics>>(File.ReadAllBytes(EpochsPath))?.Count ?? 0 : 0;

    /// <summary>Removes its files.</summary>
    public void Delete()
    {
        File.Delete(CheckpointPath);
        File.Delete(EpochsPath);
    }

    // Takes the checkpoint out of the caller's hands: it is as large as the network, which has its own copy for the whole epoch.
    private TrainingEpoch Open(ref Checkpoint? checkpoint)
    {
        TrainingEpoch epoch = training.Open(checkpoint!);
        checkpoint = null;
        return epoch;
    }

    private (Checkpoint Checkpoint, List<EpochMetrics> Epochs) Resume(Screen screen)
    {
        if (!File.Exists(CheckpointPath))
        {
            return languageModels?.Find(training) is (Checkpoint shared, IReadOnlyList<EpochMetrics> before) ? (shared, [.. before]) : (training.Start(), []);
        }

        using FileStream stream = File.OpenRead(CheckpointPath);
        var checkpoint = Checkpoint.Read(stream);
        List<EpochMetrics> epochs = JsonSerializer.Deserialize<List<EpochMetrics>>(File.ReadAllBytes(EpochsPath)) ?? [];

        // Killed between the two files: the last line belongs to an epoch that is trained again.
        (int stage, int epoch, _) = checkpoint.Position;
        string[] names = [.. Plan.Stages.Select(planned => planned.Name)];
        epochs.RemoveAll(line => Array.IndexOf(names, line.Stage) > stage || (Array.IndexOf(names, line.Stage) == stage && line.Epoch > epoch));
        if (!checkpoint.Finished)
        {
            screen.Line($"{direction.Name()}: going on after {epochs.Count} of {Plan.TotalEpochs} epochs");
        }

        return (checkpoint, epochs);
    }
}
