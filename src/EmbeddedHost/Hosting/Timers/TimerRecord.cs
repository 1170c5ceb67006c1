using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;

namespace EmbeddedHost;

/// <summary>What is kept of a timer between starts of the host. Times are of the wall clock, as the schedule's are.</summary>
/// <param name="Schedule">The schedule that <paramref name="Next"/> was made of.</param>
/// <param name="Last">The last occurrence; null where there was none.</param>
/// <param name="Next">The next occurrence that is expected.</param>
/// <param name="Updated">When the record was made.</param>
internal sealed record TimerRecord(string Schedule, DateTime? Last, DateTime Next, DateTime Updated)
{
    /// <summary>Reads a record; null where there is none that can be read.</summary>
    public static TimerRecord? Read(string path, ILogger logger)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), TimerJson.Default.TimerRecord);
        }
        catch (JsonException e)
        {
            HostLog.RecordUnreadable(logger, path, e.Message);
            return null;
        }
    }

    public void Write(string path) => AtomicFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(this, TimerJson.Default.TimerRecord));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(TimerRecord))]
internal sealed partial class TimerJson : JsonSerializerContext;
