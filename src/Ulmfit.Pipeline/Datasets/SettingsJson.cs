using System.Text.Json;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Datasets;

/// <summary>Settings as the JSON element that manifests and cards hold.</summary>
public static class SettingsJson
{
    /// <summary>The settings as JSON.</summary>
    /// <param name="settings">The settings.</param>
    public static JsonElement Of(TrainingSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        using JsonDocument document = JsonDocument.Parse(settings.ToJson());
        return document.RootElement.Clone();
    }
}
