using System.Text.Json;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Runs;

/// <summary>All that is remembered of a run.</summary>
public sealed record RunManifest
{
    /// <summary>The data set, which is also the name of the model.</summary>
    public required string Dataset { get; init; }

    /// <summary>Which run of the data set, from 1.</summary>
    public required int Number { get; init; }

    /// <summary>How it stands.</summary>
    public required RunStatus Status { get; init; }

    /// <summary>What started it.</summary>
    public required RunTrigger Trigger { get; init; }

    /// <summary>The version of the data set it trains on; null before the data set is prepared.</summary>
    public int? DatasetVersion { get; init; }

    /// <summary>The settings it trains with, frozen when it began; null before.</summary>
    public JsonElement? Settings { get; init; }

    /// <summary>What each direction is going to be trained, in the order in which their trainings began.</summary>
    public IReadOnlyList<DirectionPlan> Plan { get; init; } = [];

    /// <summary>The finished epochs of all directions, in the order in which they ended.</summary>
    public IReadOnlyList<EpochRecord> History { get; init; } = [];

    /// <summary>Held-out scores of the trained model; null before the evaluation.</summary>
    public Scores? Metrics { get; init; }

    /// <summary>Held-out scores of the champion it was compared with, on the same rows; null where there was none.</summary>
    public Scores? ChampionMetrics { get; init; }

    /// <summary>The champion's version it was compared with; null where there was none.</summary>
    public int? ComparedWith { get; init; }

    /// <summary>In words, why its model was published or rejected.</summary>
    public string? Decision { get; init; }

    /// <summary>SHA-256 over the trained weights; null before the evaluation.</summary>
    public string? WeightsDigest { get; init; }

    /// <summary>Whether the run has a report.</summary>
    public bool HasReport { get; init; }

    /// <summary>The version under which its model was published.</summary>
    public int? ModelVersion { get; init; }

    /// <summary>Why it failed and what to do.</summary>
    public string? Error { get; init; }

    /// <summary>When it was taken.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When its training began.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>How often this manifest has changed.</summary>
    public long Revision { get; init; }

    /// <summary>When this manifest last changed.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>The run's id.</summary>
    public RunId GetId() => new(Dataset, Number);
}

/// <summary>What started a run.</summary>
public enum RunTrigger
{
    /// <summary>New drops.</summary>
    Drops,

    /// <summary>Somebody asked for it.</summary>
    Request,
}

/// <summary>A finished epoch.</summary>
/// <param name="Direction">The direction that was trained.</param>
/// <param name="StageIndex">Which stage of the plan, from 0.</param>
/// <param name="Stage">Its name.</param>
/// <param name="Epoch">Which epoch of the stage, from 1.</param>
/// <param name="Epochs">Epochs of the stage.</param>
/// <param name="TrainLoss">Mean training loss, nats.</param>
/// <param name="HeldOutLoss">Mean loss on held-out text, nats.</param>
/// <param name="Accuracy">Of a classifier, the share of held-out rows it gets right.</param>
/// <param name="Perplexity">Of a language model, exp of the held-out loss.</param>
/// <param name="LearningRate">Of the highest group, at the epoch's last step.</param>
/// <param name="Seconds">How long it took.</param>
public sealed record EpochRecord(
    Direction Direction,
    int StageIndex,
    string Stage,
    int Epoch,
    int Epochs,
    double TrainLoss,
    double? HeldOutLoss,
    double? Accuracy,
    double? Perplexity,
    double LearningRate,
    double Seconds);
