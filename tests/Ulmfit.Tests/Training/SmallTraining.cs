using System.Globalization;
using Ulmfit.Cpu;
using Ulmfit.Data;
using Ulmfit.Training;

namespace Ulmfit.Tests.Training;

/// <summary>Sixty short texts of two classes, and their training on the CPU engine in seconds.</summary>
internal static class SmallTraining
{
    public static readonly TrainingSettings Settings = TrainingSettings.Default with
    {
        Pretrained = TrainingSettings.NoPretrained,
        MinimumCount = 1,
        Discriminative = true,
        DiscriminativeFactor = 2.6,
        LanguageModel = new LanguageModelSettings { FineTune = true, Epochs = 2, Bptt = 9, Batch = 4 },
        Classifier = new ClassifierSettings { Epochs = 2, Batch = 8, LearningRate = 0.01 },
    };

    public static readonly TrainingData Data = TrainingData.Prepare(Rows(0, 40), Rows(40, 10), ["an unlabelled text about apples", "another one about rain"], Settings, null);

    public static (Checkpoint Last, List<EpochMetrics> Epochs) Run(TrainingSettings settings, Direction direction, bool throughFiles = false)
    {
        using var engine = new CpuTrainingEngine(2);
        return Run(new DirectionTraining(engine, Data, settings, direction, null), throughFiles);
    }

    public static (Checkpoint Last, List<EpochMetrics> Epochs) Run(DirectionTraining training, bool throughFiles = false, Action<Checkpoint>? onEpoch = null)
    {
        var epochs = new List<EpochMetrics>();
        Checkpoint checkpoint = training.Start();
        while (!checkpoint.Finished)
        {
            checkpoint = training.Train(checkpoint, null, TestContext.Current.CancellationToken);
            if (checkpoint.LastEpoch is EpochMetrics epoch)
            {
                epochs.Add(epoch);
                onEpoch?.Invoke(checkpoint);
            }

            if (throughFiles)
            {
                checkpoint = ThroughAFile(checkpoint);
            }
        }

        return (checkpoint, epochs);
    }

    public static Checkpoint ThroughAFile(Checkpoint checkpoint)
    {
        using var file = new MemoryStream();
        checkpoint.Write(file);
        file.Position = 0;
        return Checkpoint.Read(file);
    }

    public static LabeledRow[] Rows(int first, int count)
    {
        string[] fruit = ["apples", "pears", "plums", "cherries", "grapes"], weather = ["rain", "snow", "wind", "sunshine", "fog"];
        string[] frames = ["I would like some {0} please", "there is {0} today", "tell me about {0}", "{0} again and again", "what about the {0} of last week ?"];
        return [.. Enumerable.Range(first, count).Select(i => new LabeledRow(
            string.Format(CultureInfo.InvariantCulture, frames[i / 2 % frames.Length], i % 2 == 0 ? fruit[i / 3 % 5] : weather[i / 3 % 5]) + $" {i}",
            i % 2 == 0 ? "fruit" : "weather", i + 1))];
    }
}
