using System.Text.Json.Serialization;

namespace Ulmfit.Training;

/// <summary>Which network a stage trains.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<StageKind>))]
public enum StageKind
{
    /// <summary>The language model.</summary>
    [JsonStringEnumMemberName("language-model")]
    LanguageModel,

    /// <summary>The classifier.</summary>
    [JsonStringEnumMemberName("classifier")]
    Classifier,
}

/// <summary>Some epochs in which the same groups are trained under one run of the schedule. Moments are zero at its start.</summary>
/// <param name="Name">What people see: <c>lm</c>, <c>head</c>, <c>last-2</c>, <c>all</c>, ….</param>
/// <param name="Kind">Which network.</param>
/// <param name="Epochs">How many epochs, at least one.</param>
/// <param name="TrainedGroups">For each parameter group, lowest first, whether it is trained.</param>
/// <param name="LearningRates">Maximal learning rate of each parameter group.</param>
public sealed record Stage(string Name, StageKind Kind, int Epochs, IReadOnlyList<bool> TrainedGroups, IReadOnlyList<double> LearningRates)
{
    /// <summary>Maximal learning rate of the highest trained group.</summary>
    public double TopLearningRate => LearningRates[TrainedGroups.ToList().LastIndexOf(true)];
}
