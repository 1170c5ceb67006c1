using System.Diagnostics;
using System.Diagnostics.Metrics;
using Ulmfit.Training;

namespace Ulmfit.Diagnostics;

/// <summary>Measures training: steps and tokens as they pass, epochs, runs by outcome.</summary>
public static class TrainingMeter
{
    private static readonly Counter<long> Steps = UlmfitMeter.Instance.CreateCounter<long>(
        "ulmfit.training.steps", "{step}", "Steps that were trained.");

    private static readonly Gauge<double> Throughput = UlmfitMeter.Instance.CreateGauge<double>(
        "ulmfit.training.throughput", "{token}/s", "Tokens a second of the training at hand.");

    private static readonly Gauge<double> Loss = UlmfitMeter.Instance.CreateGauge<double>(
        "ulmfit.training.loss", "{nat}", "The loss of the training at hand, or on held-out text at an epoch's end.");

    private static readonly Counter<long> Epochs = UlmfitMeter.Instance.CreateCounter<long>(
        "ulmfit.training.epochs", "{epoch}", "Epochs that have ended.");

    private static readonly Counter<long> Tokens = UlmfitMeter.Instance.CreateCounter<long>(
        "ulmfit.training.tokens", "{token}", "Tokens that were trained on.");

    private static readonly Histogram<double> EpochDuration = UlmfitMeter.Instance.CreateHistogram(
        "ulmfit.training.epoch.duration", "s", "The training of an epoch.", advice: UlmfitMeter.Slow);

    private static readonly Counter<long> Runs = UlmfitMeter.Instance.CreateCounter<long>(
        "ulmfit.training.runs", "{run}", "Runs that have ended, by outcome.");

    private static readonly Histogram<double> RunDuration = UlmfitMeter.Instance.CreateHistogram(
        "ulmfit.training.run.duration", "s", "From the begin of a run's training to its end.", advice: UlmfitMeter.Slow);

    /// <summary>Steps have been trained.</summary>
    /// <param name="model">The model: the data set's name, or that of a pretraining.</param>
    /// <param name="direction">The direction.</param>
    /// <param name="phase">What is trained.</param>
    /// <param name="steps">Steps since the last call.</param>
    /// <param name="tokens">Tokens since the last call.</param>
    /// <param name="loss">Mean training loss of the epoch so far, nats.</param>
    /// <param name="tokensPerSecond">Speed.</param>
    public static void RecordSteps(string model, Direction direction, TrainingPhase phase, long steps, long tokens, double loss, double tokensPerSecond)
    {
        TagList tags = TagsOf(model, direction, phase);
        Steps.Add(steps, tags);
        Tokens.Add(tokens, tags);
        Throughput.Record(tokensPerSecond, tags);
        RecordLoss(loss, tags, "train");
    }

    /// <summary>An epoch has ended.</summary>
    /// <param name="model">The model.</param>
    /// <param name="direction">The direction.</param>
    /// <param name="phase">What was trained.</param>
    /// <param name="trainLoss">Mean training loss, nats.</param>
    /// <param name="heldOutLoss">Mean loss on held-out text, nats; null where there is none.</param>
    /// <param name="duration">How long it took.</param>
    public static void RecordEpoch(string model, Direction direction, TrainingPhase phase, double trainLoss, double? heldOutLoss, TimeSpan duration)
    {
        TagList tags = TagsOf(model, direction, phase);
        Epochs.Add(1, tags);
        EpochDuration.Record(duration.TotalSeconds, tags);
        RecordLoss(trainLoss, tags, "train");
        if (heldOutLoss is { } loss)
        {
            RecordLoss(loss, tags, "held_out");
        }
    }

    /// <summary>A run has ended.</summary>
    /// <param name="model">The model: the data set's name.</param>
    /// <param name="outcome">How, in one of few lower-case words: completed, rejected, failed, canceled.</param>
    /// <param name="duration">How long its training took; null where it never began.</param>
    public static void EndRun(string model, string outcome, TimeSpan? duration)
    {
        var tags = new TagList { { UlmfitMeter.ModelKey, model }, { UlmfitMeter.OutcomeKey, outcome } };
        Runs.Add(1, tags);
        if (duration is { } took)
        {
            RunDuration.Record(took.TotalSeconds, tags);
        }
    }

    // A loss that is no number is told by the run's failure; as a gauge it would only hide the last one that was.
    private static void RecordLoss(double loss, TagList tags, string set)
    {
        if (double.IsFinite(loss))
        {
            tags.Add(UlmfitMeter.SetKey, set);
            Loss.Record(loss, tags);
        }
    }

    private static TagList TagsOf(string model, Direction direction, TrainingPhase phase) => new()
    {
        { UlmfitMeter.ModelKey, model },
        { UlmfitMeter.DirectionKey, direction == Direction.Forward ? "forward" : "backward" },
        { UlmfitMeter.PhaseKey, phase switch { TrainingPhase.Pretraining => "pretraining", TrainingPhase.LanguageModel => "language_model", _ => "classifier" } },
    };
}

/// <summary>What a training trains.</summary>
public enum TrainingPhase
{
    /// <summary>A language model on a corpus.</summary>
    Pretraining,

    /// <summary>The language model on a data set's text.</summary>
    LanguageModel,

    /// <summary>The classifier.</summary>
    Classifier,
}
