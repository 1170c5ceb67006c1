using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ulmfit.Training;

/// <summary>Settings as JSON: indented camelCase with all defaults; what is unknown is refused by its path.</summary>
internal static class SettingsText
{
    /// <summary>The largest seed that JSON numbers carry exactly in every client.</summary>
    public const ulong MaximumSeed = (1UL << 53) - 1;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        PropertyNameCaseInsensitive = false,
        NumberHandling = JsonNumberHandling.Strict,
        WriteIndented = true,
    };

    /// <summary>Reads settings; their values are not checked yet.</summary>
    /// <exception cref="TrainingSettingsException">The JSON is not acceptable.</exception>
    public static T Read<T>(string json)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            return JsonSerializer.Deserialize<T>(json, Json) ?? throw new TrainingSettingsException([new SettingsError("", "a JSON object is expected, null was found")]);
        }
        catch (JsonException exception)
        {
            string path = (exception.Path ?? "").TrimStart('$').TrimStart('.');
            throw new TrainingSettingsException([new SettingsError(path, exception.Message)]);
        }
    }

    /// <summary>Writes settings.</summary>
    public static string Write<T>(T settings) => JsonSerializer.Serialize(settings, Json);
}
