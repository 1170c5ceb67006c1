using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ulmfit.Pipeline.Documents;

/// <summary>
/// JSON that carries its own checksum: an indented object whose last member is <c>"checksum"</c>, the SHA-256 of every byte
/// that stands before the comma of that member. Every bit of such a document is covered, so a flipped one is noticed.
/// </summary>
internal static class SealedJson
{
    private const string Member = ",\n  \"checksum\": \"";
    private const string End = "\"\n}\n";
    private static readonly int SealLength = Member.Length + 64 + End.Length;

    /// <summary>How the pipeline's documents are written: camelCase, enumerations by name, null members left out.</summary>
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        // The documents are files and API answers, never parts of an HTML page.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>Writes a value whose JSON is an object with at least one member.</summary>
    public static byte[] Write<T>(T value)
    {
        string json = JsonSerializer.Serialize(value, Options);
        if (!json.EndsWith("\n}", StringComparison.Ordinal))
        {
            throw new ArgumentException($"{typeof(T).Name} is not written as a JSON object with members.", nameof(value));
        }
        byte[] body = Encoding.UTF8.GetBytes(json[..^2]);
        return [.. body, .. Seal(body)];
    }

    /// <summary>Reads a value and checks the seal.</summary>
    /// <param name="bytes">The document.</param>
    /// <param name="name">Its name, for messages.</param>
    /// <exception cref="CorruptBlobException">The seal does not fit the document, or it is not of this shape.</exception>
    public static T Read<T>(ReadOnlySpan<byte> bytes, string name)
    {
        if (bytes.Length <= SealLength)
        {
            throw new CorruptBlobException(name, $"it has {bytes.Length} bytes, fewer than its checksum alone");
        }
        ReadOnlySpan<byte> body = bytes[..^SealLength];
        if (!bytes[^SealLength..].SequenceEqual(Seal(body)))
        {
            throw new CorruptBlobException(name, "its checksum does not fit its content");
        }
        try
        {
            return JsonSerializer.Deserialize<T>(bytes, Options) ?? throw new CorruptBlobException(name, "it holds null");
        }
        catch (JsonException e)
        {
            throw new CorruptBlobException(name, $"it is not a {typeof(T).Name}: {e.Message}", e);
        }
    }

    /// <summary>What stands behind a body to seal it: from the comma before the checksum to the end.</summary>
    internal static byte[] Seal(ReadOnlySpan<byte> body) =>
        Encoding.ASCII.GetBytes(Member + Convert.ToHexStringLower(SHA256.HashData(body)) + End);
}
