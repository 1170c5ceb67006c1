using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EmbeddedHost.Durable;

/// <summary>The payload of a log frame: a JSON array of the entries that were made durable together.</summary>
internal static class InstanceLogFormat
{
    // Payloads are JSON inside JSON strings; the relaxed encoder escapes their quotes with one character instead of six.
    private static readonly JsonSerializerOptions s_options = new()
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static byte[] Write(IReadOnlyList<LogEntry> entries) => JsonSerializer.SerializeToUtf8Bytes(entries, s_options);

    public static IReadOnlyList<LogEntry> Read(ReadOnlySpan<byte> payload) =>
        JsonSerializer.Deserialize<List<LogEntry>>(payload, s_options) ?? throw new JsonException("null in the place of entries");
}
