using System.Runtime.InteropServices;

namespace Ulmfit.Cpu.Tests;

/// <summary>What the numbers of a case are like.</summary>
internal enum Numbers
{
    /// <summary>Between −1 and 1.</summary>
    Ordinary,

    /// <summary>Of every magnitude that is finite, denormal ones among them.</summary>
    AnyFinite,

    /// <summary>Zeros of both signs, denormals, the greatest and the least, infinities and the NaN that arithmetic makes, among ordinary ones.</summary>
    Special,
}

/// <summary>
/// Memory for the arguments of a kernel, from a seed: each lies at an odd place, on no boundary of anything, between
/// numbers that must stay what they are.
/// </summary>
internal sealed class Arena(Numbers numbers, int seed)
{
    private const int Margin = 40;

    private static readonly float[] specials =
    [
        0f, -0f, float.Epsilon, -float.Epsilon, 1e-39f, -1e-39f, 1.17549435e-38f, 1f, -1f, 88.5f, -87f, 3e38f, -3e38f, float.MaxValue, float.MinValue,
        float.PositiveInfinity, float.NegativeInfinity, float.NaN,
    ];

    private readonly Random random = new(seed);
    private readonly List<Block> blocks = [];

    /// <summary>An argument that is only read.</summary>
    public Span<float> In(int length) => Add(length, 0, 0, 0);

    /// <summary>An argument that is only read and has the numbers that <paramref name="map"/> makes of those of the case.</summary>
    public Span<float> In(int length, Func<float, float> map)
    {
        Span<float> argument = Add(length, 0, 0, 0);
        Block block = blocks[^1];
        for (int j = 0; j < length; j++)
        {
            argument[j] = block.Original[block.Start + j] = map(argument[j]);
        }

        return argument;
    }

    /// <summary>An argument that is read and written.</summary>
    public Span<float> Out(int length) => Add(length, 1, length, length);

    /// <summary>An argument of whose rows the first <paramref name="width"/> floats are written.</summary>
    public Span<float> Out(int rows, int stride, int width) => Add(rows == 0 ? 0 : ((rows - 1) * stride) + width, rows, stride, width);

    /// <summary>A number of the case's kind.</summary>
    public float Next() => numbers switch
    {
        Numbers.AnyFinite => Finite(),
        Numbers.Special when random.Next(4) == 0 => specials[random.Next(specials.Length)],
        _ => (2f * random.NextSingle()) - 1f,
    };

    /// <summary>Nothing has been written but where it was allowed.</summary>
    public void AssertNothingElseWritten()
    {
        for (int i = 0; i < blocks.Count; i++)
        {
            Block b = blocks[i];
            for (int j = 0; j < b.Data.Length; j++)
            {
                int place = j - b.Start;
                bool writable = place >= 0 && b.Width > 0 && place % b.Stride < b.Width && place / b.Stride < b.Rows;
                if (!writable && Bits(b.Data[j]) != Bits(b.Original[j]))
                {
                    Assert.Fail($"Argument {i} was written at {place}: {b.Original[j]:r} became {b.Data[j]:r}.");
                }
            }
        }
    }

    /// <summary>Nothing has been written at all.</summary>
    public void AssertNothingWritten()
    {
        foreach (Block b in blocks)
        {
            Assert.True(MemoryMarshal.AsBytes<float>(b.Data).SequenceEqual(MemoryMarshal.AsBytes<float>(b.Original)), "An argument was written.");
        }
    }

    /// <summary>The arguments of both are the same, bit for bit.</summary>
    public static void AssertSame(Arena expected, Arena actual)
    {
        Assert.Equal(expected.blocks.Count, actual.blocks.Count);
        for (int i = 0; i < expected.blocks.Count; i++)
        {
            Block e = expected.blocks[i], a = actual.blocks[i];
            AssertSame(e.Data, a.Data, $"argument {i}", e.Start);
        }
    }

    /// <summary>Both are the same, bit for bit; a NaN is a NaN, whichever.</summary>
    public static void AssertSame(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string what, int origin = 0)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int j = 0; j < expected.Length; j++)
        {
            if (Bits(expected[j]) != Bits(actual[j]))
            {
                Assert.Fail($"{what} at {j - origin}: {actual[j]:r} instead of {expected[j]:r}.");
            }
        }
    }

    private static int Bits(float value) => float.IsNaN(value) ? int.MaxValue : BitConverter.SingleToInt32Bits(value);

    private float Finite()
    {
        float value;
        do
        {
            value = BitConverter.Int32BitsToSingle((int)random.NextInt64(int.MinValue, int.MaxValue));
        }
        while (!float.IsFinite(value));
        return value;
    }

    private Span<float> Add(int length, int rows, int stride, int width)
    {
        int start = 1 + (2 * random.Next(8));
        var data = new float[start + length + Margin];
        for (int j = 0; j < data.Length; j++)
        {
            data[j] = Next();
        }

        blocks.Add(new Block(data, [.. data], start, rows, stride, width));
        return data.AsSpan(start, length);
    }

    private sealed record Block(float[] Data, float[] Original, int Start, int Rows, int Stride, int Width);
}
