using System.Text.Json;
using Ulmfit.Pipeline.Runs;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Pretrain;

/// <summary>All that is remembered of a pretraining.</summary>
public sealed record PretrainingManifest
{
    /// <summary>The name of the model.</summary>
    public required string Name { get; init; }

    /// <summary>What is trained.</summary>
    public required PretrainingOrder Order { get; init; }

    /// <summary>The corpus's files in the container <see cref="Containers.Unlabeled"/>, as they lay there when the order was taken.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>Those of the held-out text; null where it is the end of the corpus.</summary>
    public IReadOnlyList<string>? HeldOutFiles { get; init; }

    /// <summary>How it stands.</summary>
    public required RunStatus Status { get; init; }

    /// <summary>The settings it was begun with, every default filled in; null before it has begun.</summary>
    public JsonElement? Settings { get; init; }

    /// <summary>What is trained on; null before it has begun.</summary>
    public TextCard? Corpus { get; init; }

    /// <summary>What is only measured on; null before it has begun.</summary>
    public TextCard? HeldOut { get; init; }

    /// <summary>The payload that holds the vocabulary; null before it has begun.</summary>
    public string? Vocabulary { get; init; }

    /// <summary>All that the weights depend on, by name; null before it has begun. Every later step is held against it.</summary>
    public IReadOnlyDictionary<string, string>? MadeFrom { get; init; }

    /// <summary>The last measurements of the forward model.</summary>
    public PretrainingMetrics? Forward { get; init; }

    /// <summary>The last measurements of the backward model.</summary>
    public PretrainingMetrics? Backward { get; init; }

    /// <summary>Why it failed and what to do.</summary>
    public string? Error { get; init; }

    /// <summary>When it was ordered.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it ended, one way or another.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>When this manifest last changed.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>The last measurements of a direction.</summary>
    internal PretrainingMetrics? Of(Direction direction) => direction == Direction.Forward ? Forward : Backward;
}

/// <summary>Where a pretraining is within its slice. Written every second by whoever trains, for people to watch; nothing depends on it.</summary>
/// <param name="Direction">The direction.</param>
/// <param name="Step">Steps done in all.</param>
/// <param name="Steps">Steps of the direction's whole training.</param>
/// <param name="Epochs">How often the corpus has been read, with fractions.</param>
/// <param name="Loss">Training loss of the slice, nats.</param>
/// <param name="LearningRate">Learning rate of the last step.</param>
/// <param name="TokensPerSecond">Speed.</param>
/// <param name="RemainingSeconds">How long the direction will still take.</param>
/// <param name="At">When this was so.</param>
public sealed record PretrainingNote(
    Direction Direction, int Step, int Steps, double Epochs, double Loss, double LearningRate, double TokensPerSecond, double RemainingSeconds, DateTimeOffset At);
