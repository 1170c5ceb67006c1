namespace Ulmfit.Training;

/// <summary>Measurements of one epoch.</summary>
/// <param name="Stage">Name of the stage.</param>
/// <param name="Kind">Which network was trained.</param>
/// <param name="Epoch">Epoch of the stage, from 1.</param>
/// <param name="Epochs">Epochs of the stage.</param>
/// <param name="TrainLoss">Mean cross-entropy in nats over the epoch, with dropout.</param>
/// <param name="HeldOutLoss">Mean cross-entropy in nats on held-out text after the epoch; null where there is none.</param>
/// <param name="Perplexity">exp of the held-out loss of a language model.</param>
/// <param name="TrainAccuracy">Share of training documents classified rightly, with dropout; null for a language model.</param>
/// <param name="Accuracy">Share of held-out documents classified rightly after the epoch; null for a language model.</param>
/// <param name="LearningRate">Learning rate of the highest group at the last step.</param>
/// <param name="Steps">Training steps of the epoch.</param>
/// <param name="Seconds">Wall-clock time of the epoch, or of its last slice.</param>
public sealed record EpochMetrics(
    string Stage, StageKind Kind, int Epoch, int Epochs, double TrainLoss, double? HeldOutLoss, double? Perplexity,
    double? TrainAccuracy, double? Accuracy, double LearningRate, int Steps, double Seconds)
{
    /// <summary>Mean F1 over the classes on held-out documents after the epoch; null for a language model.</summary>
    public double? MacroF1 { get; init; }

    /// <summary>The course of the epoch, first steps first; empty where it was not recorded.</summary>
    public IReadOnlyList<CurvePoint> Curve { get; init; } = [];

    /// <summary>With early stopping, the epoch whose weights training goes on with, when this was the last epoch of its phase.</summary>
    public RestoredEpoch? Restored { get; init; }
}

/// <summary>The best epoch of a phase.</summary>
/// <param name="Stage">Name of its stage.</param>
/// <param name="Epoch">Epoch of the stage, from 1.</param>
public sealed record RestoredEpoch(string Stage, int Epoch);

/// <summary>Where training is, told after every step.</summary>
/// <param name="Stage">Name of the stage.</param>
/// <param name="Epoch">Epoch of the stage, from 1.</param>
/// <param name="Epochs">Epochs of the stage.</param>
/// <param name="Step">Steps done of the epoch.</param>
/// <param name="Steps">Steps of the epoch.</param>
/// <param name="Loss">Mean cross-entropy of the epoch so far, in nats.</param>
/// <param name="LearningRate">Learning rate of the highest trained group.</param>
/// <param name="TokensPerSecond">Real tokens trained on per second since this slice began.</param>
public readonly record struct TrainingProgress(string Stage, int Epoch, int Epochs, int Step, int Steps, double Loss, double LearningRate, double TokensPerSecond)
{
    /// <summary>Real tokens trained on since this slice began.</summary>
    public long Tokens { get; init; }
}
