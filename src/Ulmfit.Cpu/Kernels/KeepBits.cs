namespace Ulmfit.Cpu.Kernels;

/// <summary>A dropout mask as one bit an element, sixteen to a word: a thirty-second of the mask's room.</summary>
internal static class KeepBits
{
    /// <summary>Bit j of word i is set where mask[16·i + j] is not zero.</summary>
    public static void Set(ReadOnlySpan<float> mask, Span<ushort> bits)
    {
        for (int i = 0; i < bits.Length; i++)
        {
            ReadOnlySpan<float> lanes = mask.Slice(i * 16, 16);
            int word = 0;
            for (int j = 0; j < lanes.Length; j++)
            {
                word |= (lanes[j] != 0f ? 1 : 0) << j;
            }

            bits[i] = (ushort)word;
        }
    }

    /// <summary>x · factor where the bit is set, else 0, in place.</summary>
    public static void Apply(ReadOnlySpan<ushort> bits, float factor, Span<float> x)
    {
        for (int i = 0; i < bits.Length; i++)
        {
            Span<float> lanes = x.Slice(i * 16, 16);
            int word = bits[i];
            for (int j = 0; j < lanes.Length; j++)
            {
                lanes[j] = ((word >> j) & 1) != 0 ? lanes[j] * factor : 0f;
            }
        }
    }
}
