using System.Text.Json.Serialization;
using Ulmfit.Model;

namespace Ulmfit.Training;

/// <summary>By what held-out score the best epoch is known.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<EarlyStoppingMetric>))]
public enum EarlyStoppingMetric
{
    /// <summary>The lowest mean cross-entropy.</summary>
    [JsonStringEnumMemberName("loss")]
    Loss,

    /// <summary>The highest accuracy; of a classifier alone.</summary>
    [JsonStringEnumMemberName("accuracy")]
    Accuracy,

    /// <summary>The highest macro-F1; of a classifier alone.</summary>
    [JsonStringEnumMemberName("macro-f1")]
    MacroF1,
}

/// <summary>When a phase ends before its last epoch.</summary>
public sealed record EarlyStoppingSettings
{
    /// <summary>How many epochs of a stage in a row may be no better than the best before the stage ends.</summary>
    public int Patience { get; init; } = 3;

    /// <summary>By what held-out score the best epoch is known.</summary>
    public EarlyStoppingMetric Metric { get; init; } = EarlyStoppingMetric.Loss;
}

/// <summary>The best epoch of a phase so far; a part of the checkpoint, so that a run that was killed restores the same.</summary>
/// <param name="Stage">Index of its stage.</param>
/// <param name="Epoch">Epoch of the stage, from 0.</param>
/// <param name="Score">Its score, greater being better.</param>
/// <param name="EpochsSince">How many epochs of the present stage have not been better.</param>
/// <param name="Weights">Its weights and running statistics.</param>
public sealed record BestEpoch(int Stage, int Epoch, double Score, int EpochsSince, StateDict Weights);

/// <summary>
/// Early stopping: the best epoch of a phase (the language model's stages, or the classifier's) is remembered over all its
/// stages, since gradual unfreezing may be past its best before its last stage; a stage ends when it has not got better for as
/// many epochs as patience allows; when the last stage of the phase ends, by that or after all its epochs, the weights
/// become those of the best epoch. Without held-out text there is no best epoch, and every epoch is trained.
/// </summary>
internal static class EarlyStopping
{
    /// <summary>What is remembered after an epoch.</summary>
    /// <param name="settings">When to stop.</param>
    /// <param name="best">What was remembered before it.</param>
    /// <param name="position">The epoch.</param>
    /// <param name="score">Its held-out score.</param>
    /// <param name="state">The network's state after it.</param>
    public static BestEpoch? After(EarlyStoppingSettings settings, BestEpoch? best, TrainingPosition position, HeldOutScore score, StateDict state)
    {
        double? value = settings.Metric switch
        {
            EarlyStoppingMetric.Loss => -score.Loss,
            EarlyStoppingMetric.Accuracy => score.Accuracy,
            _ => score.MacroF1,
        };
        return value is double found && double.IsFinite(found) && !(found <= best?.Score)
            ? new BestEpoch(position.Stage, position.Epoch, found, 0, state.WeightsOnly())
            : best is null ? null
            : best with { EpochsSince = position.Epoch == 0 ? 1 : best.EpochsSince + 1 };
    }
}
