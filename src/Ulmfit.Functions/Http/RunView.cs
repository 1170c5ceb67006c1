using System.Text.Json;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Training;

namespace Ulmfit.Functions.Http;

/// <summary>A run as the API tells it.</summary>
internal sealed record RunView
{
    public required string Id { get; init; }

    public required string Dataset { get; init; }

    public required RunStatus Status { get; init; }

    /// <summary>Grows with every change; the id of the run's server-sent events.</summary>
    public required long Revision { get; init; }

    public required RunTrigger Trigger { get; init; }

    /// <summary>What holds the run up; null when nothing does. It goes on by itself when the cause is gone.</summary>
    public RunWait? Waiting { get; init; }

    /// <summary>The stage that was trained last, of whichever direction moved last.</summary>
    public string? Stage { get; init; }

    public Direction? Direction { get; init; }

    public int? Epoch { get; init; }

    public int? Epochs { get; init; }

    public double? Loss { get; init; }

    public double? LearningRate { get; init; }

    /// <summary>The share of the whole plan that is done, 0 to 1.</summary>
    public double? Progress { get; init; }

    /// <summary>Seconds that the run will still take.</summary>
    public double? EtaSeconds { get; init; }

    /// <summary>When the run will be done.</summary>
    public DateTimeOffset? Eta { get; init; }

    public required IReadOnlyList<RunProgress> Directions { get; init; }

    /// <summary>The stages of each direction that has begun; empty where runs are listed.</summary>
    public required IReadOnlyList<DirectionPlan> Plan { get; init; }

    /// <summary>The finished epochs, in the order in which they ended; of very many, some evenly out of all (<see cref="EpochHistory"/>).</summary>
    public required IReadOnlyList<EpochRecord> History { get; init; }

    /// <summary>How many finished epochs there are.</summary>
    public required int EpochsDone { get; init; }

    public Scores? Metrics { get; init; }

    public int? ComparedWith { get; init; }

    public Scores? ChampionMetrics { get; init; }

    public string? Decision { get; init; }

    public string? WeightsDigest { get; init; }

    public int? ModelVersion { get; init; }

    /// <summary>Where the run's report is; null while it has none.</summary>
    public string? Report { get; init; }

    public int? DatasetVersion { get; init; }

    public JsonElement? Settings { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }

    public string? Error { get; init; }

    /// <summary>The view of a run.</summary>
    public static RunView Of(RunState state, RunWait? waiting)
    {
        RunManifest run = state.Run;
        RunEstimate estimate = RunEstimate.Of(state);
        RunProgress? latest = estimate.Latest;
        EpochRecord? ended = run.History.Count > 0 ? run.History[^1] : null;
        return new RunView
        {
            Id = run.GetId().ToString(),
            Dataset = run.Dataset,
            Status = run.Status,
            Revision = state.Revision,
            Trigger = run.Trigger,
            Waiting = run.Status.IsFinal() ? null : waiting,
            Stage = latest?.Stage ?? ended?.Stage,
            Direction = latest?.Direction ?? ended?.Direction,
            Epoch = latest?.Epoch ?? ended?.Epoch,
            Epochs = latest?.Epochs ?? ended?.Epochs,
            Loss = latest?.Loss ?? ended?.TrainLoss,
            LearningRate = latest?.LearningRate ?? ended?.LearningRate,
            Progress = run.Status is RunStatus.Completed or RunStatus.Rejected ? 1 : estimate.Done,
            EtaSeconds = estimate.RemainingSeconds,
            Eta = estimate.End,
            Directions = state.Progress,
            Plan = run.Plan,
            History = EpochHistory.Shortened(run.History),
            EpochsDone = run.History.Count,
            Metrics = run.Metrics,
            ComparedWith = run.ComparedWith,
            ChampionMetrics = run.ChampionMetrics,
            Decision = run.Decision,
            WeightsDigest = run.WeightsDigest,
            ModelVersion = run.ModelVersion,
            Report = run.HasReport ? $"/api/runs/{run.GetId()}/report" : null,
            DatasetVersion = run.DatasetVersion,
            Settings = run.Settings,
            CreatedAt = run.CreatedAt,
            StartedAt = run.StartedAt,
            UpdatedAt = latest?.At > run.UpdatedAt ? latest.At : run.UpdatedAt,
            FinishedAt = run.FinishedAt,
            Error = run.Error,
        };
    }
}
