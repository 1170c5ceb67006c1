using System.Text.Json;

namespace Ulmfit.Reports;

/// <summary>What the deserializer lets pass and readers of cards and reports would stumble over.</summary>
internal static class StrictJson
{
    /// <summary>How cards and reports are read: what has no question mark in our types is there and is not null.</summary>
    public static JsonSerializerOptions Web { get; } = new(JsonSerializerDefaults.Web)
    {
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>Checks that every text is valid Unicode and that no array holds null.</summary>
    /// <exception cref="JsonException">One is not, or one does; or it is no JSON.</exception>
    public static void Check(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);

        // Bit n: the container at depth n is an array. The reader goes 64 deep.
        ulong arrays = 0;
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartArray:
                    arrays |= 1UL << reader.CurrentDepth;
                    break;
                case JsonTokenType.StartObject:
                    arrays &= ~(1UL << reader.CurrentDepth);
                    break;
                case JsonTokenType.Null when reader.CurrentDepth > 0 && (arrays & (1UL << (reader.CurrentDepth - 1))) != 0:
                    throw new JsonException($"An array holds null at byte {reader.TokenStartIndex}.");
                case JsonTokenType.String or JsonTokenType.PropertyName:
                    CheckText(ref reader);
                    break;
            }
        }
    }

    private static void CheckText(ref Utf8JsonReader reader)
    {
        try
        {
            reader.GetString();
        }
        catch (InvalidOperationException exception)
        {
            throw new JsonException($"The text at byte {reader.TokenStartIndex} is not valid Unicode.", exception);
        }
    }
}
