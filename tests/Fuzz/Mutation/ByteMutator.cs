using System.Buffers.Binary;

namespace Fuzz.Mutation;

/// <summary>Changes bytes without knowing what they mean.</summary>
internal static class ByteMutator
{
    private static readonly long[] Lengths =
    [
        0, 1, 2, 7, 8, 127, 128, 255, 256, 65535, 65536, 1 << 20, int.MaxValue, (long)int.MaxValue + 1, uint.MaxValue, 1L << 40, long.MaxValue, long.MinValue, -1, -2,
    ];

    /// <summary>A changed copy of a sample.</summary>
    /// <param name="random">Randomness.</param>
    /// <param name="sample">What is changed.</param>
    /// <param name="others">Samples that pieces are taken from.</param>
    /// <param name="words">Bytes that mean something to the reader.</param>
    public static byte[] Mutate(FuzzRandom random, byte[] sample, ReadOnlySpan<byte[]> others, ReadOnlySpan<byte[]> words)
    {
        var bytes = new List<byte>(sample);
        for (int changes = 1 + random.Below(1 + random.Below(8)); changes > 0; changes--)
        {
            Change(random, bytes, others, words);
        }

        return [.. bytes];
    }

    private static void Change(FuzzRandom random, List<byte> bytes, ReadOnlySpan<byte[]> others, ReadOnlySpan<byte[]> words)
    {
        const int LongestPiece = 64;
        int at = random.Below(bytes.Count + 1);
        int rest = bytes.Count - at;
        switch (random.Below(11))
        {
            case 0 when rest > 0:
                bytes[at] ^= (byte)(1 << random.Below(8));
                break;
            case 1 when rest > 0:
                bytes[at] = (byte)random.Below(256);
                break;
            case 2:
                bytes.InsertRange(at, random.Bytes(LongestPiece));
                break;
            case 3 when rest > 0:
                bytes.RemoveRange(at, 1 + random.Below(Math.Min(rest, LongestPiece)));
                break;
            case 4:
                bytes.RemoveRange(at, rest);
                break;
            case 5 when rest > 0:
                bytes.InsertRange(random.Below(bytes.Count + 1), bytes.GetRange(at, 1 + random.Below(Math.Min(rest, LongestPiece))));
                break;
            case 6 when !words.IsEmpty:
                bytes.InsertRange(at, random.Of(words));
                break;
            case 7 when !words.IsEmpty:
                byte[] word = random.Of(words);
                bytes.RemoveRange(at, Math.Min(rest, word.Length));
                bytes.InsertRange(at, word);
                break;
            case 8 when rest >= 8:
                Span<byte> number = stackalloc byte[8];
                BinaryPrimitives.WriteInt64LittleEndian(number, random.Of<long>(Lengths));
                int size = 1 << random.Below(4);
                for (int i = 0; i < size; i++)
                {
                    bytes[at + i] = number[i];
                }

                break;
            case 9 when rest > 0:
                bytes.InsertRange(at, Enumerable.Repeat(bytes[at], 1 + random.Below(256)));
                break;
            case 10 when !others.IsEmpty:
                byte[] other = random.Of(others);
                int from = random.Below(other.Length + 1);
                bytes.RemoveRange(at, rest);
                bytes.AddRange(other.AsSpan(from));
                break;
        }
    }
}
