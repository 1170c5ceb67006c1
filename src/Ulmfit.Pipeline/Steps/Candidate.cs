using Ulmfit.Metrics;
using Ulmfit.Pipeline.Drift;
using Ulmfit.Pipeline.Registry;

namespace Ulmfit.Pipeline.Steps;

/// <summary>The model that a run has trained, exported and measured. A function of the run, so written once.</summary>
/// <param name="Run">The run.</param>
/// <param name="Model">The digest of the ONNX file in float32.</param>
/// <param name="Labels">The digest of the labels.</param>
/// <param name="Vocabulary">The digest of the vocabulary.</param>
/// <param name="WeightsDigest">SHA-256 over the trained weights.</param>
/// <param name="Directions">The directions it reads in.</param>
/// <param name="Engine">The engine that trained it.</param>
/// <param name="PretrainedDigest">The digest of the pretrained model it began with.</param>
/// <param name="Scores">The scores of the file that answers, on the held-out rows.</param>
/// <param name="Baseline">The scores of always answering the most frequent class.</param>
public sealed record Candidate(
    string Run,
    string Model,
    string Labels,
    string Vocabulary,
    string WeightsDigest,
    IReadOnlyList<string> Directions,
    string Engine,
    string? PretrainedDigest,
    Scores Scores,
    Scores Baseline)
{
    /// <summary>The digest of the ONNX file in int8; null in what an earlier version of the code has evaluated.</summary>
    public string? Int8Model { get; init; }

    /// <summary>The file that answers, by its name in the version.</summary>
    public string Serves { get; init; } = ModelFiles.Model;

    /// <summary>The files that can answer.</summary>
    public IReadOnlyList<ModelVariant> Variants { get; init; } = [];

    /// <summary>The temperature that its file carries, and what it does; null where no row is held out.</summary>
    public CalibrationFit? Calibration { get; init; }

    /// <summary>What the texts that it will be asked about are held against.</summary>
    public DriftReference? Reference { get; init; }
}

/// <summary>What the evaluation of a run's model gives.</summary>
/// <param name="Run">The run's id.</param>
/// <param name="Accepted">Whether it is to be published.</param>
/// <param name="Reason">Why, in words.</param>
/// <param name="ComparedWith">The champion's version it was compared with; null where there was none.</param>
/// <param name="Accuracy">Its accuracy on held-out rows.</param>
/// <param name="MacroF1">Its macro-F1 on held-out rows.</param>
/// <param name="WeightsDigest">SHA-256 over the trained weights.</param>
public sealed record EvaluationResult(string Run, bool Accepted, string Reason, int? ComparedWith, double Accuracy, double MacroF1, string WeightsDigest)
{
    /// <summary>Nothing was evaluated: a step of the training is damaged or gone, and has to be trained again first.</summary>
    public bool TrainAgain { get; init; }
}

/// <summary>What publishing gives.</summary>
/// <param name="Run">The run's id.</param>
/// <param name="Outcome">What became of the model.</param>
/// <param name="Version">The version that was published; null for none.</param>
public sealed record PublishResult(string Run, PublishOutcome Outcome, int? Version);

/// <summary>What became of a model to be published.</summary>
public enum PublishOutcome
{
    /// <summary>It is the champion, or was until somebody rolled it back.</summary>
    Published,

    /// <summary>The champion is another one than at the evaluation, which has to be made again.</summary>
    ChampionChanged,

    /// <summary>The run was called off before it was published.</summary>
    Canceled,

    /// <summary>What the evaluation left is damaged, and has been forgotten: the evaluation has to be made again.</summary>
    EvaluateAgain,
}
