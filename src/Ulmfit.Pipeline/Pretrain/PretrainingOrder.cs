using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Ulmfit.Model;
using Ulmfit.Storage;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Pretrain;

/// <summary>
/// What is to be pretrained, as a request names it: corpus, what else is known of it, and beside these, in the same JSON object, the
/// members of <see cref="PretrainingSettings"/>.
/// </summary>
public sealed record PretrainingOrder
{
    private const string Rule = $"must name plain text, \"{Containers.Unlabeled}/{{folder}}/{{file}}.txt\" or .txt.gz, a list of such files, or a folder as \"{Containers.Unlabeled}/{{folder}}/\"";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>The corpus: files of plain text with their container, as <c>unlabeled/wiki/part1.txt.gz</c>, or folders, as <c>unlabeled/wiki/</c>.</summary>
    public required IReadOnlyList<string> Corpus { get; init; }

    /// <summary>Held-out text, named likewise; the last hundredth of the corpus when absent.</summary>
    public IReadOnlyList<string>? Valid { get; init; }

    /// <summary>Which models are trained: forward, or both.</summary>
    public Directions Directions { get; init; } = Directions.Both;

    /// <summary>Name of the pretrained model to start from, or <c>none</c>.</summary>
    public string Start { get; init; } = TrainingSettings.NoPretrained;

    /// <summary>What the corpus is and where it comes from.</summary>
    public string? Source { get; init; }

    /// <summary>Licence of the corpus.</summary>
    public string? License { get; init; }

    /// <summary>Steps after which a slice of training ends; the result does not depend on it.</summary>
    public int SliceSteps { get; init; } = 500;

    /// <summary>Minutes after which a slice of training ends; the result does not depend on it.</summary>
    public double SliceMinutes { get; init; } = 5;

    /// <summary>The settings that the request has, in order of their names; those that it lacks take their defaults when training begins.</summary>
    public required JsonElement Settings { get; init; }

