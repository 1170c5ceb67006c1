using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Ulmfit.Functions.Http;

/// <summary>JSON in and out.</summary>
internal static class ApiJson
{
    // What is taken on the word of a header, before anything has come.
    private const long SmallBody = 1 << 16;

    /// <summary>How answers are written: camelCase, enumerations by name, every member, so that an answer always has the same shape.</summary>
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        // Answers are never parts of an HTML page.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase), new FiniteNumberConverter() },
    };

    /// <summary>An answer.</summary>
    public static IResult Result<T>(T value, int status = StatusCodes.Status200OK) => Results.Json(value, Options, statusCode: status);

    /// <summary>Reads a body whole.</summary>
    /// <exception cref="ProblemException">It is larger than the limit.</exception>
    public static async Task<byte[]> ReadBodyAsync(HttpRequest request, long limit, CancellationToken ct)
    {
        if (request.ContentLength > limit)
        {
            throw TooLarge(limit);
        }
        // The limit is ours and not the server's, which would drop the connection before the answer.
        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } server)
        {
            server.MaxRequestBodySize = null;
        }
        if (request.ContentLength is <= SmallBody and { } length)
        {
            byte[] small = new byte[length];
            int filled = await request.Body.ReadAtLeastAsync(small, small.Length, throwOnEndOfStream: false, ct);
            return filled == small.Length ? small : small[..filled];
        }
        using var body = new MemoryStream();
        byte[] buffer = new byte[1 << 14];
        int read;
        while ((read = await request.Body.ReadAsync(buffer, ct)) > 0)
        {
            if (body.Length + read > limit)
            {
                throw TooLarge(limit);
            }
            body.Write(buffer, 0, read);
        }
        return body.ToArray();
    }

    /// <summary>Reads a body as text.</summary>
    /// <exception cref="ProblemException">It is too large, or not UTF-8.</exception>
    public static async Task<string> ReadTextAsync(HttpRequest request, long limit, CancellationToken ct)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(await ReadBodyAsync(request, limit, ct));
        }
        catch (DecoderFallbackException)
        {
            throw ProblemException.Invalid("The body is not UTF-8.");
        }
    }

    /// <summary>Reads a body as a JSON object.</summary>
    /// <exception cref="ProblemException">It is too large, no JSON, or no object.</exception>
    public static async Task<JsonDocument> ReadObjectAsync(HttpRequest request, long limit, CancellationToken ct)
    {
        byte[] body = await ReadBodyAsync(request, limit, ct);
        try
        {
            JsonDocument document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document
                : throw ProblemException.Invalid("The body is not a JSON object.");
        }
        catch (JsonException e)
        {
            throw ProblemException.Invalid($"The body is not JSON: {e.Message}");
        }
    }

    /// <summary>A JSON string as text.</summary>
    /// <exception cref="ProblemException">It escapes half of a surrogate pair, which is no text.</exception>
    public static string TextOf(JsonElement element, string path)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw ProblemException.Invalid($"{path} is not valid Unicode: it holds half of a surrogate pair.");
        }
    }

    private static ProblemException TooLarge(long limit) => ProblemException.TooLarge($"The body has more than {limit} bytes, the most that are read.").With("limit", limit);

    /// <summary>JSON has no infinity and no NaN (a loss may be either): they are null.</summary>
    private sealed class FiniteNumberConverter : JsonConverter<double>
    {
        public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDouble();

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
        {
            if (double.IsFinite(value))
            {
                writer.WriteNumberValue(value);
            }
            else
            {
                writer.WriteNullValue();
            }
        }
    }
}
