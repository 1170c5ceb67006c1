using Ulmfit.Metrics;
using Ulmfit.Training;

namespace Ulmfit.Cli.Compare;

/// <summary>One training of a comparison, to be scored on the test rows.</summary>
/// <param name="Name">What people see, without the seed.</param>
/// <param name="Settings">How it is trained, seed included.</param>
/// <param name="Pretrained">What it starts at; null for random weights.</param>
/// <param name="Data">What it is trained on; asked for when it is needed, and not kept.</param>
internal sealed record Experiment(string Name, TrainingSettings Settings, PretrainedModel? Pretrained, Func<TrainingData> Data)
{
    /// <summary>Who labels the texts of the data that have no class, the surest of which are trained on as well; null for nobody.</summary>
    public Teachers? Teachers { get; init; }
}

/// <summary>Experiments whose models label texts for another.</summary>
/// <param name="Experiments">The experiments, with the same classes as that other.</param>
/// <param name="Texts">The texts that have no class, in the order of that other's data.</param>
internal sealed record Teachers(IReadOnlyList<Experiment> Experiments, IReadOnlyList<string> Texts);

/// <summary>What came of an experiment.</summary>
/// <param name="Seed">Its seed.</param>
/// <param name="Test">Scores on the test rows; null where training diverged.</param>
/// <param name="Seconds">Wall-clock time of all its epochs and of its teachers', also of those that it shares with others and that were trained once.</param>
/// <param name="WeightsDigest">Digest of the trained weights, as <c>ulmfit train</c> gives it.</param>
/// <param name="Failure">Why there are no scores.</param>
/// <param name="Epochs">Epochs by direction, without its teachers'.</param>
internal sealed record ExperimentResult(
    ulong Seed, ClassificationMetrics? Test, double Seconds, string? WeightsDigest, string? Failure, IReadOnlyDictionary<string, IReadOnlyList<EpochMetrics>> Epochs);