    /// <summary>Reads an order; unknown members are refused.</summary>
    /// <exception cref="TrainingSettingsException">It cannot be used; every fault is listed.</exception>
    public static PretrainingOrder Parse(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        var errors = new List<SettingsError>();
        var own = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        var settings = new SortedDictionary<string, JsonElement>(StringComparer.Ordinal);
        using (JsonDocument document = ParseObject(json))
        {
            foreach (JsonProperty member in document.RootElement.EnumerateObject())
            {
                if (!IsOwn(member.Name))
                {
                    settings[member.Name] = member.Value.Clone();
                }
                else
                {
                    own[member.Name] = member.Value.Clone();
                }
            }
        }

        T? Read<T>(string path, string rule)
        {
            try
            {
                return own.TryGetValue(path, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value.Deserialize<T>(Json) : default;
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException)
            {
                errors.Add(new SettingsError(path, rule));
                return default;
            }
        }

        IReadOnlyList<string>? Texts(string path)
        {
            if (!own.TryGetValue(path, out JsonElement value) || value.ValueKind == JsonValueKind.Null)
            {
                return null;
            }
            string[] named = (value.ValueKind == JsonValueKind.String ? [Read<string>(path, Rule) ?? ""] : Read<string[]>(path, Rule)) ?? [];
            errors.AddRange(named.Where(name => !IsText(name)).Select(name => new SettingsError(path, $"{Rule}; '{name}' is neither")));
            if (named.Length == 0 && errors.Count == 0)
            {
                errors.Add(new SettingsError(path, Rule));
            }
            return named;
        }

        var defaults = new PretrainingOrder { Corpus = [], Settings = default };
        var order = new PretrainingOrder
        {
            Corpus = Texts("corpus") ?? [],
            Valid = Texts("valid"),
            Directions = Read<Directions?>("directions", "must be \"forward\" or \"both\"") ?? defaults.Directions,
            Start = Read<string>("start", "must be the name of a pretrained model or \"none\"") ?? defaults.Start,
            Source = Read<string>("source", "must be a text"),
            License = Read<string>("license", "must be a text"),
            SliceSteps = Read<int?>("sliceSteps", "must be a whole number") ?? defaults.SliceSteps,
            SliceMinutes = Read<double?>("sliceMinutes", "must be a number") ?? defaults.SliceMinutes,
            Settings = Element(settings),
        };
        void Check(bool holds, string path, string rule)
        {
            if (!holds)
            {
                errors.Add(new SettingsError(path, rule));
            }
        }

        Check(own.ContainsKey("corpus"), "corpus", Rule);
        Check(order.Directions != Directions.Backward, "directions", "must be \"forward\" or \"both\": a model without forward weights cannot be started from");
        Check(order.Start == TrainingSettings.NoPretrained || ResourceNames.IsDataset(order.Start), "start", $"must be the name of a pretrained model ({ResourceNames.DatasetRule}) or \"none\"");
        Check(order.SliceSteps > 0, "sliceSteps", "must be positive");
        Check(order.SliceMinutes is > 0 and <= 1440, "sliceMinutes", "must lie in (0, 1440]");
        try
        {
            bool newLayers = PretrainingSettings.Parse(order.Settings.GetRawText()).NewLayers;
            Check(!newLayers || order.Start != TrainingSettings.NoPretrained, "newLayers", "says what to take of another model: name it in \"start\", or leave newLayers out");
        }
        catch (TrainingSettingsException e)
        {
            errors.AddRange(e.Errors);
        }
        return errors.Count == 0 ? order : throw new TrainingSettingsException(errors);
    }

    /// <summary>The settings with a value for everything that the start decides.</summary>
    /// <param name="start">What training starts from; null for random weights.</param>
    /// <exception cref="TrainingSettingsException">They cannot be used, or name another size than the start has.</exception>
    public PretrainingSettings GetSettings(PretrainedModel? start)
    {
        PretrainingSettings settings = PretrainingSettings.Parse(Settings.GetRawText());
        if (start is not null)
        {
            ModelSize? size = TrainingSettings.SizeOf(start.Config);
            if (Settings.TryGetProperty("size", out _) && settings.Size != size)
            {
                AwdLstmConfig config = start.Config;
                throw new TrainingSettingsException([
                    new SettingsError("size", FormattableString.Invariant($"must be left out: the model '{Start}' that training starts from has embedding {config.EmbeddingSize}, hidden {config.HiddenSize} and {config.Layers} layers"))]);
            }
            settings = settings with { Size = size ?? settings.Size };
        }
        return settings.Resolved(start is not null);
    }

    /// <summary>The order as JSON: equal for equal orders.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>The order as a request states it: settings beside corpus and directions.</summary>
    public string ToRequest()
    {
        JsonObject request = JsonSerializer.SerializeToNode(this, Json)!.AsObject();
        JsonObject settings = request["settings"]!.AsObject();
        request.Remove("settings");
        foreach (KeyValuePair<string, JsonNode?> setting in settings)
        {
            request[setting.Key] = setting.Value?.DeepClone();
        }
        return request.ToJsonString(Json);
    }

    /// <summary>The members as an object.</summary>
    private static JsonElement Element(SortedDictionary<string, JsonElement> members)
    {
        try
        {
            return JsonSerializer.SerializeToElement(members);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new TrainingSettingsException([new SettingsError("", "a text in it is not valid Unicode: it holds half of a surrogate pair")]);
        }
    }

    private static JsonDocument ParseObject(string json)
    {
        try
        {
            JsonDocument document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.EnumerateObject().All(HasName))
            {
                return document;
            }
            document.Dispose();
        }
        catch (JsonException e)
        {
            throw new TrainingSettingsException([new SettingsError("", e.Message)]);
        }
        throw new TrainingSettingsException([new SettingsError("", "a JSON object is expected, with names that are valid Unicode")]);
    }

    /// <summary>Whether the name of a member is text: escapes can make half of a surrogate pair.</summary>
    private static bool HasName(JsonProperty member)
    {
        try
        {
            return member.Name is not null;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static bool IsOwn(string member) =>
        member is "corpus" or "valid" or "directions" or "start" or "source" or "license" or "sliceSteps" or "sliceMinutes";

    private static bool IsText(string? named)
    {
        const string Prefix = Containers.Unlabeled + "/";
        if (named is null || !named.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return false;
        }
        string name = named[Prefix.Length..];
        return name.EndsWith('/') ? BlobNames.IsBlobName(name[..^1]) : name.Contains('/', StringComparison.Ordinal) && BlobNames.IsBlobName(name) && PretrainingCorpus.IsText(name);
    }
}
