using System.Text.Json;
using Ulmfit.Training;

namespace Ulmfit.Cli.Hosted;

/// <summary>A run as the host tells it, as far as people are shown it.</summary>
internal sealed record HostedRun
{
    public required string Id { get; init; }

    public required string Dataset { get; init; }

    /// <summary><c>queued</c>, <c>running</c>, <c>completed</c>, <c>rejected</c>, <c>failed</c> or <c>canceled</c>.</summary>
    public required string Status { get; init; }

    public int? DatasetVersion { get; init; }

    public double? Progress { get; init; }

    public double? EtaSeconds { get; init; }

    public IReadOnlyList<HostedDirection> Directions { get; init; } = [];

    public IReadOnlyList<HostedEpoch> History { get; init; } = [];

    public HostedScores? Metrics { get; init; }

    public HostedScores? ChampionMetrics { get; init; }

    public int? ComparedWith { get; init; }

    public int? ModelVersion { get; init; }

    public string? Decision { get; init; }

    public string? Error { get; init; }

    public HostedWait? Waiting { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Its number among the runs of its data set; 0 where the id has none.</summary>
    public int Number => int.TryParse(Id.AsSpan(Id.LastIndexOf('-') + 1), out int number) ? number : 0;

    /// <summary>Whether nothing more will come of it.</summary>
    public bool HasEnded => Status is not ("queued" or "running");

    /// <summary>The code that a command ends with which followed it.</summary>
    public int ExitCode => Status switch
    {
        "completed" => ExitCodes.Done,
        "rejected" => ExitCodes.Rejected,
        "canceled" => ExitCodes.Canceled,
        _ => ExitCodes.Failed,
    };
}

/// <summary>Where a direction of a run is.</summary>
internal sealed record HostedDirection(
    Direction Direction, string Stage, int Epoch, int Epochs, int Step, int Steps, double? Loss, double? LearningRate, double? TokensPerSecond);

/// <summary>A finished epoch of a run.</summary>
internal sealed record HostedEpoch(
    Direction Direction, int StageIndex, string Stage, int Epoch, int Epochs, double? TrainLoss, double? HeldOutLoss, double? Accuracy, double? Perplexity, double? LearningRate, double? Seconds)
{
    /// <summary>As an epoch of a training in this process.</summary>
    public EpochMetrics ToMetrics() => new(
        Stage, Accuracy is null && Stage.StartsWith("lm", StringComparison.Ordinal) ? StageKind.LanguageModel : StageKind.Classifier, Epoch, Epochs, TrainLoss ?? double.NaN, HeldOutLoss, Perplexity,
        null, Accuracy, LearningRate ?? double.NaN, 0, Seconds ?? 0);
}

/// <summary>Held-out scores of a run.</summary>
internal sealed record HostedScores(double Accuracy, double MacroF1, int Rows, IReadOnlyList<HostedClass> PerClass);

/// <summary>Held-out scores of a class.</summary>
internal sealed record HostedClass(string Label, double? Precision, double? Recall, double? F1, int Rows);

/// <summary>What holds a run up.</summary>
internal sealed record HostedWait(string Failure, string Reason, DateTimeOffset Since);

/// <summary>A data set as the host tells it, as far as people are shown it.</summary>
internal sealed record HostedDataset(string Dataset, string Status, string? Reason, int? Version, string? ActiveRun);

/// <summary>What the host has found in a drop.</summary>
internal sealed record HostedDrop(string Name, string Status, long Bytes, int Accepted, int Rejected, IReadOnlyList<HostedFault> Errors);

/// <summary>A row that the host refused.</summary>
internal sealed record HostedFault(string File, long Line, string Reason);

/// <summary>How documents of the host are read.</summary>
internal static class HostedJson
{
    public static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);
}
