using System.Text;

namespace Fuzz.Mutation;

/// <summary>Files put together from pieces that mean something to their reader, in an order that need not.</summary>
internal static class Soup
{
    /// <summary>At most so many pieces, one after the other.</summary>
    public static byte[] Of(FuzzRandom random, ReadOnlySpan<byte[]> pieces, int most)
    {
        var bytes = new List<byte>();
        for (int count = random.Below(most + 1); count > 0; count--)
        {
            bytes.AddRange(random.Of(pieces));
        }

        return [.. bytes];
    }

    /// <summary>The bytes of texts, UTF-8.</summary>
    public static byte[][] Bytes(params ReadOnlySpan<string> texts)
    {
        var bytes = new byte[texts.Length][];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = Encoding.UTF8.GetBytes(texts[i]);
        }

        return bytes;
    }
}
