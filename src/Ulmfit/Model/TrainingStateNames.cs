namespace Ulmfit.Model;

/// <summary>Names of the tensors that a checkpoint holds beside the weights.</summary>
public static class TrainingStateNames
{
    private const string BestPrefix = "best.";

    /// <summary>Adam's first moment of the weight <paramref name="weight"/>, of the weight's shape.</summary>
    public static string FirstMoment(string weight) => "optimizer.exp_avg." + weight;

    /// <summary>Adam's second moment of the weight <paramref name="weight"/>, of the weight's shape.</summary>
    public static string SecondMoment(string weight) => "optimizer.exp_avg_sq." + weight;

    /// <summary>Hidden state that layer <paramref name="layer"/> carries to the next training step: <c>[batch, hidden]</c>.</summary>
    public static string CarriedHidden(int layer) => $"carried.{layer}.h";

    /// <summary>Cell state that layer <paramref name="layer"/> carries to the next training step: <c>[batch, hidden]</c>.</summary>
    public static string CarriedCell(int layer) => $"carried.{layer}.c";

    /// <summary>Pooled states of the training documents that an epoch of the method <c>features</c> has read so far: <c>[documents, 3·embedding]</c>.</summary>
    public const string CarriedFeatures = "carried.features";

    /// <summary>The weight <paramref name="weight"/> as it was after the best epoch so far, of the weight's shape.</summary>
    public static string Best(string weight) => BestPrefix + weight;

    /// <summary>The weight of which the name says that it is the best epoch's; null for another name.</summary>
    public static string? WeightOfBest(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.StartsWith(BestPrefix, StringComparison.Ordinal) ? name[BestPrefix.Length..] : null;
    }

    /// <summary>Whether the name is one of those, and so no weight.</summary>
    public static bool IsTrainingState(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.StartsWith("optimizer.", StringComparison.Ordinal) || name.StartsWith("carried.", StringComparison.Ordinal) || WeightOfBest(name) is not null;
    }
}
