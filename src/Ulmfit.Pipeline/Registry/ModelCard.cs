using System.Text.Json;
using Ulmfit.Metrics;
using Ulmfit.Pipeline.Datasets;
using Ulmfit.Pipeline.Drift;

namespace Ulmfit.Pipeline.Registry;

/// <summary>What a published model is and where it comes from: <c>card.json</c> of the version.</summary>
public sealed record ModelCard
{
    /// <summary>The model.</summary>
    public required string Model { get; init; }

    /// <summary>Which version of it, from 1.</summary>
    public required int Version { get; init; }

    /// <summary>When it was published.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The run that made it.</summary>
    public required string Run { get; init; }

    /// <summary>The version of the data set it was trained on.</summary>
    public required int DatasetVersion { get; init; }

    /// <summary>The digest of that version's rows.</summary>
    public required string DatasetDigest { get; init; }

    /// <summary>The drops that made it up.</summary>
    public required IReadOnlyList<DropReference> Drops { get; init; }

    /// <summary>Rows it was trained on.</summary>
    public required int TrainRows { get; init; }

    /// <summary>The training settings, every default written out.</summary>
    public required JsonElement Settings { get; init; }

    /// <summary>The seed of all randomness.</summary>
    public required ulong Seed { get; init; }

    /// <summary>The pretrained model it began with; <c>none</c> for random weights or a published model, which the settings' <c>from</c> names.</summary>
    public required string Pretrained { get; init; }

    /// <summary>The digest of the pretrained model's weights.</summary>
    public string? PretrainedDigest { get; init; }

    /// <summary>The engine that trained it.</summary>
    public required string Engine { get; init; }

    /// <summary>The version of the code that trained it.</summary>
    public required string CodeVersion { get; init; }

    /// <summary>The version of the tokenizer's rules.</summary>
    public required string TokenizerVersion { get; init; }

    /// <summary>The directions it reads in.</summary>
    public required IReadOnlyList<string> Directions { get; init; }

    /// <summary>SHA-256 over the trained weights: equal for equal data, settings and seed.</summary>
    public required string WeightsDigest { get; init; }

    /// <summary>SHA-256 of the version's other files, by name.</summary>
    public required IReadOnlyDictionary<string, string> Files { get; init; }

    /// <summary>Its scores on the held-out rows.</summary>
    public required Scores Metrics { get; init; }

    /// <summary>The file that answers. A card from before there were several says nothing of it: then it is the float32 one.</summary>
    public string Serves { get; init; } = ModelFiles.Model;

    /// <summary>The files that can answer, with what was measured of each when it was evaluated; empty in a card from before there were several.</summary>
    public IReadOnlyList<ModelVariant> Variants { get; init; } = [];

    /// <summary>The temperature that its probabilities are scaled with, and what it does; null for a model without.</summary>
    public CalibrationFit? Calibration { get; init; }

    /// <summary>What the texts that it is asked about are held against; null for a model from before there was such a thing.</summary>
    public DriftReference? Reference { get; init; }

    /// <summary>The champion it was compared with; null where there was none.</summary>
    public int? ComparedWith { get; init; }

    /// <summary>That champion's scores on the same rows.</summary>
    public Scores? ChampionMetrics { get; init; }
}
