using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ulmfit.Metrics;
using Ulmfit.Training;

namespace Ulmfit.Reports;

/// <summary>
/// All that there is to know of a training run once it is over: <c>report.json</c>, and what <see cref="ReportHtml"/> makes a
/// page of. What was not known to whoever wrote it is null.
/// </summary>
public sealed record TrainingReport
{
    /// <summary>The version of this form; a change that old readers would misread raises it.</summary>
    public const int CurrentVersion = 1;

    private static readonly JsonSerializerOptions Json = new(StrictJson.Web)
    {
        // The file is data, never part of a page, and people read labels in it.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The version of the form of this report.</summary>
    public int ReportVersion { get; init; } = CurrentVersion;

    /// <summary>What the model is called.</summary>
    public required string Name { get; init; }

    /// <summary>The id of the run in the pipeline.</summary>
    public string? Run { get; init; }

    /// <summary>When the training began.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>What became of the model, where somebody decided about it.</summary>
    public ReportOutcome? Outcome { get; init; }

    /// <summary>Scores of the finished model, the most telling first: those of test rows, then those of held-out rows.</summary>
    public IReadOnlyList<RowScores> Scores { get; init; } = [];

    /// <summary>
    /// The temperature that the model's probabilities are scaled with, fitted to the held-out rows; null where none was. All scores
    /// are those of the scaled probabilities.
    /// </summary>
    public CalibrationFit? Calibration { get; init; }

    /// <summary>How each direction was trained.</summary>
    public IReadOnlyList<DirectionReport> Directions { get; init; } = [];

    /// <summary>What it was trained on.</summary>
    public ReportData? Data { get; init; }

    /// <summary>What training started at.</summary>
    public ReportStart? Start { get; init; }

    /// <summary>The training settings, every default written out.</summary>
    public JsonElement? Settings { get; init; }

    /// <summary>The engine that trained it.</summary>
    public string? Engine { get; init; }

    /// <summary>The version of the tokenizer's rules.</summary>
    public string? Tokenizer { get; init; }

    /// <summary>SHA-256 over the trained weights: equal for equal data, settings and seed.</summary>
    public string? WeightsDigest { get; init; }

    /// <summary>Seconds of training: the epochs of all directions, added up.</summary>
    public double Seconds => Directions.Sum(direction => direction.Epochs.Sum(epoch => epoch.Seconds));

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is no report, or of another version.</exception>
    public static TrainingReport Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            StrictJson.Check(json);
            TrainingReport report = JsonSerializer.Deserialize<TrainingReport>(json, Json) ?? throw new InvalidDataException("The report is null.");
            return report.ReportVersion == CurrentVersion
                ? report
                : throw new InvalidDataException($"The report has the version {report.ReportVersion}, but {CurrentVersion} is read.");
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"The file is no report: {exception.Message}", exception);
        }
    }

    /// <summary>The report as camelCase JSON in UTF-8.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Json);
}

/// <summary>What training started at.</summary>
/// <param name="Kind">Which of the kinds.</param>
/// <param name="Name">The pretrained model, the published version or the folder.</param>
/// <param name="Digest">What identifies it.</param>
public sealed record ReportStart(StartKind Kind, string? Name, string? Digest)
{
    /// <summary>The start that settings ask for.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="digest">The digest of what they name.</param>
    public static ReportStart Of(TrainingSettings settings, string? digest)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return settings.From is string from ? new ReportStart(StartKind.Model, from, digest)
            : settings.Pretrained != TrainingSettings.NoPretrained ? new ReportStart(StartKind.Pretrained, settings.Pretrained, digest)
            : new ReportStart(StartKind.Random, null, null);
    }
}

/// <summary>Kinds of starts.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<StartKind>))]
public enum StartKind
{
    /// <summary>Random weights.</summary>
    [JsonStringEnumMemberName("random")]
    Random,

    /// <summary>A pretrained language model.</summary>
    [JsonStringEnumMemberName("pretrained")]
    Pretrained,

    /// <summary>A trained classifier.</summary>
    [JsonStringEnumMemberName("model")]
    Model,
}

/// <summary>What became of the model of a run.</summary>
/// <param name="Status">How the run ended or stands.</param>
/// <param name="Decision">In words, why it was published or rejected.</param>
/// <param name="ModelVersion">The version under which it was published.</param>
public sealed record ReportOutcome(string Status, string? Decision, int? ModelVersion);
