using Ulmfit.Training;

namespace Ulmfit.Reports;

/// <summary>How one direction was trained.</summary>
/// <param name="Direction">The direction.</param>
/// <param name="Stages">The stages of its plan.</param>
/// <param name="Epochs">The epochs that were trained, in order, each with its curve.</param>
public sealed record DirectionReport(Direction Direction, IReadOnlyList<StageReport> Stages, IReadOnlyList<EpochMetrics> Epochs)
{
    /// <summary>The report of a direction.</summary>
    /// <param name="direction">The direction.</param>
    /// <param name="plan">Its plan.</param>
    /// <param name="epochs">What was measured of its epochs.</param>
    public static DirectionReport Of(Direction direction, StagePlan plan, IEnumerable<EpochMetrics> epochs)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return new DirectionReport(direction, [.. plan.Stages.Select(StageReport.Of)], [.. epochs.Select(Finite)]);
    }

    // JSON has no infinity, and the perplexity of a model that has gone astray is one.
    private static EpochMetrics Finite(EpochMetrics epoch) => epoch with
    {
        HeldOutLoss = Finite(epoch.HeldOutLoss),
        Perplexity = Finite(epoch.Perplexity),
        Curve = [.. epoch.Curve.Where(point => double.IsFinite(point.Loss) && double.IsFinite(point.LearningRate))],
    };

    private static double? Finite(double? value) => value is double number && double.IsFinite(number) ? number : null;
}

/// <summary>A stage of the plan.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">Which network it trains.</param>
/// <param name="Epochs">Its epochs; early stopping may have ended it before.</param>
/// <param name="Groups">Its parameter groups, lowest first.</param>
public sealed record StageReport(string Name, StageKind Kind, int Epochs, IReadOnlyList<GroupReport> Groups)
{
    internal static StageReport Of(Stage stage) => new(
        stage.Name, stage.Kind, stage.Epochs,
        [.. stage.TrainedGroups.Select((trained, group) => new GroupReport(NameOf(stage.Kind, group, stage.TrainedGroups.Count), trained, trained ? stage.LearningRates[group] : 0))]);

    // As Model.ParameterGroups cuts them.
    private static string NameOf(StageKind kind, int group, int groups) => kind switch
    {
        StageKind.LanguageModel => group == groups - 1 ? "embedding and decoder" : $"LSTM layer {group + 1}",
        _ => group == 0 ? "embedding" : group == groups - 1 ? "head" : $"LSTM layer {group}",
    };
}

/// <summary>A parameter group in a stage.</summary>
/// <param name="Name">What it holds.</param>
/// <param name="Trained">Whether the stage trains it.</param>
/// <param name="LearningRate">Its maximal learning rate; 0 where it is frozen.</param>
public sealed record GroupReport(string Name, bool Trained, double LearningRate);
