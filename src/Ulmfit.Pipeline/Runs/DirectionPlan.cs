using System.Globalization;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Runs;

/// <summary>What a direction of a run is going to be trained, for people to see how far it is; nothing else depends on it.</summary>
/// <param name="Direction">The direction.</param>
/// <param name="Stages">The stages in order. <see cref="EpochRecord.StageIndex"/> counts them.</param>
public sealed record DirectionPlan(Direction Direction, IReadOnlyList<PlannedStage> Stages)
{
    /// <summary>The plan of a direction.</summary>
    /// <param name="direction">The direction.</param>
    /// <param name="plan">Its stages.</param>
    public static DirectionPlan Of(Direction direction, StagePlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return new DirectionPlan(direction, [.. plan.Stages.Select(PlannedStage.Of)]);
    }

    /// <summary>The share of the plan that is done, 0 to 1.</summary>
    /// <param name="stage">Which stage, from 0.</param>
    /// <param name="epochs">Epochs done of that stage, in parts too.</param>
    public double DoneAt(int stage, double epochs) => (Stages.Take(stage).Sum(planned => planned.Epochs) + epochs) / Stages.Sum(planned => planned.Epochs);

    /// <summary>How long the epochs that have not begun will take: an epoch of a kind of which there were others, as long as those did.</summary>
    /// <param name="stage">Which stage is trained, from 0.</param>
    /// <param name="epochs">Epochs of that stage that have begun.</param>
    /// <param name="seconds">How long an epoch of its kind takes, which also stands for a kind not seen yet.</param>
    /// <param name="history">The finished epochs of the run.</param>
    public double SecondsAfter(int stage, int epochs, double seconds, IReadOnlyList<EpochRecord> history) => Stages
        .Skip(stage)
        .Select((planned, place) => (planned.Epochs - (place == 0 ? epochs : 0)) * (planned.Kind == Stages[stage].Kind ? seconds : MeanSeconds(planned.Kind, history) ?? seconds))
        .Sum();

    /// <summary>How long the finished epochs of a kind took on average; null where there are none.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="history">The finished epochs of the run.</param>
    public double? MeanSeconds(StageKind kind, IReadOnlyList<EpochRecord> history)
    {
        double[] seen = [.. history.Where(epoch => epoch.Direction == Direction && Stages[epoch.StageIndex].Kind == kind).Select(epoch => epoch.Seconds)];
        return seen.Length > 0 ? seen.Average() : null;
    }
}

/// <summary>A stage of a plan.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">Which network it trains.</param>
/// <param name="Epochs">How many epochs, at most where training may end early.</param>
/// <param name="LearningRate">Maximal learning rate of the highest trained group.</param>
/// <param name="Groups">The network's groups of layers, lowest first.</param>
public sealed record PlannedStage(string Name, StageKind Kind, int Epochs, double LearningRate, IReadOnlyList<PlannedGroup> Groups)
{
    /// <summary>What is to be seen of a stage.</summary>
    /// <param name="stage">The stage.</param>
    public static PlannedStage Of(Stage stage)
    {
        ArgumentNullException.ThrowIfNull(stage);
        return new PlannedStage(
            stage.Name, stage.Kind, stage.Epochs, stage.TopLearningRate,
            [.. NamesOf(stage).Select((name, group) => new PlannedGroup(name, stage.TrainedGroups[group], stage.LearningRates[group]))]);
    }

    // The groups of ParameterGroups, of which their number tells how many layers there are.
    private static IEnumerable<string> NamesOf(Stage stage)
    {
        bool isLanguageModel = stage.Kind == StageKind.LanguageModel;
        IEnumerable<string> layers = Enumerable.Range(1, stage.TrainedGroups.Count - (isLanguageModel ? 1 : 2)).Select(layer => string.Create(CultureInfo.InvariantCulture, $"lstm-{layer}"));
        return isLanguageModel ? [.. layers, "embedding"] : ["embedding", .. layers, "head"];
    }
}

/// <summary>A group of layers in a stage.</summary>
/// <param name="Name"><c>embedding</c> (of a language model with the decoder that is tied to it), <c>lstm-1</c>, <c>lstm-2</c>, …, <c>head</c>.</param>
/// <param name="Trained">Whether it is trained; else it is frozen.</param>
/// <param name="LearningRate">Its maximal learning rate.</param>
public sealed record PlannedGroup(string Name, bool Trained, double LearningRate);
