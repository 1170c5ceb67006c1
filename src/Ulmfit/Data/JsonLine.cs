using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Ulmfit.Data;

/// <summary>Reads the text and the label out of a line of JSON.</summary>
internal static class JsonLine
{
    /// <summary>
    /// Reads one object. Names are matched without regard to case. A label may be a string, a number (its digits as
    /// written) or a truth value; a text must be a string.
    /// </summary>
    /// <param name="line">The line.</param>
    /// <param name="needsLabel">Whether a label is read.</param>
    /// <param name="options">The names.</param>
    /// <param name="text">The text, null if there is none.</param>
    /// <param name="label">The label, null if there is none.</param>
    /// <param name="correctedAt">When the row corrected a label, null if it does not say.</param>
    /// <returns>What is wrong and at which character, or null.</returns>
    internal static (string Problem, int? Column)? Read(
        string line, bool needsLabel, LabeledDataOptions options, out string? text, out string? label, out DateTimeOffset? correctedAt)
    {
        text = null;
        label = null;
        correctedAt = null;
        byte[] bytes = Encoding.UTF8.GetBytes(line);
        try
        {
            var reader = new Utf8JsonReader(bytes);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                return ($"A JSON object was expected, {Describe(reader.TokenType)} was found.", Column(bytes, reader.TokenStartIndex));
            }

            int textRank = int.MaxValue;
            int labelRank = int.MaxValue;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                string name = reader.GetString()!;
                long start = reader.TokenStartIndex;
                reader.Read();
                int asText = Rank(name, options.TextColumn, ColumnNames.Texts);
                int asLabel = needsLabel ? Rank(name, options.LabelColumn, ColumnNames.Labels) : -1;
                if (asText >= 0 && asText <= textRank)
                {
                    if (asText == textRank)
                    {
                        return ($"The property '{name}' is given twice.", Column(bytes, start));
                    }

                    textRank = asText;
                    if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.Null))
                    {
                        return ($"The property '{name}' must be a string, {Describe(reader.TokenType)} was found.", Column(bytes, reader.TokenStartIndex));
                    }

                    text = reader.GetString();
                }
                else if (asLabel >= 0 && asLabel <= labelRank)
                {
                    if (asLabel == labelRank)
                    {
                        return ($"The property '{name}' is given twice.", Column(bytes, start));
                    }

                    labelRank = asLabel;
                    if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                    {
                        return ($"The property '{name}' must be a string or a number, {Describe(reader.TokenType)} was found.", Column(bytes, reader.TokenStartIndex));
                    }

                    label = reader.TokenType switch
                    {
                        JsonTokenType.String => reader.GetString(),
                        JsonTokenType.Number => Encoding.UTF8.GetString(reader.ValueSpan),
                        JsonTokenType.True => "true",
                        JsonTokenType.False => "false",
                        _ => null,
                    };
                }
                else if (options.CorrectedAtColumn is { } wanted && string.Equals(name, wanted, StringComparison.OrdinalIgnoreCase))
                {
                    if (reader.TokenType != JsonTokenType.String || !reader.TryGetDateTimeOffset(out DateTimeOffset at))
                    {
                        return ($"The property '{name}' must be a time such as 2026-01-31T12:00:00Z.", Column(bytes, reader.TokenStartIndex));
                    }

                    correctedAt = at.ToUniversalTime();
                }
                else
                {
                    reader.Skip();
                }
            }

            // Beyond the object there may be white space only; anything else throws.
            reader.Read();
            return null;
        }
        catch (JsonException e)
        {
            return ($"The line is not valid JSON: {FirstSentence(e.Message)}", Column(bytes, e.BytePositionInLine ?? 0));
        }
        catch (InvalidOperationException)
        {
            return ("A string of the line is not valid Unicode: it holds half of a surrogate pair.", null);
        }
    }

    private static int Rank(string name, string? wanted, string[] usual) => wanted is not null
        ? (string.Equals(name, wanted, StringComparison.OrdinalIgnoreCase) ? 0 : -1)
        : Array.FindIndex(usual, u => string.Equals(u, name, StringComparison.OrdinalIgnoreCase));

    private static int Column(byte[] bytes, long offset) =>
        Encoding.UTF8.GetCharCount(bytes, 0, (int)Math.Clamp(offset, 0, bytes.Length)) + 1;

    private static string FirstSentence(string message)
    {
        int position = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return position < 0 ? message : message[..position];
    }

    private static string Describe(JsonTokenType type) => type switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.Number => "a number",
        JsonTokenType.String => "a string",
        JsonTokenType.True or JsonTokenType.False => "a truth value",
        JsonTokenType.Null => "null",
        _ => type.ToString().ToLower(CultureInfo.InvariantCulture),
    };
}
