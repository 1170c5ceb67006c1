namespace Ulmfit.Training;

/// <summary>When a slice of training ends before its epoch does; at least one step is trained.</summary>
/// <param name="Steps">After so many steps; null for no limit.</param>
/// <param name="Time">After so long; null for no limit.</param>
public readonly record struct SliceLimit(int? Steps, TimeSpan? Time);

/// <summary>Measurements of one slice of pretraining.</summary>
/// <param name="Step">Steps done in all.</param>
/// <param name="Steps">Steps of the whole training.</param>
/// <param name="Epochs">How often the corpus has been read, with fractions.</param>
/// <param name="Tokens">Tokens trained on in all.</param>
/// <param name="TrainLoss">Mean cross-entropy of the slice in nats, with dropout.</param>
/// <param name="HeldOutLoss">Mean cross-entropy on held-out documents, each read from a zero state; null where there is none.</param>
/// <param name="HeldOutTokens">Predictions that it is the mean of: all of the held-out text when training has finished, a sample before.</param>
/// <param name="LearningRate">Learning rate of the last step.</param>
/// <param name="Seconds">Wall-clock time of the slice with its measurement.</param>
public sealed record PretrainingMetrics(int Step, int Steps, double Epochs, long Tokens, double TrainLoss, double? HeldOutLoss, long HeldOutTokens, double LearningRate, double Seconds)
{
    /// <summary>exp of the held-out loss.</summary>
    public double? Perplexity => HeldOutLoss is double loss ? Math.Exp(loss) : null;
}

/// <summary>A trained slice.</summary>
/// <param name="Checkpoint">Where the next one begins.</param>
/// <param name="Metrics">What was measured.</param>
public sealed record PretrainingSlice(Checkpoint Checkpoint, PretrainingMetrics Metrics);

/// <summary>Where pretraining is, told after every step.</summary>
/// <param name="Step">Steps done in all.</param>
/// <param name="Steps">Steps of the whole training.</param>
/// <param name="Epochs">How often the corpus has been read, with fractions.</param>
/// <param name="Loss">Mean cross-entropy of the slice so far, in nats.</param>
/// <param name="LearningRate">Learning rate of the step.</param>
/// <param name="TokensPerSecond">Tokens trained on per second since the slice began.</param>
public readonly record struct PretrainingProgress(int Step, int Steps, double Epochs, double Loss, double LearningRate, double TokensPerSecond)
{
    /// <summary>Tokens trained on since the slice began.</summary>
    public long Tokens { get; init; }
}
