using System.Text.Json;
using System.Text.Json.Nodes;
using Ulmfit.Pipeline.Pretrain;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Training;

namespace Ulmfit.Functions.Http;

/// <summary>A pretraining as the API tells it.</summary>
internal sealed record PretrainingView
{
    public required string Name { get; init; }

    public required RunStatus Status { get; init; }

    /// <summary>The order, as a request would state it.</summary>
    public required JsonNode? Order { get; init; }

    /// <summary>The files of the corpus.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    public IReadOnlyList<string>? HeldOutFiles { get; init; }

    /// <summary>The settings it was begun with, every default filled in.</summary>
    public JsonElement? Settings { get; init; }

    /// <summary>What is trained on: documents, tokens, share of unknown words.</summary>
    public TextCard? Corpus { get; init; }

    /// <summary>What is only measured on.</summary>
    public TextCard? HeldOut { get; init; }

    /// <summary>The share of all directions that is done, 0 to 1.</summary>
    public double? Progress { get; init; }

    /// <summary>Seconds that the direction which is trained will still take.</summary>
    public double? EtaSeconds { get; init; }

    /// <summary>Where the slice that is trained now is.</summary>
    public PretrainingNote? Now { get; init; }

    /// <summary>The last measurements of the forward model.</summary>
    public PretrainingMetrics? Forward { get; init; }

    /// <summary>The last measurements of the backward model.</summary>
    public PretrainingMetrics? Backward { get; init; }

    public string? Error { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>The view of a pretraining.</summary>
    public static PretrainingView Of(PretrainingManifest pretraining, PretrainingNote? note)
    {
        PretrainingNote? now = pretraining.Status == RunStatus.Running ? note : null;
        double DoneOf(Direction direction)
        {
            PretrainingMetrics? metrics = direction == Direction.Forward ? pretraining.Forward : pretraining.Backward;
            double noted = now?.Direction == direction ? (double)now.Step / now.Steps : 0;
            return Math.Max(noted, metrics is null ? 0 : (double)metrics.Step / metrics.Steps);
        }

        return new PretrainingView
        {
            Name = pretraining.Name,
            Status = pretraining.Status,
            Order = JsonNode.Parse(pretraining.Order.ToRequest()),
            Files = pretraining.Files,
            HeldOutFiles = pretraining.HeldOutFiles,
            Settings = pretraining.Settings,
            Corpus = pretraining.Corpus,
            HeldOut = pretraining.HeldOut,
            Progress = pretraining.Order.Directions.Each().Average(DoneOf),
            EtaSeconds = now?.RemainingSeconds,
            Now = now,
            Forward = pretraining.Forward,
            Backward = pretraining.Backward,
            Error = pretraining.Error,
            CreatedAt = pretraining.CreatedAt,
            FinishedAt = pretraining.FinishedAt,
            UpdatedAt = now?.At > pretraining.UpdatedAt ? now.At : pretraining.UpdatedAt,
        };
    }
}
