using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Ulmfit.Data;

/// <summary>
/// SHA-256 of a text, by which texts are told apart: white space at both ends is left out and a run of it counts as one
/// space, nothing else is changed (Unicode normalisation would depend on the machine). White space is what
/// <see cref="char.IsWhiteSpace(char)"/> says.
/// </summary>
public static class TextDigest
{
    /// <summary>Bytes of a digest.</summary>
    public const int Size = SHA256.HashSizeInBytes;

    /// <summary>The digest in small hexadecimal letters.</summary>
    public static string Of(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        Span<byte> digest = stackalloc byte[Size];
        Write(text, default, digest);
        return Convert.ToHexStringLower(digest);
    }

    /// <summary>The text as it is hashed.</summary>
    public static string Normalize(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        char[] buffer = ArrayPool<char>.Shared.Rent(text.Length);
        int length = Normalize(text, buffer);
        string normalized = new(buffer, 0, length);
        ArrayPool<char>.Shared.Return(buffer);
        return normalized;
    }

    /// <summary>Writes the digest of a prefix and the text into <paramref name="digest"/>.</summary>
    internal static void Write(string text, ReadOnlySpan<byte> prefix, Span<byte> digest)
    {
        char[] characters = ArrayPool<char>.Shared.Rent(text.Length);
        int length = Normalize(text, characters);
        byte[] bytes = ArrayPool<byte>.Shared.Rent(prefix.Length + Encoding.UTF8.GetMaxByteCount(length));
        prefix.CopyTo(bytes);
        int count = prefix.Length + Encoding.UTF8.GetBytes(characters.AsSpan(0, length), bytes.AsSpan(prefix.Length));
        SHA256.HashData(bytes.AsSpan(0, count), digest);
        ArrayPool<char>.Shared.Return(characters);
        ArrayPool<byte>.Shared.Return(bytes);
    }

    private static int Normalize(ReadOnlySpan<char> text, Span<char> destination)
    {
        int length = 0;
        bool space = false;
        foreach (char c in text)
        {
            if (char.IsWhiteSpace(c))
            {
                space = length > 0;
                continue;
            }

            if (space)
            {
                destination[length++] = ' ';
                space = false;
            }

            destination[length++] = c;
        }

        return length;
    }
}
