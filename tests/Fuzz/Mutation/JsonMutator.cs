using System.Text;
using System.Text.Json;

namespace Fuzz.Mutation;

/// <summary>Changes JSON so that it stays JSON, or nearly: values of other kinds, extreme numbers, members twice, missing or renamed, deep nesting.</summary>
internal static class JsonMutator
{
    private static readonly byte[][] Values = Soup.Bytes(
        "null", "true", "false", "0", "-0", "1", "-1", "2", "0.5", "-0.5", "1e-400", "1e400", "-1e400", "1E+2147483648", "2147483647", "2147483648", "-2147483649",
        "9007199254740991", "9007199254740993", "18446744073709551615", "18446744073709551616", "123456789012345678901234567890", "0.1234567890123456789012345678901234567890",
        "NaN", "Infinity", "\"NaN\"", "\"-Infinity\"", "\"\"", "\" \"", "\"none\"", "\"champion\"", "\"x/1\"", "\"..\"", "\"../../x\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"",
        "\"\u202Ex\"", "\"é\"", "\"😀\"", "\"forward\"", "\"both\"", "\"backward\"", "\"stlr\"", "\"loss\"", "\"2020-01-01\"", "\"9999-12-31T23:59:59.9999999+14:00\"",
        "[]", "{}", "[null]", "[[]]", "[{}]", "{\"\":null}", "[1,2,3]", "[\"a\",\"b\"]", "[\"a\",\"a\"]", "[0.1,1e300]", "{\"a\":{\"a\":{\"a\":{}}}}", "//", "/* */ 1", "1,", "", "\"unlabeled/a/b.txt\"");

    private static readonly byte[][] Words = Soup.Bytes("{", "}", "[", "]", ":", ",", "\"", "\\", "\\u", "null", "\"\":", "\n", " ", "\uFEFF", "/*", "0", "-", "e9", ".");

    /// <summary>A changed copy of a sample.</summary>
    public static byte[] Mutate(FuzzRandom random, byte[] sample, ReadOnlySpan<byte[]> others)
    {
        if (random.OneIn(6))
        {
            return ByteMutator.Mutate(random, sample, others, Words);
        }

        byte[] json = sample;
        for (int changes = 1 + random.Below(3); changes > 0; changes--)
        {
            List<Piece>? pieces = PiecesOf(json);
            if (pieces is null or [])
            {
                return json;
            }

            json = Change(random, json, pieces);
        }

        return json;
    }

    private static byte[] Change(FuzzRandom random, byte[] json, List<Piece> pieces)
    {
        Piece piece = pieces[random.Below(pieces.Count)];
        Piece other = pieces[random.Below(pieces.Count)];
        ReadOnlySpan<byte> here = json.AsSpan(piece.Start, piece.Length);
        ReadOnlySpan<byte> there = json.AsSpan(other.Start, other.Length);
        if (piece.IsName)
        {
            return random.Below(4) switch
            {
                // A member's name: that of another, one that is not known, in other letters.
                0 when other.IsName => Replaced(json, piece, there),
                1 => Replaced(json, piece, "\"unknown\""u8),
                2 => Replaced(json, piece, Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(here).ToUpperInvariant())),
                _ => Replaced(json, piece, [.. here, (byte)':', .. random.Of(Values), (byte)',', .. here]),
            };
        }

        return random.Below(6) switch
        {
            0 => Replaced(json, piece, Nested(random, here)),
            1 when !other.IsName => Replaced(json, piece, there),
            2 => Replaced(json, piece, [.. here, (byte)',', .. here]),
            3 => Replaced(json, piece, Long(random)),
            _ => Replaced(json, piece, random.Of(Values)),
        };
    }

    private static byte[] Nested(FuzzRandom random, ReadOnlySpan<byte> value)
    {
        int depth = random.OneIn(4) ? 1 + random.Below(2000) : 1 + random.Below(70);
        bool array = random.OneIn(2);
        var bytes = new List<byte>();
        for (int i = 0; i < depth; i++)
        {
            bytes.AddRange(array ? "["u8 : "{\"a\":"u8);
        }

        bytes.AddRange(value);
        bytes.AddRange(Enumerable.Repeat(array ? (byte)']' : (byte)'}', random.OneIn(8) ? depth - 1 : depth));
        return [.. bytes];
    }

    private static byte[] Long(FuzzRandom random)
    {
        int count = random.Below(3000);
        return random.OneIn(2) ? [(byte)'"', .. Enumerable.Repeat((byte)'a', count), (byte)'"'] : [(byte)'1', .. Enumerable.Repeat((byte)'0', count)];
    }

    private static byte[] Replaced(byte[] json, Piece piece, ReadOnlySpan<byte> with) =>
        [.. json.AsSpan(0, piece.Start), .. with, .. json.AsSpan(piece.Start + piece.Length)];

    /// <summary>Names and values with where they stand; null where it is no JSON any more.</summary>
    private static List<Piece>? PiecesOf(byte[] json)
    {
        var pieces = new List<Piece>();
        var open = new Stack<int>();
        try
        {
            var reader = new Utf8JsonReader(json);
            while (reader.Read())
            {
                int start = (int)reader.TokenStartIndex;
                switch (reader.TokenType)
                {
                    case JsonTokenType.StartArray or JsonTokenType.StartObject:
                        open.Push(start);
                        break;
                    case JsonTokenType.EndArray or JsonTokenType.EndObject:
                        int began = open.Pop();
                        pieces.Add(new Piece(began, (int)reader.BytesConsumed - began, false));
                        break;
                    case JsonTokenType.PropertyName:
                        // What has been consumed reaches beyond the name, to its colon.
                        int end = start + 1;
                        while (json[end] != '"')
                        {
                            end += json[end] == '\\' ? 2 : 1;
                        }

                        pieces.Add(new Piece(start, end + 1 - start, true));
                        break;
                    default:
                        pieces.Add(new Piece(start, (int)reader.BytesConsumed - start, false));
                        break;
                }
            }

            return pieces;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private readonly record struct Piece(int Start, int Length, bool IsName);
}
