using System.Globalization;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Runs;

/// <summary>What a direction of a run is going to be trained, for people to see; nothing depends on it.</summary>
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
